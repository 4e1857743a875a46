package vault_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/vault"
)

// key makes a master key of a word: "id" or "id=word".
func keys(t testing.TB, list ...string) *seal.Keys {
	t.Helper()
	var out []seal.Key
	for _, s := range list {
		id, word, other := strings.Cut(s, "=")
		if !other {
			word = id
		}
		sum := sha256.Sum256([]byte(word))
		out = append(out, seal.Key{ID: id, Secret: secret.New(base64.StdEncoding.EncodeToString(sum[:]))})
	}
	k, err := seal.New(out)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// columns are two shapes: per tenant with a key of two columns, of which one is
// a number, and without a tenant.
func columns() []vault.Column {
	return []vault.Column{
		{Table: "things", Column: "secret", Tenant: "tenant_id", Row: []string{"name", "n"}, Purpose: func(tenant string) string { return "tenant-secret:" + tenant }},
		{Table: "singles", Column: "sealed", Row: []string{"id"}, Purpose: func(string) string { return "mfa" }},
	}
}

func tables(t *testing.T, db *store.DB) {
	t.Helper()
	blob := "BLOB"
	if db.Engine() == store.PostgreSQL {
		blob = "BYTEA"
	}
	exec(t, db, `CREATE TABLE things (tenant_id TEXT NOT NULL, name TEXT NOT NULL, n BIGINT NOT NULL, secret `+blob+`, PRIMARY KEY (tenant_id, name, n))`)
	exec(t, db, `CREATE TABLE singles (id TEXT NOT NULL PRIMARY KEY, sealed `+blob+`)`)
}

func exec(t testing.TB, db *store.DB, query string, args ...any) {
	t.Helper()
	if err := db.Tx(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func thing(tenant, name string, n int) seal.Place {
	return seal.Place{Purpose: "tenant-secret:" + tenant, Table: "things", Column: "secret", Tenant: tenant, Row: seal.RowOf(name, fmt.Sprint(n))}
}

func put(t testing.TB, db *store.DB, k *seal.Keys, tenant, name string, n int, plain string) {
	t.Helper()
	b, err := k.Seal(thing(tenant, name, n), []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO things (tenant_id, name, n, secret) VALUES ($1, $2, $3, $4)`, tenant, name, n, b)
}

func check(db *store.DB, k *seal.Keys) error {
	return vault.Check(context.Background(), db, k, columns()...)
}

func wantCheck(t *testing.T, db *store.DB, k *seal.Keys, says string) {
	t.Helper()
	err := check(db, k)
	switch {
	case says == "" && err != nil:
		t.Errorf("refused: %v", err)
	case says != "" && (!errors.Is(err, vault.ErrKeys) || !strings.Contains(err.Error(), says)):
		t.Errorf("%v, want %q", err, says)
	case says != "" && !strings.Contains(err.Error(), "masterKey"):
		t.Errorf("%v does not say what to do", err)
	}
}

func TestAStoreKnowsItsKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tables(t, db)
		wantCheck(t, db, nil, "") // nothing is sealed, nothing is needed
		wantCheck(t, db, keys(t, "k1"), "")
		wantCheck(t, db, keys(t, "k1"), "")
		wantCheck(t, db, nil, `made with the master key "k1", and there is none`)
		wantCheck(t, db, keys(t, "k1=other"), `the master key "k1" is not the one that this store was made with`)
		wantCheck(t, db, keys(t, "k2"), `none of the listed master keys is one of this store's, which are "k1"`)
		put(t, db, keys(t, "k1"), "acme", "a", 1, "x")
		wantCheck(t, db, keys(t, "k2"), `values of things.secret are sealed under the master key "k1", which is not listed`)
		wantCheck(t, db, keys(t, "k2", "k1=other"), `"k1" is not the one`)
		wantCheck(t, db, keys(t, "k2", "k1"), "")
		wantCheck(t, db, keys(t, "k2"), `"k1", which is not listed`)
		if _, err := vault.Reseal(t.Context(), db, keys(t, "k2", "k1"), columns(), 10); err != nil {
			t.Fatal(err)
		}
		wantCheck(t, db, keys(t, "k2"), "")
		wantCheck(t, db, keys(t, "k1"), `sealed under the master key "k2", which is not listed`)
	})
}

func TestAStoreThatLostItsCheckValueIsKnownByItsValues(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tables(t, db)
		put(t, db, keys(t, "k1"), "acme", "a", 1, "x")
		wantCheck(t, db, nil, "values of things.secret are sealed, and there is no master key")
		wantCheck(t, db, keys(t, "k2"), `sealed under the master key "k1", which is not listed`)
		wantCheck(t, db, keys(t, "k1=other"), `"k1" does not open the values of things.secret`)
		wantCheck(t, db, keys(t, "k1"), "")
		exec(t, db, `UPDATE meta SET value = 'x' WHERE name = 'masterkey.k1'`)
		if err := check(db, keys(t, "k1")); !errors.Is(err, vault.ErrKeys) {
			t.Errorf("with a check value that was changed: %v", err)
		}
	})
}

