package lockout

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestTenWrongPasswordsOfOneAddressAndThenNoneForAWhile(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		for i := range 10 {
			if !r.wrong(t, k) {
				t.Fatalf("wrong password %d is refused", i+1)
			}
			r.clock.add(time.Second)
		}
		f := r.Check(t.Context(), k)
		wantTooMany(t, f)
		if f.RetryAfter != 15*time.Minute-10*time.Second {
			t.Errorf("Retry-After %s", f.RetryAfter)
		}
		wantTooMany(t, r.second.Check(t.Context(), k)) // the other node knows
		r.free(t, at("bob@example.com", "198.51.100.7"))
		r.free(t, at("alice@example.com", "198.51.100.8")) // nobody is locked out from elsewhere
		r.free(t, Key{Realm: "backoffice", Account: k.Account, IP: k.IP})
		r.clock.add(f.RetryAfter - time.Millisecond)
		wantTooMany(t, r.Check(t.Context(), k))
		r.clock.add(time.Millisecond)
		if !r.wrong(t, k) { // one place, since one failure is over
			t.Error("still refused when Retry-After is over")
		}
		wantTooMany(t, r.Check(t.Context(), k))
	})
}

// P5: whatever way an account is spelled, it is counted once.
func TestEverySpellingOfAnAccountIsCountedAsOne(t *testing.T) {
	for _, spellings := range [][]string{
		{"kate@example.com", "KATE@EXAMPLE.COM", " kate@example.com", "kate@example.com\t", "kate@example.com.", "\u212Aate@example.com", "kate\u200b@example.com",
			"ｋａｔｅ＠example.com", "kate@exam\u00adple.com", "kate@EXAMPLE。com", "kate@example.com\u00a0", "\ufeffkate@example.com", "kate@example.com\u0000", "ka te@example.com"},
		{"josé@bücher.example", "JOSÉ@BÜCHER.example", "jose\u0301@bu\u0308cher.example", "josé@xn--bcher-kva.example", "josé@XN--BCHER-KVA.EXAMPLE."},
		{"straße", "STRASSE", "Strasse", "ﬆraße"},
		{"user", "USER", "uSer", "uſer", "𝐮𝐬𝐞𝐫", " user "},
	} {
		want := fold(spellings[0])
		for _, s := range spellings {
			if got := fold(s); got != want {
				t.Errorf("fold(%q) = %q, want %q", s, got, want)
			}
		}
	}
	each(t, nil, func(t *testing.T, r *room) {
		for i, s := range []string{"kate@example.com", "KATE@example.com", "Kate@Example.Com.", "\u212Aate@example.com", "kate\u200b@example.com",
			"ｋａｔｅ＠example.com", " kate@example.com", "kate@example.com ", "kAte@example.com", "kaTe@example.com"} {
			if !r.wrong(t, at(s, "2001:db8::"+fmt.Sprint(i+1))) { // and every address of a line is one
				t.Fatalf("spelling %d is refused", i)
			}
		}
		wantTooMany(t, r.Check(t.Context(), at("kate@example.com", "2001:db8::ffff")))
		r.free(t, at("kate@example.com", "2001:db8:0:1::1"))
		r.free(t, at("kate+a@example.com", "2001:db8::1")) // another mailbox for all anybody knows
	})
}

func TestOneAddressMaySpoilFiftyPasswordsOfWhomever(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		for i := range 50 {
			if !r.wrong(t, at(fmt.Sprintf("u%d@example.com", i), "198.51.100.7")) {
				t.Fatalf("wrong password %d is refused", i+1)
			}
		}
		wantTooMany(t, r.Check(t.Context(), at("new@example.com", "198.51.100.7")))
		wantTooMany(t, r.Check(t.Context(), Key{Realm: "login", IP: netip.MustParseAddr("198.51.100.7")})) // who names nobody
		wantTooMany(t, r.Check(t.Context(), at("x", "::ffff:198.51.100.7")))                               // the same in its other form
		r.free(t, at("new@example.com", "198.51.100.8"))
	})
}

