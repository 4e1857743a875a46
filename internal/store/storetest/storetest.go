package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// Each runs fn twice as a parallel subtest: on a fresh store of each engine.
func Each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	for _, engine := range []struct {
		name string
		open func(testing.TB) *store.DB
	}{{"sqlite", SQLite}, {"postgres", Postgres}} {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			fn(t, engine.open(t))
		})
	}
}

// SQLite opens a fresh store in a file.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Postgres opens a fresh store in a database. The test is skipped where there is
// no server to be had.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// Open opens a store once more, as another process would, until the test ends.
// Nothing waits for the disk: what outlives a machine is not for these tests.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, UnsafeNoSync: true})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return db
}

// template is a migrated SQLite file, made once per process: copying it is
// faster than migrating again.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "portreeve-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "store.db")
	db, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + file})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil { // which folds the log into the file
		return nil, err
	}
	return os.ReadFile(file)
})

// SQLiteURL is the address of a fresh store in a file.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "store.db")
	SQLiteFile(t, file)
	return "sqlite:" + file
}

// SQLiteFile makes a fresh store in that file.
func SQLiteFile(t testing.TB, file string) {
	t.Helper()
	b, err := template()
	if err != nil {
		t.Fatalf("make the template store: %v", err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Beside makes a fresh store and its key where a Portreeve whose configuration stands
// in dir makes them unless told otherwise: it then finds them there.
func Beside(t testing.TB, dir string) {
	t.Helper()
	SQLiteFile(t, filepath.Join(dir, "portreeve.db"))
	if err := os.WriteFile(filepath.Join(dir, "portreeve.db.key"), []byte(seal.NewKey()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Callers runs fn n times at once and fails the test with what they return.
func Callers(t testing.TB, n int, fn func(i int) error) {
	t.Helper()
	start := make(chan struct{})
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			if err := fn(i); err != nil {
				errs[i] = fmt.Errorf("caller %d: %w", i, err)
			}
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
