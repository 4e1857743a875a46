package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func fill(t *testing.T, db *store.DB, from, to int) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error {
		for i := from; i < to; i++ {
			if err := put(tx, fmt.Sprintf("name %d ü", i), strings.Repeat("x", i%40)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE change_counter SET seq = $1`, to)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestCopyMovesEverythingThereAndBack(t *testing.T) {
	t.Parallel()
	a, b, c := storetest.SQLite(t), storetest.Postgres(t), storetest.SQLite(t)
	fill(t, a, 0, 1500)
	there, err := store.Copy(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	back, err := store.Copy(t.Context(), b, c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(there, back); diff != "" {
		t.Errorf("it is not the same (-there +back):\n%s", diff)
	}
	rows := map[string]int64{}
	for _, c := range there {
		rows[c.Table] = c.Rows
	}
	if rows["meta"] != 1500 || rows["change_counter"] != 1 {
		t.Errorf("got %v", rows)
	}
	if _, err := store.Copy(t.Context(), a, b); err == nil || !contains(err.Error(), "has been used") {
		t.Errorf("a store in use was written over: %v", err)
	}
}

func TestBackupWhileServing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, 0, 500)
		stop, done := make(chan struct{}), make(chan error)
		go func() { // pairs that a torn copy would part
			for i := 0; ; i++ {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if err := db.Tx(t.Context(), func(tx *store.Tx) error {
					if err := put(tx, fmt.Sprintf("left %d", i), ""); err != nil {
						return err
					}
					return put(tx, fmt.Sprintf("right %d", i), "")
				}); err != nil {
					done <- err
					return
				}
			}
		}()
		file := filepath.Join(t.TempDir(), "copy.db")
		err := db.Backup(t.Context(), file)
		close(stop)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", fi.Mode(), err)
		}
		if v, err := store.VerifyBackup(t.Context(), file); err != nil || v.Version == 0 || len(v.Tables) < 3 {
			t.Errorf("got %+v, %v", v, err)
		}
		if left, _ := filepath.Glob(file + "?*"); len(left) > 0 {
			t.Errorf("left beside it: %v", left)
		}
		if err := db.Backup(t.Context(), file); err == nil {
			t.Error("a backup was written over")
		}
		copied := storetest.Open(t, "sqlite:"+file)
		var left, right, rest int
		if err := copied.Read(t.Context(), func(tx *store.Tx) error {
			return tx.Row(`SELECT sum(name LIKE 'left %'), sum(name LIKE 'right %'), sum(name LIKE 'name %') FROM meta`).Scan(&left, &right, &rest)
		}); err != nil || left != right || rest != 500 {
			t.Errorf("%d left, %d right, %d others, %v", left, right, rest, err)
		}
	})
}

func TestADamagedBackupIsFound(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	fill(t, db, 0, 2000)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	if err := db.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(b)
	copy(torn[len(b)/2:], bytes.Repeat([]byte{0xaa}, 8192))
	for name, content := range map[string][]byte{"short": b[:len(b)/2], "torn": torn, "empty": nil, "text": []byte("hello, this is no database at all")} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.VerifyBackup(t.Context(), file); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
}