// What others do elsewhere locks nobody out who signed in lately.
func TestAboveAHundredAnHourOnlyKnownAddressesCount(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		home, owner := "192.0.2.1", "owner@example.com"
		if f := r.Check(t.Context(), at(owner, home)); f != nil {
			t.Fatal(f)
		}
		if err := r.Succeeded(t.Context(), at(owner, home)); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if !r.wrong(t, at(owner, fmt.Sprintf("198.51.100.%d", i/5))) {
				t.Fatalf("wrong password %d is refused", i+1)
			}
		}
		f := r.Check(t.Context(), at(owner, "203.0.113.9"))
		wantTooMany(t, f)
		if f.RetryAfter != time.Hour {
			t.Errorf("Retry-After %s", f.RetryAfter)
		}
		unknown := "nobody@example.com"
		for i := range 100 {
			r.wrong(t, at(unknown, fmt.Sprintf("198.51.101.%d", i/5)))
		}
		if g := r.Check(t.Context(), at(unknown, "203.0.113.9")); g == nil || g.Code != f.Code || g.Text() != f.Text() || g.RetryAfter != f.RetryAfter {
			t.Errorf("an account that was never signed in to is refused by %+v, another by %+v", g, f)
		}
		r.free(t, at(owner, home))
		for range 10 { // who is known has no more guesses than anybody
			r.wrong(t, at(owner, home))
		}
		wantTooMany(t, r.Check(t.Context(), at(owner, home)))
		r.clock.add(time.Hour)
		r.free(t, at(owner, "203.0.113.9"))
		r.clock.add(30*24*time.Hour - time.Hour - time.Millisecond)
		r.attack(t, owner)
		r.free(t, at(owner, home))
		r.clock.add(time.Millisecond)
		wantTooMany(t, r.Check(t.Context(), at(owner, home)))
	})
}

func (r *room) attack(t *testing.T, account string) {
	t.Helper()
	for i := range 100 {
		r.wrong(t, at(account, fmt.Sprintf("198.51.100.%d", i/5)))
	}
}

// A guess that is under way counts, so that no crowd of them is looked at.
func TestOfManyGuessesAtOnceTenAreLookedAt(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		var let atomic.Int32
		guess := func(i int) error {
			node := []*Lockout{r.Lockout, r.second}[i%2]
			if f := node.Check(t.Context(), k); f != nil {
				if f.Kind != fault.TooManyRequests {
					return f
				}
				return nil
			}
			let.Add(1)
			return nil
		}
		storetest.Callers(t, 16, guess)
		if let.Load() != 10 {
			t.Fatalf("%d of 16 guesses at once are looked at", let.Load())
		}
		if f := r.Check(t.Context(), k); f == nil || f.RetryAfter != time.Second {
			t.Errorf("while others are under way: %+v", f)
		}
		storetest.Callers(t, 10, func(i int) error { return []*Lockout{r.Lockout, r.second}[i%2].Failed(t.Context(), k) })
		if f := r.Check(t.Context(), k); f == nil || f.RetryAfter != 15*time.Minute {
			t.Errorf("after ten failures: %+v", f)
		}
	})
}

func TestFailuresAtOnceAreAllCounted(t *testing.T) {
	each(t, &Config{PerAccount: &RuleConfig{Max: 16, WindowMs: 60_000}}, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		storetest.Callers(t, 16, func(i int) error {
			node := []*Lockout{r.Lockout, r.second}[i%2]
			if f := node.Check(t.Context(), k); f != nil {
				return f
			}
			return node.Failed(t.Context(), k)
		})
		if f := r.Check(t.Context(), k); f == nil || f.RetryAfter != time.Minute {
			t.Errorf("after 16 failures at once: %+v", f)
		}
	})
}

func TestWhatIsNoFailureLeavesNothing(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		for range 30 {
			r.free(t, k)
		}
		for range 30 {
			if f := r.Check(t.Context(), k); f != nil {
				t.Fatal(f)
			}
			if err := r.Succeeded(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.rows(t, "lockout_counters"); n != 0 {
			t.Errorf("%d counters are left", n)
		}
		if n := r.rows(t, "lockout_known"); n != 1 {
			t.Errorf("%d known addresses", n)
		}
	})
}

