package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// long is a statement that writes for many seconds, unless it is interrupted.
const long = `INSERT INTO meta (name, value) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT 'long' || i, '' FROM n`

var errMine = errors.New("mine")

// fate is one thing that may become of a transaction, and whether its row stays.
type fate struct {
	name  string
	stays bool
	tx    func(ctx context.Context, db *store.DB, write func(*store.Tx) error) error
}

func fates() []fate {
	gone := func(when string) func(context.Context, *store.DB, func(*store.Tx) error) error {
		return func(ctx context.Context, db *store.DB, write func(*store.Tx) error) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if when == "waiting" {
				time.AfterFunc(time.Microsecond, cancel) // waiting, or before it, or it was too late
			}
			return db.Tx(ctx, func(tx *store.Tx) error {
				err := write(tx)
				switch when {
				case "within":
					cancel()
				case "writing":
					time.AfterFunc(time.Millisecond, cancel)
					_, _ = tx.Exec(long)
				}
				return err
			})
		}
	}
	plain := func(after func(*store.Tx) error) func(context.Context, *store.DB, func(*store.Tx) error) error {
		return func(ctx context.Context, db *store.DB, write func(*store.Tx) error) error {
			return db.Tx(ctx, func(tx *store.Tx) error { return errors.Join(write(tx), after(tx)) })
		}
	}
	return []fate{
		{"succeeds", true, plain(func(*store.Tx) error { return nil })},
		{"succeeds with a step", true, plain(func(tx *store.Tx) error {
			tx.Last("step", func(tx *store.Tx) error { _, err := tx.Exec(`UPDATE change_counter SET seq = seq + 1`); return err })
			return nil
		})},
		{"fails", false, plain(func(*store.Tx) error { return errMine })},
		{"fails in a step", false, plain(func(tx *store.Tx) error {
			tx.Last("step", func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE change_counter SET seq = seq + 1`)
				return errors.Join(err, errMine)
			})
			return nil
		})},
		{"a statement fails", false, plain(func(tx *store.Tx) error { _ = put(tx, "first", ""); return nil })},
		{"rows stay open", false, plain(func(tx *store.Tx) error { _, err := tx.Rows(`SELECT name FROM meta`); return err })},
		{"panics", false, func(ctx context.Context, db *store.DB, write func(*store.Tx) error) (err error) {
			defer func() {
				if p, is := recover().(error); is { // or it was refused before it could
					err = p
				}
			}()
			return db.Tx(ctx, func(tx *store.Tx) error { _ = write(tx); panic(errMine) })
		}},
		{"ends its goroutine", false, func(ctx context.Context, db *store.DB, write func(*store.Tx) error) error {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = db.Tx(ctx, func(tx *store.Tx) error { _ = write(tx); runtime.Goexit(); return nil })
			}()
			<-done
			return errMine
		}},
		{"is gone while it waits", false, gone("waiting")},
		{"is gone within", false, gone("within")},
		{"is gone while it writes", false, gone("writing")},
	}
}

// Many write at once, and some of them fail in every way there is: of those that
// were told of success everything is there, of the others nothing.
func TestWhatBecomesOfOneWriterIsItsOwn(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	if err := db.Tx(t.Context(), func(tx *store.Tx) error { return put(tx, "first", "") }); err != nil {
		t.Fatal(err)
	}
	const writers, rounds = 64, 8
	all := fates()
	var (
		mu     sync.Mutex
		want   = []string{"first"}
		steps  int64
		told   = map[string]int{}
		afters atomic.Int64
	)
	storetest.Callers(t, writers, func(w int) error {
		for r := range rounds {
			f := all[(w*7+r)%len(all)]
			if w%2 == 0 { // or hardly any succeeds
				f = all[w/2%2]
			}
			name := fmt.Sprintf("%d-%d", w, r)
			err := f.tx(t.Context(), db, func(tx *store.Tx) error {
				tx.After(func() { afters.Add(1) })
				return put(tx, name, "")
			})
			if f.stays != (err == nil) && f.name != "is gone while it waits" {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			mu.Lock()
			told[fmt.Sprint(f.name, " ", err == nil)]++
			if err == nil {
				want = append(want, name)
				if f.name == "succeeds with a step" {
					steps++
				}
			}
			mu.Unlock()
		}
		return nil
	})
	var got []string
	var seq int64
	if err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		got, err = store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT name FROM meta`)
		return errors.Join(err, tx.Row(`SELECT seq FROM change_counter`).Scan(&seq))
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || seq != steps || int(afters.Load()) != len(want)-1 {
		t.Errorf("%d rows of %d, %d steps of %d, %d told after", len(got), len(want), seq, steps, afters.Load())
	}
	t.Log(told)
}

// crew are writers in the order in which they came, behind one that holds the
// turn until they all wait.
type crew struct {
	t    *testing.T
	db   *store.DB
	free chan struct{}
	errs []chan error
}

func newCrew(t *testing.T, db *store.DB) *crew {
	t.Helper()
	db.Together()
	c := &crew{t: t, db: db, free: make(chan struct{})}
	began := make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) }) // it may run again
	c.add(func(tx *store.Tx) error { begin(); <-c.free; return put(tx, "holder", "") })
	<-began
	return c
}

func (c *crew) add(fn func(*store.Tx) error) { c.addCtx(c.t.Context(), fn) }

func (c *crew) addCtx(ctx context.Context, fn func(*store.Tx) error) {
	c.t.Helper()
	err, n := make(chan error, 1), len(c.errs)
	c.errs = append(c.errs, err)
	go func() { err <- c.db.Tx(ctx, fn) }()
	if n == 0 {
		return
	}
	for give := time.Now().Add(10 * time.Second); c.db.Waiting() != n; runtime.Gosched() {
		if time.Now().After(give) {
			c.t.Fatal("it does not wait")
		}
	}
}