func TestOfManyThatStartAtOnceOneKeyWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tables(t, db)
		results := make([]error, 16)
		storetest.Callers(t, 16, func(i int) error {
			results[i] = check(db, keys(t, fmt.Sprint("k", i%4)))
			return nil
		})
		winners := map[int]bool{}
		for i, err := range results {
			if err == nil {
				winners[i%4] = true
			} else if !errors.Is(err, vault.ErrKeys) {
				t.Error(err)
			}
		}
		if len(winners) != 1 {
			t.Errorf("%d keys were taken", len(winners))
		}
	})
}

func TestResealingGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tables(t, db)
		old, both := keys(t, "k1"), keys(t, "k2", "k1")
		for i := range 25 {
			put(t, db, old, []string{"acme", "globex"}[i%2], "name", i, fmt.Sprint("secret ", i))
		}
		put(t, db, both, "acme", "new", 1, "already")
		exec(t, db, `INSERT INTO things (tenant_id, name, n, secret) VALUES ('acme', 'none', 1, NULL)`)
		b, err := old.Seal(seal.Place{Purpose: "mfa", Table: "singles", Column: "sealed", Row: "1"}, []byte("single"))
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, `INSERT INTO singles (id, sealed) VALUES ('1', $1)`, b)
		// One that was moved from elsewhere: it stays as it is, and is told.
		exec(t, db, `INSERT INTO singles (id, sealed) VALUES ('2', $1)`, b)

		stopped, stop := context.WithCancel(t.Context())
		stop()
		if _, err := vault.Reseal(stopped, db, both, columns(), 4); err == nil {
			t.Error("was not stopped")
		}
		done, err := vault.Reseal(t.Context(), db, both, columns(), 4)
		if err != nil || len(done) != 2 || done[0].Done != 25 || done[0].Failed != 0 || done[1].Done != 1 || done[1].Failed != 1 || !errors.Is(done[1].Err, seal.ErrDamaged) {
			t.Fatalf("%+v %v", done, err)
		}
		again, err := vault.Reseal(t.Context(), db, both, columns(), 4)
		if err != nil || again[0].Done != 0 || again[1].Done != 0 {
			t.Errorf("again: %+v %v", again, err)
		}
		status, err := vault.Count(t.Context(), db, keys(t, "k2"), columns())
		if err != nil || fmt.Sprint(status[0].Keys, status[1].Keys) != "map[k2:26] map[:1 k2:1]" {
			t.Errorf("%v %v, %v", status[0].Keys, status[1].Keys, err)
		}
		late := keys(t, "k2")
		for i := range 25 {
			tenant := []string{"acme", "globex"}[i%2]
			var sealed []byte
			if err := db.Read(t.Context(), func(tx *store.Tx) error {
				return tx.Row(`SELECT secret FROM things WHERE tenant_id = $1 AND name = 'name' AND n = $2`, tenant, i).Scan(&sealed)
			}); err != nil {
				t.Fatal(err)
			}
			if plain, err := late.Open(thing(tenant, "name", i), sealed); err != nil || string(plain) != fmt.Sprint("secret ", i) {
				t.Errorf("%d is %q, %v", i, plain, err)
			}
		}
	})
}

// A server goes on writing under the old key while another process rotates.
func TestResealingBesideAServerLosesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tables(t, db)
		old, both := keys(t, "k1"), keys(t, "k2", "k1")
		for i := range 40 {
			put(t, db, old, "acme", "name", i, "0")
		}
		storetest.Callers(t, 16, func(i int) error {
			if i == 0 {
				_, err := vault.Reseal(context.Background(), db, both, columns(), 3)
				return err
			}
			for round := 1; round <= 5; round++ {
				b, err := old.Seal(thing("acme", "name", i), []byte(fmt.Sprint(round)))
				if err != nil {
					return err
				}
				if err := db.Tx(context.Background(), func(tx *store.Tx) error {
					_, err := tx.Exec(`UPDATE things SET secret = $1 WHERE tenant_id = 'acme' AND n = $2`, b, i)
					return err
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if _, err := vault.Reseal(t.Context(), db, both, columns(), 0); err != nil {
			t.Fatal(err)
		}
		late := keys(t, "k2")
		for i := 1; i < 16; i++ {
			var sealed []byte
			if err := db.Read(t.Context(), func(tx *store.Tx) error {
				return tx.Row(`SELECT secret FROM things WHERE tenant_id = 'acme' AND n = $1`, i).Scan(&sealed)
			}); err != nil {
				t.Fatal(err)
			}
			if plain, err := late.Open(thing("acme", "name", i), sealed); err != nil || string(plain) != "5" {
				t.Errorf("%d is %q, %v", i, plain, err)
			}
		}
	})
}

func TestNothingIsResealedWithoutKeys(t *testing.T) {
	t.Parallel()
	if _, err := vault.Reseal(t.Context(), nil, nil, columns(), 1); !errors.Is(err, seal.ErrNoKey) {
		t.Error(err)
	}
}
