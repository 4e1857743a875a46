package surfaces

import (
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
)

// rows is everything that is stored but counters, the audit trail and what
// nodes tell each other: each row as one line, by table. of is a tenant, or "" for
// all.
func (w *world) rows(t testing.TB, of string) map[string][]string {
	t.Helper()
	out, engine := map[string][]string{}, w.host.DB.Engine()
	err := w.host.DB.Read(t.Context(), func(tx *store.Tx) error {
		tables, err := store.List(tx, text, tablesOf(engine))
		if err != nil {
			return err
		}
		for _, table := range tables {
			if strings.HasPrefix(table, "audit_") || strings.HasPrefix(table, "usage_") || strings.HasPrefix(table, "change") || table == "meta" || strings.Contains(table, "version") || strings.Contains(table, "migration") {
				continue
			}
			columns, err := store.List(tx, text, columnsOf(engine), table)
			if err != nil {
				return err
			}
			query, args := lineOf(table, columns), []any(nil)
			if of != "" {
				if !slices.Contains(columns, "tenant_id") {
					continue
				}
				query, args = query+` WHERE tenant_id = $1`, []any{of}
			}
			lines, err := store.List(tx, text, query, args...)
			if err != nil {
				return err
			}
			slices.Sort(lines)
			out[table] = lines
		}
		return nil
	})
	if err != nil || len(out) < 8 {
		t.Fatal(err, out)
	}
	return out
}

func text(r store.Row) (s string, err error) { return s, r.Scan(&s) }

func tablesOf(engine string) string {
	if engine == store.PostgreSQL {
		return `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
	}
	return `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
}

func columnsOf(engine string) string {
	if engine == store.PostgreSQL {
		return `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`
	}
	return `SELECT name FROM pragma_table_info($1) ORDER BY cid`
}

// lineOf selects each row as one text. How often something was used is not of
// the row: it is counted whenever the counters are written.
func lineOf(table string, columns []string) string {
	var parts []string
	for _, c := range columns {
		if c != "uses" && c != "last_used_at" {
			parts = append(parts, `COALESCE(CAST(`+c+` AS TEXT), '-')`)
		}
	}
	return `SELECT ` + strings.Join(parts, ` || '|' || `) + ` FROM ` + table
}