func (c *crew) err(n int) error {
	c.t.Helper()
	select {
	case err := <-c.errs[n]:
		return err
	case <-time.After(20 * time.Second):
		c.t.Fatalf("writer %d does not return", n)
		return nil
	}
}

func TestNobodyIsToldBeforeTheCommitOfAll(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	c := newCrew(t, db)
	var order []int
	var after atomic.Bool
	c.add(func(tx *store.Tx) error {
		order = append(order, 1)
		tx.After(func() { after.Store(true) })
		return put(tx, "a", "")
	})
	c.add(func(tx *store.Tx) error { order = append(order, 2); return put(tx, "a", "again") })
	last := make(chan struct{})
	ready := make(chan struct{})
	c.add(func(tx *store.Tx) error { order = append(order, 3); close(ready); <-last; return put(tx, "b", "") })
	close(c.free)
	<-ready
	if _, err := get(t, db, "holder"); !errors.Is(err, store.ErrNone) {
		t.Errorf("there before the commit: %v", err)
	}
	for n := range 3 { // the one whose name is taken too: it may yet be free
		select {
		case err := <-c.errs[n]:
			t.Errorf("writer %d was told %v", n, err)
		default:
		}
	}
	if after.Load() {
		t.Error("after the commit came before it")
	}
	close(last)
	if err := errors.Join(c.err(0), c.err(1), c.err(3)); err != nil || !store.Taken(c.err(2)) || !slices.Equal(order, []int{1, 2, 3}) || !after.Load() {
		t.Errorf("got %v in the order %v", err, order)
	}
	for _, name := range []string{"holder", "a", "b"} {
		if v, err := get(t, db, name); err != nil || v != "" {
			t.Errorf("%s: %q %v", name, v, err)
		}
	}
}

func TestWhoGoesAwayLeavesTheQueue(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	c := newCrew(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	c.addCtx(ctx, func(*store.Tx) error { t.Error("it ran"); return nil })
	c.add(func(tx *store.Tx) error { return put(tx, "a", "") })
	cancel()
	if err := c.err(1); !errors.Is(err, context.Canceled) || db.Waiting() != 1 {
		t.Errorf("got %v, and %d wait", err, db.Waiting())
	}
	close(c.free)
	if err := errors.Join(c.err(0), c.err(2)); err != nil {
		t.Error(err)
	}
}

// SQLite ends the whole transaction where a statement that writes is interrupted
// or finds no space, and fails the whole COMMIT for one row that points nowhere.
func TestWhoBreaksTheBatchBreaksNoOther(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(tx *store.Tx, cancel func()) error{
		"interrupted": func(tx *store.Tx, cancel func()) error {
			time.AfterFunc(200*time.Millisecond, cancel) // when it is under way
			_, err := tx.Exec(long)
			return err
		},
		"full": func(tx *store.Tx, _ func()) error {
			if _, err := tx.Exec(`PRAGMA max_page_count = 1`); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ('big', $1)`, strings.Repeat("x", 1<<20))
			return err
		},
		"at the commit": func(tx *store.Tx, _ func()) error {
			if _, err := tx.Exec(`PRAGMA defer_foreign_keys = 1`); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO api_key_secrets (tenant_id, key_id, hash, salt, format, machine, lookup, created_at) VALUES ('none', 'none', '', '', 'prk', 0, 'none', 0)`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.SQLite(t)
			c := newCrew(t, db)
			var afters, runs atomic.Int64
			c.add(func(tx *store.Tx) error { runs.Add(1); tx.After(func() { afters.Add(1) }); return put(tx, "a", "") })
			c.add(func(tx *store.Tx) error { return errors.Join(put(tx, "mine", ""), errMine) })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.addCtx(ctx, func(tx *store.Tx) error { return errors.Join(put(tx, "broken", ""), breaks(tx, cancel)) })
			c.add(func(tx *store.Tx) error { tx.After(func() { afters.Add(1) }); return put(tx, "b", "") })
			close(c.free)
			if err := errors.Join(c.err(0), c.err(1), c.err(4)); err != nil || !errors.Is(c.err(2), errMine) || afters.Load() != 2 {
				t.Errorf("the others: %v, %d told after", err, afters.Load())
			}
			if err := c.err(3); err == nil {
				t.Error("nothing broke")
			}
			if runs.Load() != 2 {
				t.Errorf("the first ran %d times: nothing was taken from it", runs.Load())
			}
			for name, there := range map[string]bool{"holder": true, "a": true, "b": true, "mine": false, "broken": false, "long1": false, "big": false} {
				if v, err := get(t, db, name); (err == nil) != there || v != "" {
					t.Errorf("%s: %q %v", name, v, err)
				}
			}
		})
	}
}

// What is committed into a file that was moved away meanwhile would be lost.
func TestABatchOfAFileThatIsGoneIsRefused(t *testing.T) {
	t.Parallel()
	url := storetest.SQLiteURL(t)
	db := storetest.Open(t, url)
	file := strings.TrimPrefix(url, "sqlite:")
	c := newCrew(t, db)
	c.add(func(tx *store.Tx) error {
		return errors.Join(put(tx, "a", ""), os.Rename(file, file+".away"))
	})
	close(c.free)
	for n := range 2 {
		var f *fault.Error
		if err := c.err(n); !errors.As(err, &f) || f.Kind != fault.Unavailable {
			t.Errorf("writer %d: %v", n, err)
		}
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"holder", "a"} {
		if _, err := get(t, db, name); !errors.Is(err, store.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
