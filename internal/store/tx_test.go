package store_test

import (
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO meta (value, name) VALUES ($2, $1)`, "name", "value")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.Row(`SELECT value FROM meta WHERE name = $1`, "name").Scan(&got)
		})
		if err != nil || got != "value" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
