package store_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestALostServerIsARefusalSoonAndHealsByItself(t *testing.T) {
	t.Parallel()
	server := storetest.StartServer(t)
	db := storetest.Open(t, server.URL)
	write := func() error {
		return db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE change_counter SET seq = seq + 1`)
			return err
		})
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	// Killed in the middle of a transaction.
	err := db.Tx(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(`UPDATE change_counter SET seq = seq + 100`); err != nil {
			return err
		}
		server.Kill()
		_, err := tx.Exec(`UPDATE change_counter SET seq = seq + 100`)
		return err
	})
	refused(t, err)
	began := time.Now()
	refused(t, write())
	refused(t, db.Read(t.Context(), func(*store.Tx) error { return nil }))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("two refusals took %v", took)
	}
	server.Start(t)
	if err := write(); err != nil {
		t.Errorf("the server is back, and the store is not: %v", err)
	}
	var seq int64
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Row(`SELECT seq FROM change_counter`).Scan(&seq)
	}); err != nil || seq != 2 {
		t.Errorf("%d after two commits, %v", seq, err)
	}
}

// Whoever moves or restores the file under a serving process is told so at once,
// instead of being answered from a file that nobody sees any more.
func TestAFileThatIsGoneIsARefusal(t *testing.T) {
	t.Parallel()
	url := storetest.SQLiteURL(t)
	db := storetest.Open(t, url)
	file := strings.TrimPrefix(url, "sqlite:")
	write := func() error {
		return db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE change_counter SET seq = seq + 1`)
			return err
		})
	}
	look := func() error { return db.Read(t.Context(), func(*store.Tx) error { return nil }) }
	if err := write(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	refused(t, write())
	for give := time.Now().Add(5 * time.Second); look() == nil && time.Now().Before(give); {
		<-time.After(5 * time.Millisecond) // a reading may be a tenth of a second late
	}
	refused(t, look())
	if _, err := os.Stat(file); err == nil {
		t.Error("an empty store was made in its place")
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, write())
	refused(t, look())
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("the file is back, and the store is not: %v", err)
	}
}

func refused(t *testing.T, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "store_unavailable" {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatIsNotThereIsSaidWithoutThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1", "postgres://u:hunter2@127.0.0.1:notaport/x", "mysql:u:hunter2@h"} {
		_, err := store.Open(t.Context(), store.Options{URL: url})
		if err == nil {
			t.Fatal("opened")
		}
		if s := err.Error(); contains(s, "hunter2") {
			t.Errorf("the password is in %q", s)
		}
	}
}
