package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres makes one pool. The server ends what the client forgot: a
// statement after 8 s, a wait for a lock after 5 s, an idle transaction after
// 15 s. The client does not trust the server to: every transaction has bound.
func (db *DB) openPostgres(address string) error {
	if unescaped(address) { // or a part of it would pass for a host or a database, and stand in every error
		return errors.New("store: the user or password in the address holds one of @ / ? #, which are written %40 %2F %3F %23 there")
	}
	conf, err := pgx.ParseConfig(address)
	if err != nil {
		return fmt.Errorf("store: %w", err) // pgx leaves the password out
	}
	conf.ConnectTimeout = 3 * time.Second
	conf.DialFunc = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
	for name, value := range map[string]string{
		"application_name":                    "portreeve",
		"statement_timeout":                   "8s",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "15s",
	} {
		if _, set := conf.RuntimeParams[name]; !set {
			conf.RuntimeParams[name] = value
		}
	}
	db.engine, db.conn = PostgreSQL, conf
	db.write = stdlib.OpenDB(*conf)
	db.write.SetMaxOpenConns(16)
	db.write.SetMaxIdleConns(8)
	db.write.SetConnMaxIdleTime(5 * time.Minute)
	db.write.SetConnMaxLifetime(time.Hour) // so that connections come back to a server that was away
	db.read = db.write
	db.closed = db.write.Close
	return nil
}

// unescaped reports whether the end of the user and password of an address is not
// where it looks to be: something that is no port stands between the first colon
// and an @ that is not the first.
func unescaped(address string) bool {
	_, rest, _ := strings.Cut(address, "://")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 || !strings.ContainsAny(rest[:at], "@/?#") {
		return false
	}
	_, behind, colon := strings.Cut(rest[:at], ":")
	if i := strings.IndexAny(behind, "@/?#,"); i >= 0 && colon && !strings.HasPrefix(rest, "[") {
		if behind[i] == '@' { // a user and a password, it seems: behind them an @ stands in a query alone
			before, _, query := strings.Cut(behind[i+1:], "?")
			return !query || strings.Contains(before, "@")
		}
		return strings.Trim(behind[:i], "0123456789") != ""
	}
	return false
}

// options are those of a transaction of this engine. SQLite knows no isolation
// levels: a deferred transaction is a snapshot from its first statement on.
func (db *DB) options(readOnly bool) *sql.TxOptions {
	switch {
	case !readOnly:
		return nil
	case db.engine == SQLite:
		return &sql.TxOptions{ReadOnly: true}
	}
	return &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
}

// unhurried is a pool for what may take longer than a request: migrations and
// copies.
// Waits for locks stay bounded, so that a forgotten session elsewhere is an
// error that one can read, not a start that hangs.
func (db *DB) unhurried() *sql.DB {
	conf := db.conn.Copy()
	conf.RuntimeParams["statement_timeout"] = "0"
	conf.RuntimeParams["idle_in_transaction_session_timeout"] = "0" // a copy waits for the other side
	return stdlib.OpenDB(*conf)
}
