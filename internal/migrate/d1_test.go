package migrate

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

var update = flag.Bool("update", false, "write the expected files anew")

// golden compares with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func (r *Report) text() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		lines []Line
	}{{"took", r.Took}, {"left", r.Left}} {
		fmt.Fprintln(&b, part.title)
		for _, l := range part.lines {
			fmt.Fprintln(&b, "  "+l.String())
		}
	}
	fmt.Fprintf(&b, "changed: %t\n", r.Changed)
	return b.String()
}

// builtin grants the roles that every file has.
type builtin struct{}

func (builtin) Grant(_ *store.Tx, _ string, _, after []string) error {
	for _, role := range after {
		if role != "admin" && role != "viewer" {
			return fault.New(fault.NotFound, "no_role", "Role not found")
		}
	}
	return nil
}

func importer(t *testing.T, db *store.DB) D1 {
	t.Helper()
	log := audittest.New(t, db)
	host := audit.Actor{Kind: "host"}
	return D1{
		DB: db, Tenants: tenant.New(tenant.Deps{DB: db, Audit: log, Log: slog.New(slog.DiscardHandler)}),
		Keys: apikey.New(apikey.Deps{DB: db, Audit: log, Env: "prod", Log: slog.New(slog.DiscardHandler)}),
		By:   tenant.By{Actor: host, Grants: builtin{}}, KeyBy: apikey.By{Actor: host, Host: true},
	}
}

func provisioning(t *testing.T) []byte {
	t.Helper()
	src, err := os.ReadFile("testdata/provisioning.sql")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// state is what is in the store of what an import writes, events included.
func stored(t *testing.T, db *store.DB) (out []string) {
	t.Helper()
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{
			`SELECT 'tenant ' || id || ' ' || name FROM tenants ORDER BY id`,
			`SELECT 'user ' || tenant_id || ' ' || id || ' ' || email FROM users ORDER BY id`,
			`SELECT 'role ' || tenant_id || ' ' || user_id || ' ' || role FROM user_roles ORDER BY user_id, role`,
			`SELECT 'token ' || k.tenant_id || ' ' || k.id || ' ' || k.name || ' ' || s.lookup || ' ' || s.salt FROM api_keys k JOIN api_key_secrets s ON s.key_id = k.id AND s.tenant_id = k.tenant_id ORDER BY k.id`,
			`SELECT 'events ' || CAST(COUNT(*) AS TEXT) FROM audit_events`,
		} {
			list, err := store.List(tx, func(row store.Row) (s string, err error) { return s, row.Scan(&s) }, q)
			if err != nil {
				return err
			}
			out = append(out, list...)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADumpIsImported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, src := importer(t, db), provisioning(t)
		before := stored(t, db)
		dry, err := d.Import(t.Context(), src, true)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, stored(t, db)); diff != "" || !dry.DryRun || !dry.Changed {
			t.Errorf("a dry run changed something:\n%s", diff)
		}
		first, err := d.Import(t.Context(), src, false)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "provisioning.report.txt", first.text())
		if dry.DryRun = false; !cmp.Equal(dry, first) {
			t.Errorf("a dry run says something else:\n%s", cmp.Diff(dry, first))
		}
		after := stored(t, db)
		golden(t, "provisioning.store.txt", strings.Join(after, "\n")+"\n")
		second, err := d.Import(t.Context(), src, false)
		if err != nil || second.Changed || len(second.Took) != 0 {
			t.Errorf("a second run took %v, %v", second.Took, err)
		}
		if diff := cmp.Diff(after, stored(t, db)); diff != "" {
			t.Errorf("a second run changed something:\n%s", diff)
		}
	})
}

func TestATokenThatWasImportedVerifies(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	d := importer(t, db)
	if _, err := d.Import(t.Context(), provisioning(t), false); err != nil {
		t.Fatal(err)
	}
	who, err := d.Keys.Verify(t.Context(), "tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH")
	if err != nil || who.Tenant != "11111111-1111-1111-1111-111111111111" || who.ID() != "machine:t1" {
		t.Errorf("%+v, %v", who, err)
	}
}

// A token that ends there ends here at the same time, however that is written; one
// whose end nobody can read is left.
func TestATokenIsImportedWithItsEnd(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	d := importer(t, db)
	dump := `INSERT INTO tenants (id,name) VALUES ('acme','Acme');`
	const columns, hash = `id,tenant_id,token_prefix,token_hash,token_salt,label,expires_at`, `45bb37c589ab9e3a1bdea170541a6a5f793b9e236c08f92d669c158ecf466406`
	for id, end := range map[string]string{"over": `'2026-01-02 03:04:05'`, "seconds": `4102444800`, "millis": `4102444800000`, "rfc": `'2100-01-01T01:00:00+01:00'`,
		"never": `NULL`, "zero": `0`, "odd": `'soon'`, "negative": `-1`} {
		dump += "\nINSERT INTO api_tokens (" + columns + ") VALUES ('" + id + "','acme','tok_BwcH','" + hash + "','0011223344556677','engine'," + end + ");"
	}
	dump += "\nINSERT INTO api_tokens (" + columns + ",expires) VALUES ('both','acme','tok_BwcH','" + hash + "','0011223344556677','engine',4102444800,1767323045);"
	r, err := d.Import(t.Context(), []byte(dump), false)
	if err != nil || len(r.Left) != 2 || !strings.Contains(r.text(), "has an end that is no time") {
		t.Fatalf("%s %v", r.text(), err)
	}
	const over, later = "2026-01-02T03:04:05Z", "2100-01-01T00:00:00Z"
	for id, want := range map[string]string{"over": over, "both": over, "seconds": later, "millis": later, "rfc": later, "never": "", "zero": ""} {
		k, err := d.Keys.Get(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(id, err)
		}
		if got := k.ExpiresAt; want == "" && !got.IsZero() || want != "" && got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s ends %s, want %q", id, got, want)
		}
	}
}

