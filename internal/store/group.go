package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"
)

// What one COMMIT takes along. A transaction is told of its commit when the last
// of its batch is through, so that neither bound may be long; a wait for the disk
// is some milliseconds.
const (
	mostTogether    = 64
	longestTogether = 20 * time.Millisecond
)

// group runs the writing transactions of one process on one SQLite file, one
// after the other. Those that have queued up meanwhile share one BEGIN and one
// COMMIT, each in a savepoint of its own: a COMMIT waits for the disk, and that
// wait is most of what a short transaction takes.
//
// Each function runs on its caller's goroutine, which has the turn meanwhile and
// passes it on: a panic goes where it belongs. Whoever finds nobody to pass it
// to, or the batch full, commits for all.
//
// A transaction sees what those before it in the batch did. So nothing that it
// found is told to anybody before that is durable, its own failure included: "the
// name is taken" may be said only when the row that takes it stays.
type group struct {
	db      *DB
	longest time.Duration // of work, longestTogether but in tests
	turns   turns
	open    *batch // of whoever has the turn
}

// batch is an open transaction of the database.
type batch struct {
	conn    *sql.Conn
	began   time.Time
	members []chan<- end // who wait for how it ends, in order
}

// end is how a batch ended for a member.
type end struct {
	lost bool // it was rolled back through no fault of the member
	err  error
}

// once runs the transaction one time, like DB.once.
func (g *group) once(ctx context.Context, fn func(*Tx) error) (*Tx, error) {
	if err := g.turns.wait(ctx); err != nil {
		return nil, classify(err)
	}
	tx, ended, err := g.turn(ctx, fn)
	if ended == nil {
		return tx, err
	}
	// However long the caller wants to wait: what is in the batch is committed
	// with it, and who goes away knows neither.
	patience := time.NewTimer(g.db.bound)
	defer patience.Stop()
	select {
	case e := <-ended:
		switch {
		case e.lost: // alone, so that whatever befell the batch befalls no other again
			return g.db.once(ctx, g.db.write, nil, fn)
		case e.err != nil:
			return tx, e.err
		}
		return tx, err
	case <-patience.C:
		return tx, unavailable(errors.New("store: a commit takes too long"))
	}
}

// turn runs fn and passes the turn on, also when fn panics or ends its goroutine.
// Where there is an end to wait for, err counts when that end is a commit.
func (g *group) turn(ctx context.Context, fn func(*Tx) error) (tx *Tx, ended <-chan end, err error) {
	defer g.pass()
	if err := ctx.Err(); err != nil {
		return nil, nil, classify(err)
	}
	if err := g.db.there(true); err != nil {
		return nil, nil, err
	}
	first := g.open == nil
	if first {
		err = g.begin(ctx)
	} else if !g.exec(`SAVEPOINT member`) {
		return nil, apart(), nil
	}
	if err != nil {
		return nil, nil, err
	}
	done := false
	defer func() {
		if !done {
			g.undo(first)
		}
	}()
	tx = &Tx{db: g.db, ctx: ctx, sql: g.open.conn, now: g.db.now().Truncate(time.Millisecond)}
	if err = tx.do(fn); err == nil {
		err = classify(ctx.Err()) // nothing is kept for a caller that is gone
	}
	if err != nil && (first || ctx.Err() != nil) {
		return tx, nil, err
	}
	done = true
	switch {
	case err != nil && !g.undo(first):
		return tx, nil, err
	case err == nil && !first && !g.exec(`RELEASE member`):
		return tx, apart(), nil
	}
	told := make(chan end, 1)
	g.open.members = append(g.open.members, told)
	return tx, told, err
}

// apart is the end of a member whose batch was gone before it could join.
func apart() <-chan end {
	told := make(chan end, 1)
	told <- end{lost: true}
	return told
}

// begin opens a batch.
func (g *group) begin(ctx context.Context) error {
	conn, err := g.db.write.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	// The wait for another process ends with ctx, which may be when it was just over.
	if err := whileBusy(ctx, func() error {
		_, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`)
		return err
	}); err != nil {
		drop(conn)
		return classify(err)
	}
	g.open = &batch{conn: conn, began: time.Now()}
	return nil
}

// exec runs what belongs to the batch and so ends with no member's context. Where
// it fails the batch is lost.
func (g *group) exec(query string) bool {
	_, err := g.open.conn.ExecContext(context.Background(), query)
	if err != nil {
		g.end(end{lost: true})
	}
	return err == nil
}

// undo takes back what a member did, and reports whether the batch goes on. Some
// failures (a full disk, an interrupted statement) make SQLite end the whole
// transaction; then there is no savepoint to go back to.
func (g *group) undo(first bool) (goesOn bool) {
	if !first {
		return g.exec(`ROLLBACK TO member`) && g.exec(`RELEASE member`)
	}
	if g.exec(`ROLLBACK`) {
		g.end(end{})
	}
	return false
}

// pass gives the turn away. The batch stays open for the next where there is one
// and room for it, and ends here where not.
func (g *group) pass() {
	for g.open != nil {
		if len(g.open.members) < mostTogether && time.Since(g.open.began) < g.longest && g.turns.pass(false) {
			return
		}
		g.commit()
	}
	g.turns.pass(true)
}

// commit ends the batch for all of it, whatever became of the caller who has the
// turn.
func (g *group) commit() {
	err := g.db.there(true)
	if err == nil {
		_, err = g.open.conn.ExecContext(context.Background(), `COMMIT`)
		err = classify(err)
	}
	// What one of them did (a deferred constraint) is no answer for the others.
	var s *statementError
	g.end(end{lost: len(g.open.members) > 1 && errors.As(err, &s), err: err})
}

// end tells the members how the batch ended.
func (g *group) end(how end) {
	b := g.open
	g.open = nil
	if how.lost || how.err != nil {
		drop(b.conn)
	} else {
		_ = b.conn.Close()
	}
	for _, m := range b.members {
		m <- how
	}
}

// drop closes a connection whose state is not known, instead of returning it to
// its pool. SQLite rolls back what is open on it.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}
