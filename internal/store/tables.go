package store

import (
	"maps"
	"slices"
	"strings"
)

// tables names the tables of the store, those of the engine itself left out.
func tables(tx *Tx) (map[string]bool, error) {
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if tx.db.engine == PostgreSQL {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
	}
	names, err := List(tx, text1, query)
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out, err
}

func text1(r Row) (s string, err error) { return s, r.Scan(&s) }

// table is what both engines must agree on.
type table struct {
	Name    string
	Columns []column
	Unique  []string // "a, b": the columns of each unique key, the primary one included
	Refers  []reference
}

type column struct {
	Name    string
	Type    string // integer, text, bytes, real; anything else as the engine says it
	NotNull bool
}

// reference is a foreign key. Its columns are those of one key each, in order.
type reference struct {
	Columns, Table, Onto, OnDelete string
}

// describe reads the tables, each sorted by what it is compared by.
func describe(tx *Tx) ([]table, error) {
	names, err := tables(tx)
	if err != nil {
		return nil, err
	}
	delete(names, versions)
	read := describeSQLite
	if tx.db.engine == PostgreSQL {
		read = describePostgres
	}
	var out []table
	for _, name := range slices.Sorted(maps.Keys(names)) {
		t, err := read(tx, name)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(t.Columns, func(a, b column) int { return strings.Compare(a.Name, b.Name) })
		slices.Sort(t.Unique)
		slices.SortFunc(t.Refers, func(a, b reference) int {
			return strings.Compare(a.Columns+" "+a.Table, b.Columns+" "+b.Table)
		})
		out = append(out, t)
	}
	return out, nil
}

func describeSQLite(tx *Tx, name string) (table, error) {
	t := table{Name: name}
	var primary []string
	var err error
	t.Columns, err = List(tx, func(r Row) (c column, err error) {
		var pk int
		err = r.Scan(&c.Name, &c.Type, &c.NotNull, &pk)
		c.Type = typeName(c.Type)
		c.NotNull = c.NotNull || pk > 0 // STRICT tables allow no NULL there
		if pk > 0 {
			primary = append(primary, c.Name)
		}
		return c, err
	}, `SELECT name, type, "notnull", pk FROM pragma_table_info($1) ORDER BY pk, cid`, name)
	if err != nil {
		return t, err
	}
	if len(primary) > 0 {
		t.Unique = append(t.Unique, strings.Join(primary, ", "))
	}
	t.Refers, err = List(tx, scanReference,
		`SELECT group_concat("from", ', ' ORDER BY seq), "table", group_concat("to", ', ' ORDER BY seq), on_delete
		FROM pragma_foreign_key_list($1) GROUP BY id, "table", on_delete`, name)
	if err != nil {
		return t, err
	}
	unique, err := List(tx, text1,
		`SELECT group_concat(coalesce(c.name, '?'), ', ' ORDER BY c.seqno) || CASE WHEN l.partial THEN ' WHERE' ELSE '' END
		FROM pragma_index_list($1) l, pragma_index_info(l.name) c WHERE l."unique" AND l.origin <> 'pk' GROUP BY l.name, l.partial`, name)
	t.Unique = append(t.Unique, unique...)
	return t, err
}

func describePostgres(tx *Tx, name string) (table, error) {
	t := table{Name: name}
	var err error
	t.Columns, err = List(tx, func(r Row) (c column, err error) {
		err = r.Scan(&c.Name, &c.Type, &c.NotNull)
		c.Type = typeName(c.Type)
		return c, err
	}, `SELECT column_name, data_type, CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1`, name)
	if err != nil {
		return t, err
	}
	t.Unique, err = List(tx, text1,
		`SELECT (SELECT string_agg(coalesce(a.attname, '?'), ', ' ORDER BY k.n)
			FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, n)
			LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num AND k.num > 0)
			|| CASE WHEN i.indpred IS NULL THEN '' ELSE ' WHERE' END
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace s ON s.oid = c.relnamespace
		WHERE s.nspname = current_schema() AND c.relname = $1 AND i.indisunique`, name)
	if err != nil {
		return t, err
	}
	t.Refers, err = List(tx, scanReference,
		`SELECT (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(num, n)
				JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num),
			o.relname,
			(SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(num, n)
				JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.num),
			CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END
		FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace s ON s.oid = c.relnamespace
			JOIN pg_class o ON o.oid = f.confrelid
		WHERE f.contype = 'f' AND s.nspname = current_schema() AND c.relname = $1`, name)
	return t, err
}

func scanReference(r Row) (f reference, err error) {
	var onto *string // SQLite: NULL for the other table's primary key
	err = r.Scan(&f.Columns, &f.Table, &onto, &f.OnDelete)
	if onto != nil {
		f.Onto = *onto
	}
	return f, err
}

// typeName is the word for a type on either engine.
func typeName(s string) string {
	switch strings.ToLower(s) {
	case "integer", "bigint", "int":
		return "integer"
	case "text":
		return "text"
	case "blob", "bytea":
		return "bytes"
	case "real", "double precision":
		return "real"
	}
	return s
}

// byReference orders tables so that each comes after those it refers to. What
// refers to itself, or to each other, is in the order of names; the constraints
// of a transaction that writes them must be deferrable.
func byReference(all []table) []table {
	var out []table
	done, rest := map[string]bool{}, slices.Clone(all)
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(t table) bool {
			return !slices.ContainsFunc(t.Refers, func(r reference) bool { return r.Table != t.Name && !done[r.Table] })
		})
		i = max(i, 0)
		done[rest[i].Name] = true
		out = append(out, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return out
}
