package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// columns asks the store itself, so that a column that is added later is
// tampered with too.
func columns(t *testing.T, db *store.DB, table string) (names []string) {
	t.Helper()
	query := `SELECT name FROM pragma_table_info('` + table + `')`
	if db.Engine() == store.PostgreSQL {
		query = `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '` + table + `'`
	}
	if err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		names, err = store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) }, query)
		return err
	}); err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	return names
}

// changes are other values for a value.
func changes(v any) []any {
	switch v := v.(type) {
	case int64:
		return []any{v + 1, v - 1, v + 1000}
	case string:
		out := []any{v + "x", strings.ToUpper(v) + " "}
		if v != "" {
			out = append(out, v[1:], "")
		}
		return out
	case []byte:
		out := []any{append(bytes.Clone(v), 0)}
		if len(v) > 0 {
			flipped := bytes.Clone(v)
			flipped[len(v)/2] ^= 1
			out = append(out, flipped, v[1:], []byte{})
		}
		return out
	}
	return nil
}

func TestEveryChangeOfOneColumnIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := logs(t, db)
		chain(t, db, l, "acme", 4)
		chain(t, db, l, "globex", 2)
		mustVerify(t, l, 6)
		tried := 0
		for table, where := range map[string][]string{
			"audit_events": {"tenant_id = 'acme' AND n = 1", "tenant_id = 'acme' AND n = 2", "tenant_id = 'acme' AND n = 4"},
			"audit_people": {"tenant_id = 'acme' AND n = 2 AND part = 'actor'", "tenant_id = 'acme' AND n = 2 AND part = 'target'"},
			"audit_heads":  {"tenant_id = 'acme'"},
			"audit_keys":   {"key_id = 'test'"},
		} {
			for _, column := range columns(t, db, table) {
				for _, row := range where {
					tried += tamper(t, db, l, table, column, row)
				}
			}
		}
		if tried < 200 {
			t.Errorf("only %d changes were tried", tried)
		}
		mustVerify(t, l, 6)
	})
}

