package store

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portreeve/portreeve/internal/fault"
)

// ErrNone is what Scan returns when there is no such row.
var ErrNone = errors.New("no such row")

// class sorts what a driver says.
type class uint8

const (
	mistake class = iota // ours: bad SQL, a broken constraint, a value of the wrong type
	taken                // a unique key
	again                // lost against another transaction: the whole one runs again
	away                 // the database, or the way to it
)

// statementError is a statement that failed.
type statementError struct {
	class class
	err   error
}

func (e *statementError) Error() string { return "store: " + e.err.Error() }
func (e *statementError) Unwrap() error { return e.err }

// Taken reports whether err is that of a row whose unique key is in use.
func Taken(err error) bool {
	var s *statementError
	return errors.As(err, &s) && s.class == taken
}

// Unavailable is the fault of a store that cannot be asked.
func unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, "store_unavailable", "The store is not available right now", err)
}

// classify turns what a driver returned from running a statement into what
// leaves this package. Everything that is not an answer of the database about
// the statement is a matter of the connection.
func classify(err error) error {
	var (
		pg   *pgconn.PgError
		lite *sqlite.Error
	)
	c := away
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return ErrNone
	case errors.As(err, &pg):
		c = classOfState(pg.Code)
	case errors.As(err, &lite):
		c = classOfCode(lite.Code())
	}
	if c == away {
		return unavailable(err)
	}
	return &statementError{c, err}
}

// classOfState sorts by SQLSTATE (PostgreSQL documentation, appendix A).
func classOfState(state string) class {
	switch state {
	case "23505":
		return taken
	case "40001", "40P01": // serialization failure, deadlock
		return again
	case "0A000": // "cached plan must not change result type", after a migration by another node
		return again
	case "55P03", // lock not available in time
		"25006", // read-only: the server has become a standby
		"25P03", // idle in transaction for too long
		"3D000", // no such database
		"42501": // rights were taken away
		return away
	}
	if len(state) == 5 {
		switch state[:2] {
		case "08", "28", "53", "57", "58", "XX": // connection, login, resources, operator, system, corruption
			return away
		}
	}
	return mistake
}

// classOfCode sorts by SQLite's result codes (sqlite.org/rescode.html).
func classOfCode(code int) class {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return taken
	case sqlite3.SQLITE_BUSY_SNAPSHOT:
		return again
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS:
		return away
	}
	return mistake
}

// busy reports whether another process has SQLite's lock.
func busy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY && classOfCode(lite.Code()) == away
}

// lost reports whether the whole transaction is to run again.
func lost(err error) bool {
	var s *statementError
	return errors.As(err, &s) && s.class == again
}
