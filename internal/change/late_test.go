package change_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Sixteen writers raise the values of a few rows and commit when they happen
// to; readers, on a node of their own, remember what they read as the feed
// tells them to. What holds must never be older than what had been committed
// when the feed's number was taken: a commit that comes late is not lost.
func TestALateCommitIsNeverLost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const (
			writers = 16
			rows    = 5
			rounds  = 12
		)
		name := func(i int) string { return fmt.Sprintf("row %d", i) }
		if err := db.Tx(t.Context(), func(tx *store.Tx) error {
			for i := range rows {
				if _, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ($1, '0')`, name(i)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		value := func(i int) (v int64, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) error {
				return tx.Row(`SELECT CAST(value AS BIGINT) FROM meta WHERE name = $1`, name(i)).Scan(&v)
			})
			return v, err
		}
		f := change.NewFeed(db, change.Options{Poll: time.Millisecond})
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { f.Run(ctx) })
		var finished atomic.Bool
		var checks atomic.Int64
		for range 3 {
			all.Go(func() {
				type kept struct{ asOf, value int64 }
				memory := map[int]kept{}
				for !finished.Load() {
					i := rand.IntN(rows)
					k, ok := memory[i]
					if !ok || !f.Holds(k.asOf, change.SlotOf("t", change.User, name(i))) {
						asOf := f.Seq()
						v, err := value(i)
						if err != nil {
							t.Error(err)
							return
						}
						memory[i] = kept{asOf, v}
						continue
					}
					// All that is committed now is in after the next reading: whatever
					// still holds then is no older than the store is now.
					now, err := value(i)
					if err == nil {
						err = f.Poll(t.Context())
					}
					if err != nil {
						t.Error(err)
						return
					}
					if f.Holds(k.asOf, change.SlotOf("t", change.User, name(i))) && k.value < now {
						t.Errorf("%s: %d holds as of %d, and the store said %d", name(i), k.value, k.asOf, now)
						return
					}
					checks.Add(1)
				}
			})
		}
		storetest.Callers(t, writers, func(int) error {
			for range rounds {
				i := rand.IntN(rows)
				if err := db.Tx(t.Context(), func(tx *store.Tx) error {
					change.Note(tx, "t", change.User, name(i))
					// Some are held up between their writes and their commit.
					tx.Last("late", func(*store.Tx) error { time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond); return nil })
					n, err := tx.Exec(`UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = $1`, name(i))
					if err == nil && n != 1 {
						err = errors.New("no such row")
					}
					return err
				}); err != nil {
					return err
				}
			}
			return nil
		})
		finished.Store(true)
		stop()
		all.Wait()
		if checks.Load() == 0 {
			t.Error("nothing was ever remembered")
		}
		var counter, changes int64
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.Row(`SELECT k.seq, (SELECT count(*) FROM changes) FROM change_counter k`).Scan(&counter, &changes)
		}); err != nil || counter != writers*rounds || changes != counter {
			t.Errorf("%d changes numbered up to %d, %v", changes, counter, err)
		}
	})
}
