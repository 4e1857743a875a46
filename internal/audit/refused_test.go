package audit_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// clock is a time that stands until it is moved.
type clock struct{ unix atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.unix.Load(), 0) }

func counting(t *testing.T, db *store.DB) (*audit.Log, *clock) {
	t.Helper()
	c := &clock{}
	c.unix.Store(1_800_000_000)
	return signing(t, db, audit.Options{Now: c.now}), c
}

func refusals(t *testing.T, l *audit.Log, tenant string) (out []string) {
	t.Helper()
	list, _, err := l.Page(t.Context(), tenant, audit.Filter{Action: audit.ActionRefused}, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		out = append(out, fmt.Sprintf("%s %s%s ×%s %s", r.Detail["reason"], r.Actor.Email, r.Actor.IP, r.Detail["count"], r.Detail["minute"][11:16]))
	}
	return out
}

func TestRefusalsAreOneCountedRowAMinute(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, c := counting(t, db)
		one, sibling, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:2"), netip.MustParseAddr("192.0.2.1")
		for range 100 {
			l.Refused("acme", "bad_token", "", one)
			l.Refused("acme", "bad_token", "", sibling) // of the same line
			l.Refused("acme", "bad_token", "", other)
			l.Refused("acme", "login_failed", "Ada@example.com", one)
			l.Refused("acme", "login_failed", "ada@EXAMPLE.com", other) // the account counts, not the address
			l.Refused("globex", "bad_token", "", other)
		}
		if err := l.Flush(t.Context(), false); err != nil || len(refusals(t, l, "acme")) != 0 {
			t.Fatal("written before the minute is over", err)
		}
		c.unix.Add(60)
		l.Refused("acme", "bad_token", "", other)
		if err := l.Flush(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(refusals(t, l, "acme"), "\n")
		for _, want := range []string{"bad_token 2001:db8:: ×200 08:00", "bad_token 192.0.2.1 ×100 08:00", "login_failed ada@example.com ×200 08:00"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in:\n%s", want, got)
			}
		}
		if n := len(refusals(t, l, "acme")); n != 3 {
			t.Errorf("%d rows", n)
		}
		if err := l.Flush(t.Context(), true); err != nil || len(refusals(t, l, "acme")) != 4 || len(refusals(t, l, "globex")) != 1 {
			t.Errorf("at the end: %v, %v", refusals(t, l, "acme"), err)
		}
		mustVerify(t, l, 5)
	})
}

func TestAStrangerCannotFillTheStoreOrTheMemory(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l, _ := counting(t, db)
	l.CountAtMost(1000)
	for i := range 3000 {
		l.Refused("acme", "login_failed", fmt.Sprintf("user%d@example.com", i), netip.Addr{})
	}
	l.Refused("acme", "login_failed", "user1@example.com", netip.Addr{}) // who is counted goes on being counted
	if err := l.Flush(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if got := refusals(t, l, ""); len(got) != 1 || got[0] != "overflow  ×2000 08:00" {
		t.Errorf("overflow: %q", got)
	}
	mustVerify(t, l, 1001)
}

// Whoever has a /48 has 65,536 lines: they fill no trail, and hide no account.
func TestManyNetworksHideNoAccount(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l, c := counting(t, db)
	for minute := range 2 {
		for i := range 12_000 {
			l.Refused("acme", "bad_token", "", netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, byte(minute), byte(i >> 8), byte(i)}))
		}
		l.Refused("globex", "login_failed", "ada@example.com", netip.Addr{})
		c.unix.Add(60)
		if err := l.Flush(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	if got := refusals(t, l, "globex"); len(got) != 2 {
		t.Errorf("the account: %q", got)
	}
	if got := refusals(t, l, ""); len(got) != 2 || !strings.HasPrefix(got[0], "overflow  ×11000 ") {
		t.Errorf("overflow: %q", got)
	}
	mustVerify(t, l, 2004)
}

func TestCountsOutliveAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l, _ := counting(t, db)
	l.Refused("acme", "bad_token", "", netip.MustParseAddr("192.0.2.1"))
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Flush(away, true); err == nil {
		t.Fatal("nothing is said")
	}
	l.Refused("acme", "bad_token", "", netip.MustParseAddr("192.0.2.1"))
	if err := l.Flush(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if got := refusals(t, l, "acme"); len(got) != 1 || !strings.Contains(got[0], "×2") {
		t.Error(got)
	}
}

func TestNoRefusalIsLostOrCountedTwice(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l, _ := counting(t, db)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 500 {
				l.Refused("acme", "bad_token", "", netip.MustParseAddr("192.0.2.1"))
			}
			if err := l.Flush(context.Background(), true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	running(t, l)() // stopping flushes
	total := 0
	for _, s := range refusals(t, l, "acme") {
		var n int
		if _, err := fmt.Sscanf(s[strings.Index(s, "×")+len("×"):], "%d", &n); err != nil {
			t.Fatal(err)
		}
		total += n
	}
	if total != 16*500 {
		t.Errorf("%d are counted", total)
	}
}
