package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// The engines, as Engine names them.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Options say which store to open, and how.
type Options struct {
	URL    string // "sqlite:/abs/file" or "postgres://…"
	Manual bool   // a store that is behind is an error instead of being migrated
	// Rehearse runs transactions as ever and keeps nothing of them: for who only
	// wants to know what would happen.
	Rehearse bool
	// UnsafeNoSync leaves it to the operating system when SQLite's writes reach
	// the disk: a commit may be lost when the machine stops. For tests, which
	// wait for the disk more than for anything else.
	UnsafeNoSync bool
	Now          func() time.Time
	Log          *slog.Logger
}

// DB is an open store.
type DB struct {
	engine   string
	file     string      // SQLite: the file
	patient  string      // SQLite: how connections are made that write, and wait for a lock by themselves
	opened   fs.FileInfo // SQLite: which one it was
	born     time.Time
	seen     atomic.Int64    // when the file was last there, after born
	conn     *pgx.ConnConfig // PostgreSQL: how connections are made, for those outside the pool
	write    *sql.DB
	read     *sql.DB // the same as write on PostgreSQL
	group    *group  // SQLite: who takes turns at write; nil where each transaction is on its own
	now      func() time.Time
	log      *slog.Logger
	bound    time.Duration // how long one transaction may take, waiting included
	signals  signals
	rehearse bool
	closed   func() error
}

// ErrNewer is wrapped by the error of Open on a store that a newer release has
// migrated.
var ErrNewer = errors.New("the store was migrated by a newer release")

// ErrBehind is wrapped by the error of Open on a store that needs a migration
// that Manual forbids.
var ErrBehind = errors.New("the store needs a migration")

// bound is how long one transaction may take: a lost server must be a refusal
// soon, and nothing that Portreeve asks of its store takes seconds.
const bound = 10 * time.Second

// Open opens the store and brings its tables up to date under a lock, so that
// any number of processes may start at once.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.prepare(ctx, o.Manual); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connect makes the handles without touching the tables.
func connect(ctx context.Context, o Options) (*DB, error) {
	db := &DB{}
	db.defaults(o)
	scheme, rest, _ := strings.Cut(o.URL, ":")
	switch scheme {
	case "sqlite":
		return db, db.openSQLite(ctx, rest, o.UnsafeNoSync)
	case "postgres", "postgresql":
		return db, db.openPostgres(o.URL)
	}
	// The URL itself may hold a password.
	return nil, errors.New("store: the address is neither sqlite:FILE nor postgres://HOST/DATABASE")
}

func (db *DB) defaults(o Options) {
	db.rehearse = o.Rehearse
	db.now, db.log, db.bound = o.Now, cmp.Or(o.Log, slog.New(slog.DiscardHandler)), bound
	if db.now == nil {
		db.now = time.Now
	}
}

// Engine is SQLite or PostgreSQL.
func (db *DB) Engine() string { return db.engine }

// Close waits for running statements and closes every connection.
func (db *DB) Close() error {
	if db.closed == nil {
		return nil
	}
	return db.closed()
}

// signals wakes whoever waits for a channel of Tx.Notify in this process.
type signals struct {
	mu    sync.Mutex
	heard map[string][]*func()
}

func (s *signals) add(channel string, wake func()) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard == nil {
		s.heard = map[string][]*func(){}
	}
	p := &wake
	s.heard[channel] = append(s.heard[channel], p)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, q := range s.heard[channel] {
			if q == p {
				s.heard[channel] = append(s.heard[channel][:i:i], s.heard[channel][i+1:]...)
				return
			}
		}
	}
}

func (s *signals) send(channel string) {
	s.mu.Lock()
	heard := s.heard[channel]
	s.mu.Unlock()
	for _, wake := range heard {
		(*wake)()
	}
}
