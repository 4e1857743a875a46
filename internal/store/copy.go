package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Copied is a table that was copied, or read.
type Copied struct {
	Table  string
	Rows   int64
	Digest string // of all its rows, in whatever order
}

// perInsert is about how many parameters one INSERT of a copy has.
const perInsert = 2000

// Copy copies every table of one snapshot of from into to, which must be at the
// same migration and never have been used, and reads back what it wrote: row
// counts and digests must be equal, or nothing is kept. Both may go on serving.
func Copy(ctx context.Context, from, to *DB) ([]Copied, error) {
	from, closeFrom := from.unhurriedDB()
	defer closeFrom()
	to, closeTo := to.unhurriedDB()
	defer closeTo()
	if err := sameVersion(ctx, from, to); err != nil {
		return nil, err
	}
	var out []Copied
	err := to.Tx(ctx, func(dst *Tx) error {
		return from.Read(ctx, func(src *Tx) (err error) {
			out, err = copyAll(src, dst)
			return err
		})
	})
	return out, err
}

func sameVersion(ctx context.Context, from, to *DB) error {
	a, err := from.Status(ctx)
	if err != nil {
		return err
	}
	b, err := to.Status(ctx)
	if err != nil {
		return err
	}
	if a.Version != b.Version || len(a.Pending)+len(b.Pending) > 0 {
		return fmt.Errorf("store: one store is at migration %d and the other at %d: migrate both first", a.Version, b.Version)
	}
	return nil
}

func copyAll(src, dst *Tx) ([]Copied, error) {
	all, err := describe(src)
	if err != nil {
		return nil, err
	}
	if err := empty(dst, all); err != nil {
		return nil, err
	}
	later := `PRAGMA defer_foreign_keys = 1`
	if dst.db.engine == PostgreSQL {
		later = `SET CONSTRAINTS ALL DEFERRED`
	}
	if _, err := dst.Exec(later); err != nil {
		return nil, err
	}
	var out []Copied
	for _, t := range byReference(all) {
		sent, err := t.send(src, dst)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", t.Name, err)
		}
		got, err := t.digest(dst)
		if err != nil {
			return nil, fmt.Errorf("read %s back: %w", t.Name, err)
		}
		if got != sent {
			return nil, fmt.Errorf("store: copy %s: %d rows (%v) were sent and %d (%v) arrived", t.Name, sent.rows, &sent, got.rows, &got)
		}
		out = append(out, Copied{t.Name, sent.rows, sent.String()})
	}
	return out, nil
}

// empty refuses a target that has been used, and removes the one row that a
// fresh store has.
func empty(dst *Tx, all []table) error {
	for _, t := range all {
		query := `SELECT count(*) FROM ` + quote(t.Name)
		if t.Name == "change_counter" {
			query += ` WHERE seq <> 0`
		}
		var n int64
		if err := dst.Row(query).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("store: the target has been used: its table %s is not empty", t.Name)
		}
	}
	_, err := dst.Exec(`DELETE FROM change_counter`)
	return err
}

// send copies the rows of one table, several per statement.
func (t table) send(src, dst *Tx) (digest, error) {
	var (
		d     digest
		batch [][]any
	)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		query, args := t.insert(dst, batch)
		batch = batch[:0]
		_, err := dst.Exec(query, args...)
		return err
	}
	err := t.each(src, func(row []any) error {
		batch = append(batch, slices.Clone(row))
		if len(batch)*len(row) >= perInsert {
			if err := flush(); err != nil {
				return err
			}
		}
		return d.add(row)
	})
	return d, errors.Join(err, flush())
}

func (t table) digest(tx *Tx) (d digest, err error) {
	return d, t.each(tx, func(row []any) error { return d.add(row) })
}

// each reads every row, the columns by name.
func (t table) each(tx *Tx, fn func([]any) error) error {
	rows, err := tx.Rows(`SELECT ` + t.columns() + ` FROM ` + quote(t.Name))
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]any, len(t.Columns))
	into := make([]any, len(row))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok && b == nil {
				row[i] = []byte{} // no bytes are not no value
			}
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t table) insert(dst *Tx, rows [][]any) (string, []any) {
	args := make([]any, 0, len(rows)*len(t.Columns))
	for _, row := range rows {
		args = append(args, row...)
	}
	return `INSERT INTO ` + quote(t.Name) + ` (` + t.columns() + `) VALUES ` + dst.Places(len(rows), len(t.Columns)), args
}

func (t table) columns() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quote(c.Name)
	}
	return strings.Join(names, ", ")
}

// quote makes an identifier of a name that came from the engine's own catalogue.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// unhurriedDB is the same store for work that takes as long as it takes.
func (db *DB) unhurriedDB() (*DB, func()) {
	slow := &DB{engine: db.engine, file: db.file, conn: db.conn, write: db.write, read: db.read, now: db.now, log: db.log}
	if db.engine == SQLite {
		return slow, func() {}
	}
	slow.write = db.unhurried()
	slow.read = slow.write
	return slow, func() { _ = slow.write.Close() }
}
