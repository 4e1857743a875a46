package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
)

// keeping is one connection to a fresh file, and another one.
func keeping(t *testing.T) (conn, other *sql.Conn, kept func() int) {
	t.Helper()
	pool, err := openKeeping(sqliteDSN(filepath.Join(t.TempDir(), "a.db"), "immediate"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	var both [2]*sql.Conn
	for i := range both {
		if both[i], err = pool.Conn(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = both[i].Close() })
	}
	run(t, both[0], `CREATE TABLE t (a TEXT UNIQUE, b INTEGER)`)
	return both[0], both[1], func() (n int) {
		_ = both[0].Raw(func(c any) error { n = c.(*keepingConn).order.Len(); return nil }) //nolint:forcetypeassert // or it fails
		return n
	}
}

func run(t *testing.T, c *sql.Conn, query string, args ...any) {
	t.Helper()
	if _, err := c.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func read(t *testing.T, c *sql.Conn, query string, args ...any) (out string) {
	t.Helper()
	rows, err := c.QueryContext(t.Context(), query, args...)
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprint(row)
	}
	if err := rows.Err(); err != nil {
		return err.Error()
	}
	return out
}

func TestAKeptStatementForgetsItsLastRun(t *testing.T) {
	t.Parallel()
	c, _, _ := keeping(t)
	const insert = `INSERT INTO t (a, b) VALUES ($1, $2)`
	run(t, c, insert, "x", 1)
	if _, err := c.ExecContext(t.Context(), insert, "x", 2); err == nil {
		t.Error("a unique key was given twice")
	}
	run(t, c, insert, nil, nil)
	run(t, c, insert, "y", 3)
	const query = `SELECT a, b FROM t WHERE a = $1 OR $1 IS NULL AND a IS NULL`
	for _, want := range [][2]any{{"x", "[x 1]"}, {nil, "[<nil> <nil>]"}, {"z", ""}, {"y", "[y 3]"}, {"x", "[x 1]"}} {
		if got := read(t, c, query, want[0]); got != want[1] {
			t.Errorf("%v: got %q, want %q", want[0], got, want[1])
		}
	}
}

func TestAKeptStatementFollowsTheTables(t *testing.T) {
	t.Parallel()
	c, other, _ := keeping(t)
	run(t, c, `INSERT INTO t (a, b) VALUES ('x', 1)`)
	const query = `SELECT * FROM t`
	for _, step := range [][2]string{
		{`SELECT 1`, "[x 1]"},
		{`ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'new'`, "[x 1 new]"},
		{`ALTER TABLE t DROP COLUMN b`, "[x new]"},
		{`DROP TABLE t`, "SQL logic error: no such table: t (1)"},
		{`CREATE TABLE t (d TEXT)`, ""},
		{`INSERT INTO t (d) VALUES ('again')`, "[again]"},
	} {
		run(t, other, step[0])
		if got := read(t, c, query); got != step[1] {
			t.Errorf("after %s: got %q, want %q", step[0], got, step[1])
		}
	}
}

func TestAStatementInUseIsNotUsedTwice(t *testing.T) {
	t.Parallel()
	c, _, kept := keeping(t)
	run(t, c, `INSERT INTO t (a, b) VALUES ('x', 1), ('y', 2), ('z', 3)`)
	const query = `SELECT b FROM t WHERE b >= $1 ORDER BY b`
	rows, err := c.QueryContext(t.Context(), query, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := ""
	for rows.Next() {
		var b int
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprint(b, read(t, c, query, b), " ")
		for i := range mostKept { // and is not closed under who uses it
			run(t, c, fmt.Sprintf(`DELETE FROM t WHERE b = -%d`, i))
		}
	}
	if err := rows.Err(); err != nil || got != "1[1][2][3] 2[2][3] 3[3] " {
		t.Errorf("got %q, %v", got, err)
	}
	if n := kept(); n > mostKept+1 {
		t.Errorf("%d statements are kept", n)
	}
}

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{
		"SELECT 1": true, "SELECT\n1": true, "WITH a AS (SELECT 1) SELECT * FROM a": true, "COMMIT": true,
		"PRAGMA defer_foreign_keys = 1": false, "SELECT 1; SELECT 2": false, "CREATE TABLE x (a TEXT)": false, "VACUUM INTO $1": false, "": false,
	} {
		if got := keepable(query); got != want {
			t.Errorf("%q: %t", query, got)
		}
	}
}
