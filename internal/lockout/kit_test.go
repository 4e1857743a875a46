package lockout

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// room is two nodes on one store.
type room struct {
	*Lockout
	second *Lockout
	db     *store.DB
	clock  *clock
}

func open(t *testing.T, db *store.DB, c *Config) *room {
	t.Helper()
	r := &room{db: db, clock: &clock{at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}}
	node := func() *Lockout { return New(Deps{DB: db, Keys: audittest.Keys(t), Now: r.clock.now}, c) }
	r.Lockout, r.second = node(), node()
	return r
}

func each(t *testing.T, c *Config, fn func(t *testing.T, r *room)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, open(t, db, c)) })
}

func at(account, ip string) Key {
	return Key{Realm: "login", Account: account, IP: netip.MustParseAddr(ip)}
}

// wrong is an attempt whose password is wrong; it reports whether it was let in to
// the provider.
func (r *room) wrong(t *testing.T, k Key) bool {
	t.Helper()
	if f := r.Check(t.Context(), k); f != nil {
		wantTooMany(t, f)
		return false
	}
	if err := r.Failed(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	return true
}

func wantTooMany(t *testing.T, f *fault.Error) {
	t.Helper()
	if f == nil || f.Kind != fault.TooManyRequests || f.Code != "too_many_attempts" || f.RetryAfter <= 0 {
		t.Fatalf("refused by %+v", f)
	}
}

// free fails the test unless an attempt has a place, which it gives up again.
func (r *room) free(t *testing.T, k Key) {
	t.Helper()
	if f := r.Check(t.Context(), k); f != nil {
		t.Fatalf("%v is refused: %v for %s", k, f, f.RetryAfter)
	}
	if err := r.Dropped(t.Context(), k); err != nil {
		t.Fatal(err)
	}
}

func (r *room) rows(t *testing.T, table string) (n int) {
	t.Helper()
	err := r.db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT COUNT(*) FROM ` + table).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}
