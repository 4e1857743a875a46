package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func put(tx *store.Tx, name, value string) error {
	_, err := tx.Exec(`INSERT INTO meta (value, name) VALUES ($2, $1)`, name, value)
	return err
}

func get(t *testing.T, db *store.DB, name string) (value string, err error) {
	t.Helper()
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Row(`SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
	})
	return value, err
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Tx(t.Context(), func(tx *store.Tx) error { return put(tx, "name", "value") }); err != nil {
			t.Fatal(err)
		}
		if got, err := get(t, db, "name"); err != nil || got != "value" {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := get(t, db, "other"); !errors.Is(err, store.ErrNone) {
			t.Errorf("a row that is not there: %v", err)
		}
	})
}

func TestAFunctionThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		after := false
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			tx.After(func() { after = true })
			return errors.Join(put(tx, "a", "1"), mine)
		})
		if !errors.Is(err, mine) || after {
			t.Errorf("got %v, after ran: %v", err, after)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = db.Tx(t.Context(), func(tx *store.Tx) error {
				if err := put(tx, "a", "1"); err != nil {
					t.Error(err)
				}
				panic("no")
			})
		}()
		if _, err := get(t, db, "a"); !errors.Is(err, store.ErrNone) {
			t.Errorf("something was left: %v", err)
		}
	})
}

// SQLite alone would let a transaction go on after a statement that failed.
func TestAStatementThatFailsEndsTheTransactionOnBothEngines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			if err := put(tx, "a", "1"); err != nil {
				return err
			}
			if err := put(tx, "a", "2"); !store.Taken(err) {
				t.Errorf("the same key twice: %v", err)
			}
			if err := put(tx, "b", "3"); err == nil {
				t.Error("a statement ran after one that failed")
			}
			return nil
		})
		if !store.Taken(err) {
			t.Errorf("committed in spite of a failure: %v", err)
		}
		if _, err := get(t, db, "a"); !errors.Is(err, store.ErrNone) {
			t.Errorf("something was left: %v", err)
		}
	})
}

func TestStatementsWaitForOpenRowsOnBothEngines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Rows(`SELECT name FROM meta`)
			if err != nil {
				return err
			}
			defer rows.Close()
			return put(tx, "a", "1")
		})
		if err == nil {
			t.Error("a statement ran while rows were open, which PostgreSQL cannot do")
		}
	})
}

func TestReadCannotWriteAndIsOneSnapshot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Read(t.Context(), func(tx *store.Tx) error { return put(tx, "a", "1") }); err == nil {
			t.Error("a read wrote")
		}
		count := func(tx *store.Tx) (n int) {
			if err := tx.Row(`SELECT count(*) FROM meta`).Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			before := count(tx)
			if err := db.Tx(t.Context(), func(tx *store.Tx) error { return put(tx, "a", "1") }); err != nil {
				return err
			}
			if after := count(tx); after != before {
				t.Errorf("%d rows became %d under one reader", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestLastStepsRunOnceInOrderAndChangesAtTheVeryEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var got []string
		step := func(s string) func(*store.Tx) error {
			return func(*store.Tx) error { got = append(got, s); return nil }
		}
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			tx.Last(store.VeryLast(), step("very last"))
			tx.Last("a", func(tx *store.Tx) error {
				tx.Last("c", step("c"))
				return step("a")(tx)
			})
			tx.Last("b", step("b"))
			tx.Last("a", step("a again"))
			tx.After(func() { got = append(got, "after") })
			return step("fn")(tx)
		})
		if want := []string{"fn", "a", "b", "c", "very last", "after"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		err = db.Tx(t.Context(), func(tx *store.Tx) error {
			tx.Last("a", func(tx *store.Tx) error { return errors.Join(put(tx, "a", "1"), errors.New("no")) })
			return nil
		})
		if _, none := get(t, db, "a"); err == nil || !errors.Is(none, store.ErrNone) {
			t.Errorf("a step that fails: %v, %v", err, none)
		}
	})
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	type word string
	none := (*string)(nil)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(`INSERT INTO changes (seq, tenant_id, kind, entity_id, made_at) VALUES ($1, $2, $3, $4, $5)`,
				true, word("ü"), "", "\U0001f600", tx.Now().UnixMilli()); err != nil {
				return err
			}
			var (
				flag bool
				w    word
				null *string
			)
			if err := tx.Row(`SELECT seq, tenant_id, CAST($1 AS TEXT) FROM changes`, none).Scan(&flag, &w, &null); err != nil {
				return err
			}
			if !flag || w != "ü" || null != nil {
				t.Errorf("got %v %q %v", flag, w, null)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"a\x00b", "\xff"} {
			var f *fault.Error
			err := db.Tx(t.Context(), func(tx *store.Tx) error { return put(tx, bad, "") })
			if !errors.As(err, &f) || f.Kind != fault.BadRequest {
				t.Errorf("%q: %v: only SQLite could store this", bad, err)
			}
		}
		if err := db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE changes SET made_at = $1`, time.Now())
			return err
		}); err == nil {
			t.Error("a time was stored as the driver pleased")
		}
	})
}

func TestAContextThatEndsMidwayRollsBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Tx(ctx, func(tx *store.Tx) error {
			if err := put(tx, "a", "1"); err != nil {
				return err
			}
			cancel()
			return put(tx, "b", "2")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		if err := db.Tx(ctx, func(tx *store.Tx) error { defer cancel(); return put(tx, "a", "1") }); err == nil {
			t.Error("committed for a caller that was gone")
		}
		// The writer is free again.
		if err := db.Tx(t.Context(), func(tx *store.Tx) error { return put(tx, "a", "3") }); err != nil {
			t.Error(err)
		}
	})
}

func TestWritersOfOneThingTakeTurns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const callers, rounds = 16, 5
		var seen [callers * rounds]bool
		turns := make(chan int64, len(seen))
		storetest.Callers(t, callers, func(int) error {
			for range rounds {
				var rev int64
				if err := db.Tx(t.Context(), func(tx *store.Tx) error {
					if err := tx.Row(`UPDATE change_counter SET seq = seq + 1 WHERE id = 1 RETURNING seq`).Scan(&rev); err != nil {
						return err
					}
					var now int64 // what was read under one's turn is nobody else's
					if err := tx.Row(`SELECT seq FROM change_counter WHERE id = 1`).Scan(&now); err != nil || now != rev {
						return errors.Join(err, errors.New("somebody else's turn"))
					}
					return nil
				}); err != nil {
					return err
				}
				turns <- rev
			}
			return nil
		})
		close(turns)
		for rev := range turns {
			if rev < 1 || int(rev) > len(seen) || seen[rev-1] {
				t.Fatalf("turn %d was given twice, or never", rev)
			}
			seen[rev-1] = true
		}
	})
}

func TestSpendingIsDoneExactlyOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Tx(t.Context(), func(tx *store.Tx) error { return put(tx, "code", "unspent") }); err != nil {
			t.Fatal(err)
		}
		spent := make(chan int64, 16)
		storetest.Callers(t, 16, func(int) error {
			return db.Tx(t.Context(), func(tx *store.Tx) error {
				n, err := tx.Exec(`UPDATE meta SET value = 'spent' WHERE name = $1 AND value = 'unspent'`, "code")
				tx.After(func() { spent <- n })
				return err
			})
		})
		close(spent)
		total := int64(0)
		for n := range spent {
			total += n
		}
		if total != 1 {
			t.Errorf("spent %d times", total)
		}
	})
}

// Two transactions that lock two rows crosswise: one loses, and is run again.
func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Tx(t.Context(), func(tx *store.Tx) error { return errors.Join(put(tx, "a", ""), put(tx, "b", "")) }); err != nil {
			t.Fatal(err)
		}
		storetest.Callers(t, 4, func(i int) error {
			order := []string{"a", "b"}
			if i%2 == 1 {
				slices.Reverse(order)
			}
			for range 3 {
				if err := db.Tx(t.Context(), func(tx *store.Tx) error {
					for _, n := range order {
						if _, err := tx.Exec(`UPDATE meta SET value = value || 'x' WHERE name = $1`, n); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, n := range []string{"a", "b"} {
			if got, err := get(t, db, n); err != nil || len(got) != 12 {
				t.Errorf("%s: %d updates, %v", n, len(got), err)
			}
		}
	})
}
