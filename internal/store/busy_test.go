package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// Whoever waits for another process' transaction waits no longer than the request
// lasts, and is served once the other one is through.
func TestAWriterWaitsForAnotherProcessNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.db")
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file, UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	other, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	held, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(*store.Tx) error { return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // longer than the driver waits at a time
	defer cancel()
	began := time.Now()
	if err := db.Tx(ctx, nothing); fault.From(err).Kind != fault.Unavailable || time.Since(began) > 3*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	if ctx.Err() == nil {
		t.Errorf("given up after %s", time.Since(began))
	}
	done := make(chan error, 1)
	go func() { done <- db.Tx(t.Context(), nothing) }()
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("once the other one is through: %v", err)
	}
}

// A new release that starts beside a process which writes migrates once that one is
// through: it does not fail.
func TestAMigrationWaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.db")
	other, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	for _, q := range []string{ // all migrations are to come, and what keeps count of them is there
		`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`,
	} {
		if _, err := other.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	held, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	through := time.AfterFunc(400*time.Millisecond, func() { _ = held.Rollback() }) // longer than a writer's driver waits at a time
	t.Cleanup(func() { through.Stop() })
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file, UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
}
