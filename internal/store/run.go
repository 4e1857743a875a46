package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"
)

// attempts is how often a transaction that loses against others is tried.
const attempts = 10

// Tx runs fn in a transaction that is committed when fn returns nil, and
// rolled back when it returns an error or panics. What fn returns is returned
// as it is. fn may run again, after a deadlock or where others broke the
// transaction that it shared: it must have no effect but through tx, and tx.After.
func (db *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	if db.group != nil {
		return db.run(ctx, func(ctx context.Context) (*Tx, error) { return db.group.once(ctx, fn) })
	}
	return db.run(ctx, func(ctx context.Context) (*Tx, error) { return db.once(ctx, db.write, db.options(false), fn) })
}

// Read runs fn on one snapshot of the store, in which it cannot write.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, func(ctx context.Context) (*Tx, error) { return db.once(ctx, db.read, db.options(true), fn) })
}

func (db *DB) run(ctx context.Context, once func(context.Context) (*Tx, error)) error {
	if db.bound > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, db.bound)
		defer cancel()
	}
	for n := 1; ; n++ {
		tx, err := once(ctx)
		switch {
		case err == nil && db.rehearse:
			return nil
		case err == nil:
			for _, channel := range tx.notices {
				db.signals.send(channel)
			}
			for _, f := range tx.after {
				f()
			}
			return nil
		case !(lost(err) || tx != nil && lost(tx.failed)):
			return err
		case n == attempts || !pause(ctx, n):
			return unavailable(err)
		}
	}
}

// pause waits a little, longer each time and never in step with others.
func pause(ctx context.Context, n int) bool {
	t := time.NewTimer(time.Duration(n) * time.Duration(1+rand.Int64N(int64(10*time.Millisecond)))) //nolint:gosec // spreads retries
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// once runs the transaction one time. tx is nil when it could not begin.
func (db *DB) once(ctx context.Context, pool *sql.DB, o *sql.TxOptions, fn func(*Tx) error) (*Tx, error) {
	if err := db.there(o == nil); err != nil {
		return nil, err
	}
	began, err := begin(ctx, pool, o)
	if err != nil {
		return nil, classify(err)
	}
	tx := &Tx{db: db, ctx: ctx, sql: began, now: db.now().Truncate(time.Millisecond)}
	committed := false
	defer func() { // also when fn panics or ends its goroutine
		if !committed {
			_ = began.Rollback()
		}
	}()
	if err := tx.do(fn); err != nil || db.rehearse {
		return tx, err
	}
	committed = true // or broken: there is nothing left to roll back
	return tx, classify(began.Commit())
}

// begin starts a transaction.
func begin(ctx context.Context, pool *sql.DB, o *sql.TxOptions) (tx *sql.Tx, err error) {
	err = whileBusy(ctx, func() (err error) {
		tx, err = pool.BeginTx(ctx, o)
		return err
	})
	return tx, err
}

// whileBusy begins what on SQLite waits for another process. The driver sleeps
// until its busy_timeout is over, whoever has hung up meanwhile: those who write are
// given short ones, and ask again as long as the context lasts: a transaction's bound,
// or sqliteBusy where it has none.
func whileBusy(ctx context.Context, begin func() error) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sqliteBusy)
		defer cancel()
	}
	for {
		if err := begin(); err == nil || !busy(err) || !pause(ctx, 1) {
			return err
		}
	}
}

// do runs fn and the last steps, and says what stands against a commit. Nothing
// runs on tx after it, whatever fn does.
func (tx *Tx) do(fn func(*Tx) error) error {
	defer func() { // also when fn panics or ends its goroutine
		tx.over = true
		if tx.open != nil {
			tx.open.Close()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.finish(); err != nil {
		return err
	}
	if tx.failed != nil { // and fn did not say so
		return tx.failed
	}
	if tx.open != nil {
		return errOpenRows
	}
	return nil
}
