package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write migrations/digests.txt anew")

func files(t *testing.T, engine string) []string {
	t.Helper()
	list, err := fs.Glob(migrations, "migrations/"+engine+"/*")
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %d files, %v", engine, len(list), err)
	}
	return list
}

func TestMigrationsArePairedNumberedWithoutAGapAndGoForward(t *testing.T) {
	t.Parallel()
	var names [2][]string
	for i, engine := range []string{"sqlite", "postgres"} {
		for _, f := range files(t, engine) {
			names[i] = append(names[i], path.Base(f))
			b, err := fs.ReadFile(migrations, f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(b), "-- +goose Up\n") || strings.Contains(string(b), "+goose Down") {
				t.Errorf("%s begins with the line `-- +goose Up`, and has no Down", f)
			}
			if engine == "sqlite" {
				if made, strict := count(b, `(?m)^CREATE TABLE `), count(b, `(?m)^\)(?: WITHOUT ROWID,)? STRICT(?:, WITHOUT ROWID)?;`); made != strict {
					t.Errorf("%s: %d tables, %d of them STRICT", f, made, strict)
				}
			}
		}
	}
	if !slices.Equal(names[0], names[1]) {
		t.Errorf("not in pairs:\n%v\n%v", names[0], names[1])
	}
	for i, n := range names[0] {
		if !strings.HasPrefix(n, fmt.Sprintf("%04d_", i+1)) {
			t.Errorf("%s stands where %04d should: a number is missing or given twice", n, i+1)
		}
	}
}

func count(b []byte, re string) int { return len(regexp.MustCompile(re).FindAll(b, -1)) }

// What has been released has been applied somewhere: it is never edited.
func TestNoMigrationWasEdited(t *testing.T) {
	t.Parallel()
	const list = "migrations/digests.txt"
	var got strings.Builder
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, f := range files(t, engine) {
			b, err := fs.ReadFile(migrations, f)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%x  %s\n", sha256.Sum256(b), strings.TrimPrefix(f, "migrations/"))
		}
	}
	if *update {
		if err := os.WriteFile(list, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(want), "\n")
	for line := range strings.Lines(got.String()) {
		if !slices.Contains(known, strings.TrimSpace(line)) {
			t.Errorf("%s is new or was edited: a released one is never edited; then go test ./internal/store -run Edited -update", line[66:len(line)-1])
		}
	}
	if n := strings.Count(string(want), "\n"); n != strings.Count(got.String(), "\n") {
		t.Errorf("%d migrations were recorded, which are not all there: one was removed or renamed", n)
	}
}

func open(t *testing.T, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestASecondProcessWaitsForTheFirstToMigrate(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "new", "store.db")
	errs := make(chan error)
	for range 8 {
		go func() {
			db, err := Open(context.Background(), Options{URL: url})
			if err == nil {
				err = db.Close()
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	db := open(t, Options{URL: url})
	if fi, err := os.Stat(db.file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	var mode string
	var synchronous, foreign int
	for query, into := range map[string]any{"journal_mode": &mode, "synchronous": &synchronous, "foreign_keys": &foreign} {
		if err := db.write.QueryRow("PRAGMA " + query).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	if mode != "wal" || synchronous != 2 || foreign != 1 {
		t.Errorf("journal %s, synchronous %d, foreign keys %d", mode, synchronous, foreign)
	}
}

func TestANewerStoreIsRefused(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
	db := open(t, Options{URL: url})
	if _, err := db.write.Exec(`INSERT INTO ` + versions + ` (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{URL: url})
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "999") {
		t.Errorf("got %v", err)
	}
}

func TestManualDoesNotMigrate(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
	_, err := Open(t.Context(), Options{URL: url, Manual: true})
	if !errors.Is(err, ErrBehind) || !strings.Contains(err.Error(), "portreeve migrate") || !strings.Contains(err.Error(), "0001_core") {
		t.Errorf("got %v", err)
	}
	s, err := Inspect(t.Context(), Options{URL: url})
	if err != nil || s.Version != 0 || len(s.Pending) == 0 {
		t.Errorf("got %+v, %v", s, err)
	}
	open(t, Options{URL: url}) // portreeve migrate
	db := open(t, Options{URL: url, Manual: true})
	if s, err := db.Status(t.Context()); err != nil || s.Version != s.Latest || len(s.Pending) != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
}
