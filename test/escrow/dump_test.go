package escrow

import (
	"encoding/hex"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
)

// dump is everything that is stored: every column of every table, as bytes.
func (w *world) dump(t testing.TB) (out []byte) {
	t.Helper()
	engine := w.host.DB.Engine()
	tables := `SELECT name FROM sqlite_schema WHERE type = 'table'`
	columns := `SELECT name FROM pragma_table_info($1)`
	cell := func(c string) string { return `COALESCE(hex(CAST("` + c + `" AS BLOB)), '')` }
	if engine == store.PostgreSQL {
		tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
		columns = `SELECT column_name || CASE WHEN data_type = 'bytea' THEN '' ELSE '::text' END FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1`
		cell = func(c string) string {
			if name, is := cutText(c); is {
				return `COALESCE(encode(convert_to("` + name + `"::text, 'UTF8'), 'hex'), '')`
			}
			return `COALESCE(encode("` + c + `", 'hex'), '')`
		}
	}
	cells, names := 0, 0
	err := w.host.DB.Read(t.Context(), func(tx *store.Tx) error {
		list, err := store.List(tx, text, tables)
		if err != nil {
			return err
		}
		for _, table := range list {
			all, err := store.List(tx, text, columns, table)
			if err != nil {
				return err
			}
			for _, c := range all {
				values, err := store.List(tx, text, `SELECT `+cell(c)+` FROM "`+table+`"`)
				if err != nil {
					return err
				}
				names++
				for _, v := range values {
					b, err := hex.DecodeString(v)
					if err != nil {
						return err
					}
					cells++
					out = append(append(out, b...), '\n')
				}
			}
		}
		return nil
	})
	if err != nil || cells < 200 || names < 150 {
		t.Fatalf("%d values of %d columns: %v", cells, names, err)
	}
	return out
}

func text(r store.Row) (s string, err error) { return s, r.Scan(&s) }

func cutText(c string) (string, bool) {
	const mark = "::text"
	if len(c) > len(mark) && c[len(c)-len(mark):] == mark {
		return c[:len(c)-len(mark)], true
	}
	return c, false
}
