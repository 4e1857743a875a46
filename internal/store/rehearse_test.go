package store_test

import (
	"context"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
)

func TestARehearsalKeepsNothing(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + t.TempDir() + "/a.db"
	first, err := store.Open(context.Background(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	db, err := store.Open(context.Background(), store.Options{URL: url, Manual: true, Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	after := false
	count := func(db *store.DB) (n int) {
		t.Helper()
		err := db.Read(context.Background(), func(tx *store.Tx) error {
			return tx.Row(`SELECT count(*) FROM meta WHERE name = 'rehearsed'`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	err = db.Tx(context.Background(), func(tx *store.Tx) error {
		tx.After(func() { after = true })
		if _, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ('rehearsed', '1')`); err != nil {
			return err
		}
		var n int
		if err := tx.Row(`SELECT count(*) FROM meta WHERE name = 'rehearsed'`).Scan(&n); err != nil || n != 1 {
			t.Errorf("within: %d %v", n, err)
		}
		return nil
	})
	if err != nil || after || count(first) != 0 {
		t.Errorf("%v, after the commit: %t, rows: %d", err, after, count(first))
	}
}
