package change_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func note(t testing.TB, db *store.DB, tenant string, kind change.Kind, ids ...string) {
	t.Helper()
	if err := db.Tx(context.Background(), func(tx *store.Tx) error {
		for _, id := range ids {
			change.Note(tx, tenant, kind, id)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func poll(t testing.TB, f *change.Feed) {
	t.Helper()
	if err := f.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func exec(t testing.TB, db *store.DB, query string, args ...any) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

// until polls a condition of the test's own, with a deadline.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

var (
	ada     = change.SlotOf("acme", change.User, "ada")
	bob     = change.SlotOf("acme", change.User, "bob")
	users   = change.SlotOf("acme", change.User, "")
	roles   = change.SlotOf("acme", change.Role, "")
	foreign = change.SlotOf("globex", change.User, "ada")
)

func TestAChangeReachesWhatDependsOnItAndNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := change.NewFeed(db, change.Options{})
		early := f.Seq()
		if f.Holds(early) || f.Fresh(time.Now()) {
			t.Error("something holds before the first reading")
		}
		poll(t, f)
		if f.Holds(early) {
			t.Error("what was asked before the first reading holds")
		}
		asOf := f.Seq()
		if !f.Holds(asOf, ada, users) || !f.Fresh(time.Now()) {
			t.Error("nothing changed, and it does not hold")
		}
		note(t, db, "acme", change.User, "ada", "ada")
		poll(t, f)
		for name, want := range map[string]struct {
			slot  change.Slot
			holds bool
		}{"ada": {ada, false}, "the list of users": {users, false}, "bob": {bob, true}, "roles": {roles, true}, "ada of globex": {foreign, true}} {
			if got := f.Holds(asOf, want.slot); got != want.holds {
				t.Errorf("%s holds: %v", name, got)
			}
		}
		if f.Holds(asOf, bob, ada) || !f.Holds(f.Seq(), ada, users) {
			t.Error("several slots, or what was asked afterwards")
		}
	})
}

func TestARollbackIsNoChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := change.NewFeed(db, change.Options{})
		poll(t, f)
		asOf := f.Seq()
		_ = db.Tx(t.Context(), func(tx *store.Tx) error {
			change.Note(tx, "acme", change.User, "ada")
			return context.Canceled
		})
		poll(t, f)
		if !f.Holds(asOf, ada) || f.Seq() != asOf {
			t.Error("a change that never was is told")
		}
	})
}

func TestWhateverCannotBeFollowedLetsNothingHold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		many := make([]string, 3000)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		for _, tt := range []struct {
			name string
			do   func()
		}{
			{"rows pruned before they were read", func() {
				note(t, db, "acme", change.Role, "x", "y")
				exec(t, db, `DELETE FROM changes`)
			}},
			{"one row missing", func() {
				note(t, db, "acme", change.Role, "x", "y", "z")
				exec(t, db, `DELETE FROM changes WHERE entity_id = 'y'`)
			}},
			{"a backup was restored", func() {
				exec(t, db, `DELETE FROM changes`)
				exec(t, db, `UPDATE change_counter SET seq = 1`)
			}},
			{"more at once than are told one by one", func() { note(t, db, "acme", change.Role, many...) }},
		} {
			note(t, db, "acme", change.Role, "before")
			f := change.NewFeed(db, change.Options{})
			poll(t, f)
			note(t, db, "acme", change.Role, "before")
			poll(t, f)
			asOf := f.Seq()
			tt.do()
			poll(t, f)
			if f.Holds(asOf, ada) || f.Holds(asOf) {
				t.Errorf("%s: something holds", tt.name)
			}
			now := f.Seq()
			if now <= asOf || !f.Holds(now, ada) {
				t.Errorf("%s: %d became %d, and nothing holds from then on", tt.name, asOf, now)
			}
			note(t, db, "acme", change.User, "ada")
			poll(t, f)
			if f.Holds(now, ada) || !f.Holds(now, bob) {
				t.Errorf("%s: changes are not followed afterwards", tt.name)
			}
		}
		f := change.NewFeed(db, change.Options{})
		poll(t, f)
		for _, do := range []string{
			`DELETE FROM change_counter`,                              // the store was emptied
			`INSERT INTO change_counter (id, seq) VALUES (1, 100000)`, // and filled by another
		} {
			asOf := f.Seq()
			exec(t, db, do)
			poll(t, f)
			if f.Holds(asOf) {
				t.Errorf("%s: something holds", do)
			}
		}
	})
}

func TestAFeedThatCannotReadIsNotFreshAndRecovers(t *testing.T) {
	t.Parallel()
	server := storetest.StartServer(t)
	db := storetest.Open(t, server.URL)
	f := change.NewFeed(db, change.Options{MaxStale: time.Second})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	defer func() { stop(); <-done }()
	until(t, "fresh", func() bool { return f.Fresh(time.Now()) })
	server.Kill()
	until(t, "stale", func() bool { return !f.Fresh(time.Now()) })
	server.Start(t)
	until(t, "fresh again", func() bool { return f.Fresh(time.Now()) })
	asOf := f.Seq()
	note(t, db, "acme", change.User, "ada")
	until(t, "the change", func() bool { return !f.Holds(asOf, ada) })
}

func TestFreshCountsFromWhenItAsked(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	f := change.NewFeed(storetest.SQLite(t), change.Options{MaxStale: 5 * time.Second, Now: func() time.Time { return now }})
	poll(t, f)
	if !f.Fresh(now.Add(5*time.Second)) || f.Fresh(now.Add(5*time.Second+1)) {
		t.Error("five seconds are not five seconds")
	}
}

func TestOldRowsArePruned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		note(t, db, "acme", change.User, "ada")
		exec(t, db, `UPDATE changes SET made_at = 0`)
		note(t, db, "acme", change.User, "bob")
		f := change.NewFeed(db, change.Options{Poll: time.Millisecond, Keep: 30 * time.Second, Now: hurried()})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		defer func() { stop(); <-done }()
		until(t, "pruned", func() bool {
			var n int
			if err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT count(*) FROM changes`).Scan(&n) }); err != nil {
				t.Fatal(err)
			}
			return n == 1
		})
	})
}

// hurried is a clock that runs a hundred times too fast.
func hurried() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(100 * time.Since(start)) }
}

func TestAskingDoesNotAllocate(t *testing.T) {
	f := change.NewFeed(storetest.SQLite(t), change.Options{})
	poll(t, f)
	asOf, tenant, id := f.Seq(), "acme", "ada"
	if n := testing.AllocsPerRun(100, func() {
		if !f.Holds(asOf, change.SlotOf(tenant, change.User, id), users, roles) || !f.Fresh(time.Now()) {
			t.Fatal("does not hold")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whoever is answered after a change never meets what was before it, at this node.
func TestAWriterSeesItsOwnChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := change.NewFeed(db, change.Options{Poll: time.Hour})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		t.Cleanup(func() { stop(); <-done })
		seen := func() bool {
			asOf := f.Seq()
			note(t, db, "acme", change.User, "ada")
			f.Catch(t.Context())
			return !f.Holds(asOf, ada)
		}
		until(t, "the feed listens", seen)
		for i := range 100 {
			if !seen() {
				t.Fatalf("change %d is not seen by whoever made it", i)
			}
		}
	})
}
