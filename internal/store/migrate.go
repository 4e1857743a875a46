package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// versions is the table in which goose keeps what was applied.
const versions = "goose_db_version"

// lockWait is how long a process waits for another one that is migrating.
const lockWait = time.Minute

// provider reads the migrations of the engine. They go forward only: the files
// have no Down.
func (db *DB) provider(pool *sql.DB) (*goose.Provider, error) {
	dir, dialect := "migrations/sqlite", goose.DialectSQLite3
	if db.engine == PostgreSQL {
		dir, dialect = "migrations/postgres", goose.DialectPostgres
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
}

// prepare refuses a store that is newer than this binary and migrates one that
// is behind, under a lock that is taken only where there is something to do.
func (db *DB) prepare(ctx context.Context, manual bool) error {
	s, err := db.Status(ctx)
	if err != nil {
		return err
	}
	if done, err := s.verdict(manual); done || err != nil {
		return err
	}
	unlock, err := db.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// Another process may have done it meanwhile.
	if s, err = db.Status(ctx); err != nil {
		return err
	}
	if done, err := s.verdict(manual); done || err != nil {
		return err
	}
	pool, err := db.migrating()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer pool.Close()
	if db.engine == SQLite {
		// WAL is kept in the file: it is set once, here, where nobody else can be at it.
		var mode string
		if err := pool.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil || mode != "wal" {
			return unavailable(fmt.Errorf("journal mode %q: %w", mode, err))
		}
	}
	p, err := db.provider(pool)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, m := range done {
		db.log.InfoContext(ctx, "store migrated", "migration", m.Source.Path, "took", m.Duration)
	}
	return nil
}

// migrating is a pool for migrations. What they begin waits for whoever else has the
// store open by the driver's own patience: nobody asks again for them.
func (db *DB) migrating() (*sql.DB, error) {
	if db.engine == PostgreSQL {
		return db.unhurried(), nil
	}
	pool, err := sql.Open("sqlite", db.patient)
	if err == nil {
		pool.SetMaxOpenConns(1)
	}
	return pool, err
}

// lock waits until no other process migrates this store.
func (db *DB) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if db.engine == PostgreSQL {
		return db.lockPostgres(ctx)
	}
	return lockSQLite(ctx, db.file+".migrating")
}

// lockSQLite locks a database of its own beside the store by a transaction on
// it: the operating system lets go when the process dies, whatever the system.
// The file is removed while it is still locked, and whoever waits opens it anew
// each time, so that nobody waits on a file that is gone. Two that lock two
// files of the same name, in between, both look again at what there is to do.
func lockSQLite(ctx context.Context, file string) (func(), error) {
	for {
		unlock, err := tryLockSQLite(ctx, file)
		if err == nil {
			return unlock, nil
		}
		if !pause(ctx, 5) {
			return nil, unavailable(fmt.Errorf("another process is migrating the store: %w", err))
		}
	}
}

func tryLockSQLite(ctx context.Context, file string) (func(), error) {
	if err := ownFile(file); err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", sqliteDSN(file, "exclusive", waiting(0)))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	tx, err := pool.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return func() {
		_ = os.Remove(file)
		_ = tx.Rollback()
		_ = pool.Close()
	}, nil
}

// migrationLock is the advisory lock, one per database, of whoever migrates.
const migrationLock = 0x706f727472656576 // "portreev"

func (db *DB) lockPostgres(ctx context.Context) (func(), error) {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return nil, classify(err)
	}
	for {
		var got bool
		err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(migrationLock)).Scan(&got)
		if err != nil {
			return nil, errors.Join(classify(err), conn.Close())
		}
		if got {
			return func() {
				_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock))
				_ = conn.Close()
			}, nil
		}
		if !pause(ctx, 10) {
			return nil, errors.Join(unavailable(errors.New("another process is migrating the store")), conn.Close())
		}
	}
}

// Status says how far a store has been migrated.
type Status struct {
	Engine  string
	Version int64    // the last migration that was applied; 0: none
	Latest  int64    // the last one that this binary knows
	Pending []string // the names of those to come
}

// Status reads how far the store has been migrated.
func (db *DB) Status(ctx context.Context) (Status, error) {
	s := Status{Engine: db.engine}
	p, err := db.provider(db.read)
	if err != nil {
		return s, fmt.Errorf("store: %w", err)
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return s, err
	}
	for _, src := range p.ListSources() {
		s.Latest = max(s.Latest, src.Version)
		if !applied[src.Version] {
			s.Pending = append(s.Pending, strings.TrimSuffix(src.Path, ".sql"))
		}
	}
	for v := range applied {
		s.Version = max(s.Version, v)
	}
	return s, nil
}

// applied reads goose's table without making it, as goose's own status would.
func (db *DB) applied(ctx context.Context) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := db.Read(ctx, func(tx *Tx) error {
		names, err := tables(tx)
		if err != nil || !names[versions] {
			return err
		}
		list, err := List(tx, func(r Row) (v int64, err error) { return v, r.Scan(&v) },
			`SELECT version_id FROM `+versions+` WHERE version_id > 0`)
		for _, v := range list {
			out[v] = true
		}
		return err
	})
	return out, err
}

// verdict says whether the store can be used as it is, or not at all.
func (s Status) verdict(manual bool) (done bool, err error) {
	switch {
	case s.Version > s.Latest:
		return false, fmt.Errorf("store: it is at migration %d and this portreeve knows %d: %w; run that release, or restore a backup from before it",
			s.Version, s.Latest, ErrNewer)
	case len(s.Pending) == 0:
		return true, nil
	case manual:
		return false, fmt.Errorf("store: %d migrations are to come (%s): %w; run `portreeve migrate`, or set migrate: auto",
			len(s.Pending), strings.Join(s.Pending, ", "), ErrBehind)
	}
	return false, nil
}

// Inspect reads how far a store has been migrated without migrating it, newer
// ones too.
func Inspect(ctx context.Context, o Options) (Status, error) {
	db, err := connect(ctx, o)
	if err != nil {
		return Status{}, err
	}
	s, err := db.Status(ctx)
	return s, errors.Join(err, db.Close())
}
