package lockout

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestThreeMailsAnHourHoweverTheAddressIsSpelled(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		ask := func(email string) *fault.Error {
			return r.Attempts(t.Context(), "email", email, netip.Addr{}, 3, time.Hour)
		}
		for _, email := range []string{"kate@example.com", "Kate@Example.com", "\u212Aate@example.com."} {
			if f := ask(email); f != nil {
				t.Fatalf("%q: %v", email, f)
			}
			r.clock.add(time.Minute)
		}
		f := ask("kate@example.com")
		wantTooMany(t, f)
		if f.RetryAfter != 57*time.Minute {
			t.Errorf("Retry-After %s", f.RetryAfter)
		}
		if f := ask("bob@example.com"); f != nil {
			t.Error(f)
		}
		r.clock.add(57 * time.Minute)
		if f := ask("kate@example.com"); f != nil { // what was refused did not count
			t.Error(f)
		}
	})
}

func TestACodeIsTriedSoManyTimesByHoweverManyAtOnce(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		var let atomic.Int32
		storetest.Callers(t, 16, func(i int) error {
			f := []*Lockout{r.Lockout, r.second}[i%2].Attempts(t.Context(), "mfa", "token", netip.MustParseAddr("2001:db8::1"), 5, 10*time.Minute)
			if f == nil {
				let.Add(1)
				return nil
			}
			if f.Kind != fault.TooManyRequests {
				return f
			}
			return nil
		})
		if let.Load() != 5 {
			t.Errorf("%d of 16 are let in", let.Load())
		}
		for _, other := range []struct{ kind, key, ip string }{{"other", "token", "2001:db8::1"}, {"mfa", "TOKEN", "2001:db8::1"}} {
			if f := r.Attempts(t.Context(), other.kind, other.key, netip.MustParseAddr(other.ip), 5, 10*time.Minute); f != nil {
				t.Errorf("%v: %v", other, f)
			}
		}
		for _, from := range []netip.Addr{netip.MustParseAddr("192.0.2.1"), {}} { // from wherever
			wantTooMany(t, r.Attempts(t.Context(), "mfa", "token", from, 5, 10*time.Minute))
		}
	})
}

func TestWithoutAKeyTheLineIsCounted(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		ask := func(ip string) *fault.Error {
			return r.Attempts(t.Context(), "mail_ip", "", netip.MustParseAddr(ip), 2, time.Hour)
		}
		if a, b := ask("2001:db8::1"), ask("2001:db8::2"); a != nil || b != nil {
			t.Fatal(a, b)
		}
		wantTooMany(t, ask("2001:db8::3"))
		if f := ask("2001:db8:0:1::1"); f != nil {
			t.Error(f)
		}
	})
}

// Whoever sends ever new tokens fills no store.
func TestOneAddressMakesAThousandRowsAtMost(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t), nil)
	ip, refused := netip.MustParseAddr("192.0.2.1"), 0
	for i := range mostRows + 5 {
		if f := r.Attempts(t.Context(), "mfa", fmt.Sprint(i), ip, 5, time.Hour); f != nil {
			wantTooMany(t, f)
			refused++
		}
	}
	if n := r.rows(t, "lockout_counters"); refused != 5 || n != mostRows {
		t.Errorf("%d rows, %d refused", n, refused)
	}
	if f := r.Attempts(t.Context(), "mfa", "0", ip, 5, time.Hour); f != nil { // what is there goes on
		t.Error(f)
	}
	if f := r.Attempts(t.Context(), "mfa", "another", netip.MustParseAddr("192.0.2.2"), 5, time.Hour); f != nil {
		t.Error(f)
	}
}

// No span of the window ever holds more than max, and Retry-After is the first
// moment that has a place.
func TestWindowsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rule{rapid.IntRange(1, 5).Draw(t, "max"), time.Duration(rapid.IntRange(1, 50).Draw(t, "window")) * time.Millisecond}
		now := time.UnixMilli(1_000_000)
		var c counter
		var let []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "later")) * time.Millisecond)
			c = c.at(now, r.window)
			wait := c.wait(now, r)
			within := 0
			for _, at := range let {
				if at.After(now.Add(-r.window)) {
					within++
				}
			}
			if (wait > 0) != (within >= r.max) {
				t.Fatalf("%d within the window, wait %s", within, wait)
			}
			if wait > 0 {
				if then := now.Add(wait); c.at(then, r.window).wait(then, r) != 0 || c.at(then.Add(-time.Millisecond), r.window).wait(then.Add(-time.Millisecond), r) == 0 && wait > time.Millisecond {
					t.Fatalf("wait %s is not the first free moment", wait)
				}
				continue
			}
			c.fail(now, r)
			let = append(let, now)
		}
	})
}

func TestFoldingIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "account")
		once := fold(s)
		if again := fold(once); again != once {
			t.Fatalf("fold(%q) = %q, and of that %q", s, once, again)
		}
		for _, alias := range []string{" " + s, s + "\u200b", strings.Map(unicode.SimpleFold, s)} { // another case of each letter
			if len(alias) <= longestAccount && fold(alias) != once {
				t.Fatalf("fold(%q) = %q, but fold(%q) = %q", s, once, alias, fold(alias))
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "a@b.c", "\u212A@\u00fcber.example", "\xff\xfe", strings.Repeat("a\u0301", 400), "a@xn--", "@", "İ@i", "\u034f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := fold(s)
		if again := fold(once); again != once {
			t.Fatalf("fold(%q) = %q, and of that %q", s, once, again)
		}
	})
}
