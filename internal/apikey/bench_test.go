package apikey

import (
	"fmt"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// BenchmarkFirstSight is what a key costs that is not remembered, among a
// thousand and among a million: its look-up and comparison (verify), the same
// for a key that nobody has (unknown), and what is stored about it (grant).
//
//	go test -run '^$' -bench FirstSight -benchtime 20000x ./internal/apikey
func BenchmarkFirstSight(b *testing.B) {
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		for _, n := range []int{1_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", engine.name, n), func(b *testing.B) {
				db := storetest.Open(b, engine.url(b))
				s := New(Deps{DB: db, Env: "test"})
				tokens := fill(b, db, n)
				i := 0
				b.Run("verify", func(b *testing.B) {
					for b.Loop() {
						i++
						if _, err := s.Verify(b.Context(), tokens[i%len(tokens)]); err != nil {
							b.Fatal(err)
						}
					}
				})
				b.Run("unknown", func(b *testing.B) {
					unknown := make([]string, 1000)
					for i := range unknown {
						unknown[i] = newKey("test", false).text
					}
					for b.Loop() {
						i++
						if _, err := s.Verify(b.Context(), unknown[i%len(unknown)]); err == nil {
							b.Fatal("an unknown key counts")
						}
					}
				})
				b.Run("grant", func(b *testing.B) {
					who, err := s.Verify(b.Context(), tokens[0])
					if err != nil {
						b.Fatal(err)
					}
					for b.Loop() {
						err := db.Read(b.Context(), func(tx *store.Tx) error { _, err := s.Grant(tx, who); return err })
						if err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	}
}

// fill makes n keys in bulk, and among them, all over the tables, a thousand
// whose tokens it returns. Keys are made in the order of their ids, which makes
// the same tables as any other order, in a hundredth of the time.
func fill(b *testing.B, db *store.DB, n int) (tokens []string) {
	b.Helper()
	const rows = `WITH RECURSIVE n (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2) `
	// Twelve characters that grow with i: two that divide all n evenly among the
	// alphabet, so that real ids fall between them, and i.
	character := func(at string) string {
		return `substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', CAST(` + at + ` AS INTEGER) + 1, 1)`
	}
	id := character(`(i - 1) * 3844 / $3 / 62`) + ` || ` + character(`(i - 1) * 3844 / $3 % 62`) + ` || substr(CAST(10000000000 + i AS TEXT), 2)`
	const steps = 50 // a transaction each, far below the time that one may take
	err := db.Tx(b.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO tenants (id, name, created_at, updated_at) VALUES ('a', 'a', 0, 0)`)
		return err
	})
	for step := 0; step < steps && err == nil; step++ {
		low, high := step*n/steps+1, (step+1)*n/steps
		err = db.Tx(b.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(rows+`INSERT INTO api_keys (tenant_id, id, machine, prefix, name, scopes, env, created_at, updated_at, creator_kind)
				SELECT 'a', 'key_' || `+id+`, 0, 'prk_test_000000000000', 'a key', '["docs:read"]', 'test', i, i, 'host' FROM n`, low, high, n); err != nil {
				return err
			}
			if _, err := tx.Exec(rows+`INSERT INTO api_key_secrets (tenant_id, key_id, hash, salt, format, machine, lookup, created_at)
				SELECT 'a', 'key_' || `+id+`, $4, $5, 'prk', 0, `+id+`, i FROM n`, low, high, n, decoy().hash, decoy().salt); err != nil {
				return err
			}
			for range 1000 / steps {
				t := newKey("test", false)
				k := Key{Tenant: "a", ID: "key_" + t.lookup, Name: "a key", Scopes: []string{"docs:read"}, Prefix: t.prefix(), Env: t.env,
					CreatedAt: tx.Now(), UpdatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour), Creator: Creator{Kind: kindHost}}
				if err := insertKey(tx, k); err != nil {
					return err
				}
				if err := insertSecret(tx, k, t, newHash(t.text)); err != nil {
					return err
				}
				tokens = append(tokens, t.text)
			}
			return nil
		})
	}
	if err != nil {
		b.Fatal(err)
	}
	return tokens
}
