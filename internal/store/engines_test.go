package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestBothEnginesHaveTheSameTables(t *testing.T) {
	t.Parallel()
	lite, err := storetest.SQLite(t).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pg, err := storetest.Postgres(t).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(lite) < 3 {
		t.Fatalf("only %d tables read", len(lite))
	}
	if diff := cmp.Diff(lite, pg); diff != "" {
		t.Errorf("(-sqlite +postgres):\n%s", diff)
	}
}

func TestManyProcessesMigrateOnePostgresAtOnce(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyPostgresURL(t)
	storetest.Callers(t, 6, func(int) error {
		db, err := store.Open(t.Context(), store.Options{URL: url})
		if err != nil {
			return err
		}
		return db.Close()
	})
}