func TestASuccessTakesNothingBack(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		for range 9 {
			r.wrong(t, k)
		}
		if f := r.Check(t.Context(), k); f != nil {
			t.Fatal(f)
		}
		if err := r.Succeeded(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		if !r.wrong(t, k) {
			t.Error("the tenth is refused")
		}
		wantTooMany(t, r.Check(t.Context(), k))
	})
}

// A node that dies in the middle keeps nobody out for long.
func TestAPlaceThatNobodySpeaksOfIsFreeAfterAMinute(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		for range 10 {
			if f := r.Check(t.Context(), k); f != nil {
				t.Fatal(f)
			}
		}
		r.clock.add(time.Minute - time.Millisecond)
		wantTooMany(t, r.Check(t.Context(), k))
		r.clock.add(time.Millisecond)
		r.free(t, k)
	})
}

func TestAGuessCountsWhenTheClientHangsUp(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		for range 10 {
			ctx, hangUp := context.WithCancel(t.Context())
			if f := r.Check(ctx, k); f != nil {
				t.Fatal(f)
			}
			hangUp()
			if err := r.Failed(ctx, k); err != nil {
				t.Fatal(err)
			}
		}
		wantTooMany(t, r.Check(t.Context(), k))
	})
}

func TestAStoreThatIsAwayRefuses(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		r.free(t, k)
		if err := r.db.Close(); err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]*fault.Error{
			"check": r.Check(t.Context(), k), "attempts": r.Attempts(t.Context(), "email", "a@b.example", netip.Addr{}, 3, time.Hour),
			"a new node": New(Deps{DB: r.db, Keys: r.d.Keys}, nil).Check(t.Context(), k),
		} {
			if f == nil || f.Kind != fault.Unavailable {
				t.Errorf("%s: %+v", name, f)
			}
		}
		var f *fault.Error
		if err := r.Failed(t.Context(), k); !errors.As(err, &f) || f.Kind != fault.Unavailable {
			t.Errorf("failed: %v", err)
		}
	})
}

func TestWithoutAMasterKeyNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	f := New(Deps{DB: storetest.SQLite(t)}, nil).Check(t.Context(), at("a", "192.0.2.1"))
	if f == nil || f.Kind != fault.Unavailable {
		t.Errorf("%+v", f)
	}
}

func TestNobodysNameOrAddressIsStored(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		k := at("alice@example.com", "198.51.100.7")
		r.wrong(t, k)
		if err := r.Succeeded(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		if f := r.Attempts(t.Context(), "email", "bob@example.com", k.IP, 3, time.Hour); f != nil {
			t.Fatal(f)
		}
		err := r.db.Read(t.Context(), func(tx *store.Tx) error {
			all, err := store.List(tx, func(row store.Row) (string, error) {
				var a, b, c string
				err := row.Scan(&a, &b, &c)
				return a + b + c, err
			}, `SELECT kind, digest, network FROM lockout_counters UNION ALL SELECT account, address, '' FROM lockout_known`)
			for _, s := range all {
				if strings.Contains(s, "alice") || strings.Contains(s, "bob") || strings.Contains(s, "198.51") {
					t.Errorf("the store holds %q", s)
				}
			}
			if len(all) < 5 {
				t.Errorf("%d rows", len(all))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatIsOverIsRemoved(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		r.wrong(t, at("alice@example.com", "198.51.100.7"))
		if err := r.Succeeded(t.Context(), at("alice@example.com", "198.51.100.7")); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after           time.Duration
			counters, known int
		}{{15*time.Minute - 1, 3, 1}, {1, 1, 1}, {45 * time.Minute, 0, 1}, {29*24*time.Hour + 23*time.Hour, 0, 0}} {
			r.clock.add(step.after)
			if err := r.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c, k := r.rows(t, "lockout_counters"), r.rows(t, "lockout_known"); c != step.counters || k != step.known {
				t.Errorf("%s: %d counters, %d known", r.clock.now(), c, k)
			}
		}
	})
}
