package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteBusy is how long a statement waits for another process' lock, and a transaction
// whose context has no end. sqliteTry is how long the driver does at a time, which hears
// of no context while it waits.
const (
	sqliteBusy = 5 * time.Second
	sqliteTry  = 50 * time.Millisecond
)

// openSQLite makes the file, readable by its owner alone, and two pools on it:
// one connection that writes, so that this process' writers queue in Go, where
// they honour their contexts and share commits, and some that cannot write.
func (db *DB) openSQLite(ctx context.Context, path string, unsafe bool) error {
	path = strings.TrimPrefix(path, "//")
	if path == "" {
		return errors.New("store: sqlite: names no file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := ownFile(path); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	db.opened, db.born = fi, time.Now()
	db.seen.Store(-int64(time.Second))
	if fi.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		db.log.WarnContext(ctx, "the store's file may be read by others than its owner", "file", path, "mode", fi.Mode().Perm().String())
	}
	db.engine, db.file = SQLite, path
	sync := "synchronous(FULL)"
	if unsafe {
		sync = "synchronous(OFF)"
	}
	writing := func(more ...string) string {
		return sqliteDSN(path, "immediate", append(more, sync, "foreign_keys(1)", "journal_size_limit(67108864)")...) + "&mode=rw"
	}
	db.patient = writing()
	if db.write, err = openKeeping(writing(waiting(sqliteTry))); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	db.write.SetMaxOpenConns(1)
	if !db.rehearse {
		db.group = &group{db: db, longest: longestTogether}
	}
	if db.read, err = openKeeping(sqliteDSN(path, "deferred", "query_only(1)", "foreign_keys(1)") + "&mode=rw"); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.closed = func() error { return errors.Join(db.read.Close(), db.write.Close()) }
	return nil
}

// there refuses a transaction on a file that stands no longer where it was
// opened. What is written into a removed file is acknowledged, and lost with the
// process; what reads the one in its place reads another store. Before reading
// it looks ten times a second: a look costs a tenth of a reading.
func (db *DB) there(writes bool) error {
	if db.opened == nil {
		return nil
	}
	now := time.Since(db.born)
	if !writes && now-time.Duration(db.seen.Load()) < 100*time.Millisecond {
		return nil
	}
	fi, err := os.Stat(db.file)
	if err == nil && !os.SameFile(fi, db.opened) {
		err = fmt.Errorf("%s was replaced while it was open; restart to open what is there now", db.file)
	}
	if err != nil {
		return unavailable(err)
	}
	db.seen.Store(int64(now))
	return nil
}

// ownFile makes an empty file for its owner alone, and its folder. SQLite gives
// the files beside it the same mode.
func ownFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteDSN names a file and the settings of each connection to it. A busy_timeout
// among them takes the place of the usual one: of two the driver keeps either.
func sqliteDSN(path, lock string, pragmas ...string) string {
	pragmas = append([]string{"trusted_schema(0)", "temp_store(MEMORY)"}, pragmas...)
	if !slices.ContainsFunc(pragmas, func(p string) bool { return strings.HasPrefix(p, "busy_timeout(") }) {
		pragmas = append(pragmas, waiting(sqliteBusy))
	}
	q := url.Values{"_txlock": {lock}, "_pragma": pragmas}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// waiting is the setting of how long a statement waits for a lock.
func waiting(d time.Duration) string { return fmt.Sprintf("busy_timeout(%d)", d.Milliseconds()) }
