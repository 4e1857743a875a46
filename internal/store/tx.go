package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Tx is one running transaction. It serves one goroutine, and nothing after
// the function that it was handed to has returned.
type Tx struct {
	db   *DB
	ctx  context.Context
	sql  statements
	now  time.Time
	open *Rows // not yet closed
	// failed is the first statement that failed. Nothing runs after it, and
	// nothing is committed, whatever fn makes of the error.
	failed error
	over   bool

	last    []lastStep
	known   map[any]bool
	final   func(*Tx) error
	kept    map[any]any
	after   []func()
	notices []string
}

// statements is what runs them: a transaction of a pool, or the connection on
// which one is open.
type statements interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type lastStep struct {
	key any
	fn  func(*Tx) error
}

// Row is what a scan function reads its values from.
type Row interface{ Scan(into ...any) error }

// Now is the time of the transaction: that of its start, in whole milliseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// Context is the context of the transaction, which ends when its time is up.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Engine is that of the store.
func (tx *Tx) Engine() string { return tx.db.engine }

var (
	errOver     = errors.New("store: the transaction is over")
	errOpenRows = errors.New("store: rows of another query are still open")
)

// ready refuses a statement that PostgreSQL could not run now, on SQLite too.
func (tx *Tx) ready() error {
	switch {
	case tx.over:
		return errOver
	case tx.failed != nil:
		return tx.failed
	case tx.open != nil:
		return tx.fail(errOpenRows)
	}
	return nil
}

// fail keeps the first failure, which ends the transaction.
func (tx *Tx) fail(err error) error {
	if err != nil && tx.failed == nil && !errors.Is(err, ErrNone) {
		tx.failed = err
	}
	return err
}

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (affected int64, err error) {
	if err := tx.ready(); err != nil {
		return 0, err
	}
	if args, err = values(args); err != nil {
		return 0, tx.fail(err)
	}
	res, err := tx.sql.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, tx.fail(classify(err))
	}
	n, err := res.RowsAffected()
	return n, tx.fail(classify(err))
}

// Row runs a query of which the first row is wanted. Scan says ErrNone where
// there is none, and closes the query.
func (tx *Tx) Row(query string, args ...any) Row {
	rows, err := tx.Rows(query, args...)
	return &oneRow{rows, err}
}

type oneRow struct {
	rows *Rows
	err  error
}

func (r *oneRow) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	rows := r.rows
	r.err = errors.New("store: scanned twice")
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNone
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	// A statement that changes something has done so only when it is read to
	// its end, and may fail there.
	for rows.Next() {
	}
	return rows.Err()
}

// Rows are the answer to a query. Close them before the next statement.
type Rows struct {
	tx   *Tx
	rows *sql.Rows
}

// Rows runs a query. List is shorter where all rows are wanted.
func (tx *Tx) Rows(query string, args ...any) (*Rows, error) {
	if err := tx.ready(); err != nil {
		return nil, err
	}
	args, err := values(args)
	if err != nil {
		return nil, tx.fail(err)
	}
	rows, err := tx.sql.QueryContext(tx.ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // Rows does both
	if err != nil {
		return nil, tx.fail(classify(err))
	}
	tx.open = &Rows{tx, rows}
	return tx.open, nil
}

// Next moves to the next row, and closes after the last.
func (r *Rows) Next() bool {
	if r.rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan copies the columns of the row.
func (r *Rows) Scan(into ...any) error {
	if err := r.rows.Scan(into...); err != nil {
		return r.tx.fail(&statementError{mistake, err})
	}
	return nil
}

// Err is what ended Next before the last row.
func (r *Rows) Err() error { return r.tx.fail(classify(r.rows.Err())) }

// Close ends the query. It may be called twice.
func (r *Rows) Close() {
	_ = r.rows.Close()
	if r.tx.open == r {
		r.tx.open = nil
	}
	r.tx.fail(classify(r.rows.Err()))
}

// List runs a query and scans every row.
func List[T any](tx *Tx, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Rows(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