// tamper changes one column of one row in every way, verifies, and changes it back.
func tamper(t *testing.T, db *store.DB, l *audit.Log, table, column, where string) (tried int) {
	t.Helper()
	var was any
	if err := db.Read(context.Background(), func(tx *store.Tx) error {
		return tx.Row(`SELECT ` + column + ` FROM ` + table + ` WHERE ` + where).Scan(&was)
	}); err != nil {
		t.Fatal(err)
	}
	options := changes(was)
	if len(options) == 0 {
		t.Fatalf("%s.%s is a %T", table, column, was)
	}
	for _, to := range options {
		after := moved(where, column, was, to)
		err := db.Tx(context.Background(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE `+table+` SET `+column+` = $1 WHERE `+where, to)
			return err
		})
		if store.Taken(err) {
			continue // the key is another row's
		}
		if err != nil {
			t.Fatal(err)
		}
		if r := verify(t, l, everything(), ""); r.OK() {
			t.Errorf("%s.%s of %s from %v to %v: nobody notices", table, column, where, was, to)
		}
		exec(t, db, `UPDATE `+table+` SET `+column+` = $1 WHERE `+after, was)
		tried++
	}
	return tried
}

// moved is where a row is found when a column of its key was changed.
func moved(where, column string, was, to any) string {
	quote := func(v any) string {
		if s, ok := v.(string); ok {
			return "'" + s + "'"
		}
		return fmt.Sprint(v)
	}
	return strings.Replace(where, column+" = "+quote(was), column+" = "+quote(to), 1)
}

func TestRemovedAddedAndMovedRowsAreFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, c := range map[string]struct {
			queries []string
			says    string
		}{
			"the first removed":             {[]string{`DELETE FROM audit_events WHERE tenant_id = 'acme' AND n = 1`}, "acme/1 the row is missing"},
			"one in the middle removed":     {[]string{`DELETE FROM audit_events WHERE tenant_id = 'acme' AND n = 3`}, "acme/3 the row is missing"},
			"three in the middle":           {[]string{`DELETE FROM audit_events WHERE tenant_id = 'acme' AND n IN (2, 3, 4)`}, "acme/2 the rows up to 4 are missing"},
			"the last removed":              {[]string{`DELETE FROM audit_events WHERE tenant_id = 'acme' AND n = 6`}, "acme/6 the rows up to 6 are missing at the end"},
			"removed and the rest moved up": {[]string{`DELETE FROM audit_events WHERE tenant_id = 'acme' AND n = 5`, `UPDATE audit_events SET n = 5 WHERE tenant_id = 'acme' AND n = 6`, `UPDATE audit_heads SET n = 5 WHERE tenant_id = 'acme'`}, "acme/5 the row was changed"},
			"two exchanged": {[]string{`UPDATE audit_events SET n = 99 WHERE tenant_id = 'acme' AND n = 2`, `UPDATE audit_events SET n = 2 WHERE tenant_id = 'acme' AND n = 3`,
				`UPDATE audit_events SET n = 3 WHERE tenant_id = 'acme' AND n = 99`}, "acme/2 the row was changed"},
			"moved to another tenant":            {[]string{`UPDATE audit_events SET tenant_id = 'globex', n = 3 WHERE tenant_id = 'acme' AND n = 6`}, "globex/3 the row was changed"},
			"one added at the end":               {[]string{copied(7)}, "acme/7 the row was changed"},
			"one added at the end, head and all": {[]string{copied(7), `UPDATE audit_heads SET n = 7 WHERE tenant_id = 'acme'`}, "acme/7 the row was changed"},
			"the head removed":                   {[]string{`DELETE FROM audit_heads WHERE tenant_id = 'acme'`}, "the head of the chain is missing"},
			"a chain of somebody's own":          {[]string{`UPDATE audit_events SET tenant_id = 'zeta', n = n - 5 WHERE tenant_id = 'acme' AND n = 6`}, "zeta/1 the row was changed"},
			"a person removed":                   {[]string{`DELETE FROM audit_people WHERE tenant_id = 'acme' AND n = 2 AND part = 'actor'`}, "of 1 persons was removed"},
			"a person added":                     {[]string{`INSERT INTO audit_people (tenant_id, n, part, salt, email, email_folded, ip) SELECT tenant_id, 77, part, salt, email, email_folded, ip FROM audit_people WHERE tenant_id = 'acme' AND n = 1`}, "belongs to no row"},
			"a person for a tenant without rows": {[]string{`UPDATE audit_people SET tenant_id = 'zeta' WHERE tenant_id = 'acme' AND n = 1`}, "belongs to no row"},
			"actor and target exchanged": {[]string{`UPDATE audit_people SET part = 'x' WHERE tenant_id = 'acme' AND n = 1 AND part = 'actor'`, `UPDATE audit_people SET part = 'actor' WHERE tenant_id = 'acme' AND n = 1 AND part = 'target'`,
				`UPDATE audit_people SET part = 'target' WHERE tenant_id = 'acme' AND n = 1 AND part = 'x'`}, "of the person (actor) was changed"},
		} {
			t.Run(name, func(t *testing.T) {
				l := logs(t, db)
				for _, table := range []string{"audit_events", "audit_people", "audit_heads"} {
					exec(t, db, `DELETE FROM `+table)
				}
				chain(t, db, l, "acme", 6)
				chain(t, db, l, "globex", 2)
				mustVerify(t, l, 8)
				for _, q := range c.queries {
					exec(t, db, q)
				}
				r := verify(t, l, everything(), "")
				if got := problems(r); r.OK() || !strings.Contains(got, c.says) {
					t.Errorf("want %q in:\n%s", c.says, got)
				}
			})
		}
	})
}

// copied adds a copy of row 6 of acme under another number.
func copied(n int) string {
	return fmt.Sprintf(`INSERT INTO audit_events SELECT tenant_id, %d, id, at, action, target, result, decision, request, actor_kind, actor_provider, actor_issuer,
		actor_id, actor_user, detail, actor_mark, target_mark, key_id, hash FROM audit_events WHERE tenant_id = 'acme' AND n = 6`, n)
}

func TestAReportIsBounded(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := logs(t, db)
	var events []audit.Event
	for range 500 {
		events = append(events, full("acme"))
	}
	add(t, db, l, events...)
	exec(t, db, `UPDATE audit_events SET action = 'x' WHERE n > 1`)
	r := verify(t, l, everything(), "")
	if len(r.Problems) != 100 || r.More != 399 {
		t.Errorf("%d problems and %d more", len(r.Problems), r.More)
	}
}
