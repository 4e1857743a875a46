package migrate

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatADumpSays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sql  string
		want []row
	}{
		"names and values": {
			`INSERT INTO tenants (id,name) VALUES ('t1','Acme''s "MSP"');`,
			[]row{{"tenants", []string{"id", "name"}, []any{"t1", `Acme's "MSP"`}, 1}}},
		"several rows, several quotes, comments": {
			"-- a dump\nINSERT OR REPLACE INTO \"main\".[Users] (\"ID\", `email`) VALUES /* two */ (1, 'a'),\n(-2.5, X'00fF') ON CONFLICT DO NOTHING;",
			[]row{{"users", []string{"id", "email"}, []any{int64(1), "a"}, 2}, {"users", []string{"id", "email"}, []any{-2.5, []byte{0, 0xff}}, 3}}},
		"columns of the table": {
			"CREATE TABLE IF NOT EXISTS t (\"a\" TEXT DEFAULT ('x,y'), b INTEGER CHECK (b IN (1,2)), 'c', PRIMARY KEY (a, b), FOREIGN KEY (b) REFERENCES u (x)) STRICT;\nINSERT INTO t VALUES(NULL,+7,TRUE);",
			[]row{{"t", []string{"a", "b", "c"}, []any{nil, int64(7), int64(1)}, 2}}},
		"no columns at all": {
			`INSERT INTO t VALUES(1e3,9223372036854775807,9223372036854775808);`,
			[]row{{"t", nil, []any{1e3, int64(math.MaxInt64), 9223372036854775808.0}, 1}}},
		"calls of SQLite's own dumps": {
			`INSERT INTO t VALUES(replace(replace('a\r\nb','\r',char(13)),'\n',char(10)),unistr('x\u0007\\y\U0001F600'));`,
			[]row{{"t", nil, []any{"a\r\nb", "x\a\\y😀"}, 1}}},
		"what only a database could work out": {
			`INSERT INTO t VALUES('a'||'b',CURRENT_TIMESTAMP,(SELECT max(x),1 FROM u),datetime('now'),0x10,'end');`,
			[]row{{"t", nil, []any{unread{}, unread{}, unread{}, unread{}, unread{}, "end"}, 1}}},
		"a trigger's body is no row": {
			`CREATE TRIGGER x AFTER INSERT ON t WHEN CASE new.a WHEN 1 THEN 1 ELSE 0 END BEGIN INSERT INTO users VALUES (1); SELECT CASE 1 WHEN 1 THEN 2 END; END; INSERT INTO t VALUES (2);`,
			[]row{{"t", nil, []any{int64(2)}, 1}}},
		"other statements": {
			"PRAGMA defer_foreign_keys=TRUE;BEGIN TRANSACTION;DELETE FROM sqlite_sequence;UPDATE t SET a='; INSERT INTO t VALUES (9);';CREATE UNIQUE INDEX i ON t (a);COMMIT;INSERT INTO t VALUES (1)",
			[]row{{"t", nil, []any{int64(1)}, 1}}},
		"default values, a select": {
			"INSERT INTO t DEFAULT VALUES; INSERT INTO t SELECT * FROM u; INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x;", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := readDump([]byte(tt.sql))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, d.rows, cmp.AllowUnexported(row{}, unread{})); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if strings.Contains(name, "select") && len(d.skipped) != 3 {
				t.Errorf("skipped: %v", d.skipped)
			}
		})
	}
}

func TestADumpThatBreaksOffIsRefused(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"INSERT INTO t VALUES ('a", "\n\nINSERT INTO t VALUES (1", "INSERT INTO t (a", "INSERT INTO t (a b) VALUES (1)",
		"CREATE TABLE t (a", "/* x", "INSERT INTO t VALUES (X'0')", "INSERT INTO t VALUES (1;", "INSERT INTO t VALUES (replace('a','b'",
		"INSERT INTO t VALUES (\"a", "INSERT INTO [t", "INSERT INTO t VALUES ((((1);",
		"INSERT INTO t VALUES ('" + strings.Repeat("x", maxLiteral+1) + "')",
		"INSERT INTO t VALUES (" + strings.Repeat("1,", maxColumns+1) + "1)",
	} {
		if d, err := readDump([]byte(sql)); err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%.60s: %v, %v", sql, d, err)
		}
	}
}

// A parser that calls itself for each parenthesis ends the process here.
func TestDepthCostsNothing(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("(", 2_000_000)
	d, err := readDump([]byte("INSERT INTO t VALUES (" + deep + strings.Repeat(")", 2_000_000) + ", replace(replace(replace(replace(replace(replace('a','b','c'),'','',''),'','',''),'','',''),'','',''),'','',''));"))
	if err != nil || len(d.rows) != 1 || d.rows[0].values[0] != (unread{}) || d.rows[0].values[1] != (unread{}) {
		t.Errorf("%v", err)
	}
}

func FuzzReadDump(f *testing.F) {
	for _, s := range []string{
		"INSERT INTO tenants (id,name) VALUES ('1','Acme');", "CREATE TABLE t(a TEXT, b); INSERT INTO t VALUES(replace('a\\nb','\\n',char(10)),X'00');",
		"CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO u VALUES(1); END;", "PRAGMA x; -- y\n/* z */ INSERT OR IGNORE INTO \"a\".\"b\" AS c (d) VALUES (1),(2.5e-3) ON CONFLICT DO NOTHING",
		"INSERT INTO t VALUES(unistr('\\u0001'),-0x1F,1_000,'it''s')",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := readDump(src)
		if err != nil {
			return
		}
		for _, r := range d.rows {
			if len(r.values) == 0 || len(r.values) > maxColumns || len(r.columns) > maxColumns || r.line < 1 {
				t.Fatalf("%+v", r)
			}
		}
	})
}
