package store

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// Statements that a connection to SQLite keeps prepared: parsing one takes longer
// than running it, where it finds one row. Those that are longer than longestKept
// are many and rarely said twice.
const (
	mostKept    = 128
	longestKept = 8 << 10
)

// sqliteConnector makes connections that keep their statements.
type sqliteConnector struct{ driver.Connector }

// openKeeping is a pool of such connections.
func openKeeping(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(sqliteConnector{c}), nil
}

// Connect opens a connection.
func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("store: the driver of SQLite does less than it did"), conn.Close())
	}
	return &keepingConn{sqliteConn: full, kept: map[string]*list.Element{}}, nil
}

// sqliteConn is what the driver's connections are to database/sql.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is a connection that prepares what it is asked by its text once.
// SQLite prepares a statement anew by itself when the tables have changed, by
// whomever. database/sql asks a connection one thing at a time.
type keepingConn struct {
	sqliteConn
	kept  map[string]*list.Element
	order list.List // of *keptStmt, the last one used in front
}

type keptStmt struct {
	query string
	stmt  interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	busy bool // its rows are being read
}

// ExecContext runs a statement.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.keep(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	res, err := s.stmt.ExecContext(ctx, args)
	if err != nil {
		c.forget(s)
	}
	return res, err
}

// QueryContext runs a query.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.keep(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.stmt.QueryContext(ctx, args)
	if err != nil {
		c.forget(s)
		return nil, err
	}
	s.busy = true
	return &keptRows{Rows: rows, conn: c, stmt: s}, nil
}

// keep is the prepared statement of the text; nil for one that is not kept, or
// that is in use.
func (c *keepingConn) keep(ctx context.Context, query string) (*keptStmt, error) {
	if e, ok := c.kept[query]; ok {
		c.order.MoveToFront(e)
		s := e.Value.(*keptStmt) //nolint:forcetypeassert // nothing else is in there
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if !keepable(query) {
		return nil, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &keptStmt{query: query}
	var ok bool
	if s.stmt, ok = stmt.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}); !ok {
		return nil, errors.Join(driver.ErrSkip, stmt.Close())
	}
	for e := c.order.Back(); e != nil && c.order.Len() >= mostKept; e = c.order.Back() {
		old := e.Value.(*keptStmt) //nolint:forcetypeassert // see above
		if old.busy {
			break
		}
		c.forget(old)
	}
	c.kept[query] = c.order.PushFront(s)
	return s, nil
}

// forget closes a statement: one that failed too, whose state is not worth a
// thought.
func (c *keepingConn) forget(s *keptStmt) {
	if e, ok := c.kept[s.query]; ok && e.Value == s {
		c.order.Remove(e)
		delete(c.kept, s.query)
		_ = s.stmt.Close()
	}
}

// Close closes the statements, then the connection.
func (c *keepingConn) Close() error {
	for _, e := range c.kept {
		c.forget(e.Value.(*keptStmt)) //nolint:forcetypeassert // see above
	}
	return c.sqliteConn.Close()
}

// keepable reports whether a text is one statement that may run again and again.
// A PRAGMA may do what it does when it is prepared.
func keepable(query string) bool {
	if len(query) > longestKept || strings.IndexByte(query, ';') >= 0 {
		return false
	}
	verb := query
	if i := strings.IndexAny(query, " \t\n"); i >= 0 {
		verb = query[:i]
	}
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return true
	}
	return false
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	conn   *keepingConn
	stmt   *keptStmt
	broken bool
	closed bool
}

// Next reads a row.
func (r *keptRows) Next(into []driver.Value) error {
	err := r.Rows.Next(into)
	r.broken = r.broken || err != nil && err != io.EOF //nolint:errorlint // drivers return it as it is
	return err
}

// Close ends the reading.
func (r *keptRows) Close() error {
	if r.closed { // the statement may be another's by now
		return nil
	}
	err := r.Rows.Close()
	r.closed, r.stmt.busy = true, false
	if err != nil || r.broken {
		r.conn.forget(r.stmt)
	}
	return err
}