// The statements of the provisioning backend's own documentation.
func TestBareInsertsAreImported(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	d := importer(t, db)
	r, err := d.Import(t.Context(), []byte(`INSERT INTO tenants (id,name) VALUES ('11111111-1111-1111-1111-111111111111','Acme MSP');
INSERT INTO users (id,tenant_id,email,role) VALUES ('u1','11111111-1111-1111-1111-111111111111','you@yourmsp.com','admin');
INSERT INTO api_tokens (id,tenant_id,token_prefix,token_hash,token_salt,label)
VALUES ('t1','11111111-1111-1111-1111-111111111111','tok_BwcH','45bb37c589ab9e3a1bdea170541a6a5f793b9e236c08f92d669c158ecf466406','0011223344556677','engine');`), false)
	if err != nil || len(r.Took) != 3 || len(r.Left) != 0 {
		t.Errorf("%s %v", r.text(), err)
	}
	// And with what only INSERTs of later days bring: what is there stays.
	r, err = d.Import(t.Context(), []byte(`INSERT INTO users VALUES ('u1','11111111-1111-1111-1111-111111111111','you@yourmsp.com','viewer');
INSERT INTO users VALUES ('u9','11111111-1111-1111-1111-111111111111','new@yourmsp.com',NULL);
INSERT INTO agents (id,name) VALUES ('a','a'); INSERT INTO agent_admins VALUES (1,'a','x@example.com','owner');`), false)
	if err != nil || !r.Changed || len(r.Left) != 3 {
		t.Errorf("%s %v", r.text(), err)
	}
}

func TestWhatWasDeletedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, src := importer(t, db), provisioning(t)
		if _, err := d.Import(t.Context(), src, false); err != nil {
			t.Fatal(err)
		}
		if err := d.Tenants.DeleteUser(t.Context(), d.By, "globex", "u3"); err != nil {
			t.Fatal(err)
		}
		if err := d.Tenants.Delete(t.Context(), d.By, "11111111-1111-1111-1111-111111111111"); err != nil {
			t.Fatal(err)
		}
		before := stored(t, db)
		r, err := d.Import(t.Context(), src, false)
		if err != nil || r.Changed {
			t.Errorf("%s %v", r.text(), err)
		}
		if diff := cmp.Diff(before, stored(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSixteenImportsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, src := importer(t, db), provisioning(t)
		if _, err := d.Import(t.Context(), []byte("INSERT INTO tenants VALUES ('globex','Globex''s'),('11111111-1111-1111-1111-111111111111','Acme MSP')"), false); err != nil {
			t.Fatal(err)
		}
		took := make(chan int, 16)
		storetest.Callers(t, 16, func(int) error {
			r, err := d.Import(t.Context(), src, false)
			if err == nil {
				took <- len(r.Took)
			}
			return err
		})
		close(took)
		n := 0
		for k := range took {
			n += k
		}
		if n != 2 { // users and tokens, by one of them
			t.Errorf("%d tables were taken in all", n)
		}
	})
}

func TestAFailureLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	d := importer(t, db)
	before := stored(t, db)
	d.By.Grants = broken{}
	if _, err := d.Import(t.Context(), provisioning(t), false); !errors.Is(err, errBrokenGrants) {
		t.Errorf("%v", err)
	}
	if _, err := d.Import(t.Context(), []byte("INSERT INTO tenants VALUES ('x','y'"), false); err == nil {
		t.Error("a dump that breaks off was taken")
	}
	if diff := cmp.Diff(before, stored(t, db)); diff != "" {
		t.Error(diff)
	}
}

type broken struct{}

var errBrokenGrants = errors.New("away")

func (broken) Grant(*store.Tx, string, []string, []string) error { return errBrokenGrants }

// SQLite itself is the oracle of what a dump says.
func TestSQLiteReadsTheSame(t *testing.T) {
	t.Parallel()
	dump := `CREATE TABLE t (a, b TEXT, "c d" BLOB, [e] REAL);
INSERT INTO t VALUES(1,'it''s',X'00ff10',-1.5e3);
INSERT INTO t VALUES(9223372036854775807,'',x'',1e400);
INSERT INTO t (a, "c d") VALUES (replace('a\nb\\n','\n',char(10)), NULL), (char(65, 233, 128512), 'x');
INSERT INTO t VALUES("double",` + "'--no comment','/* nor this */'" + `,.5);
INSERT INTO t VALUES(-0,+3,TRUE,FALSE), (9223372036854775808, 1_000, 'ümlaut;', 5.);`
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), strings.Replace(dump, `"double"`, "'double'", 1)); err != nil {
		t.Fatal(err)
	}
	d, err := readDump([]byte(dump))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), `SELECT a, b, "c d", e FROM t ORDER BY rowid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var v [4]any
		if err := rows.Scan(&v[0], &v[1], &v[2], &v[3]); err != nil {
			t.Fatal(err)
		}
		f := newFields(d.rows[n])
		for i, c := range []string{"a", "b", "c d", "e"} {
			if got, want := fmt.Sprint(f[c]), fmt.Sprint(v[i]); got != want {
				t.Errorf("row %d, %s: %s, SQLite says %s", n, c, got, want)
			}
		}
	}
	if err := rows.Err(); err != nil || n != len(d.rows) {
		t.Errorf("%d rows, SQLite says %d, %v", len(d.rows), n, err)
	}
}
