package limit

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

func subject(n int) Key { return TextKey(1, "subject", fmt.Sprint(n)) }

func TestTheNumbersOfOneKey(t *testing.T) {
	t.Parallel()
	table, rule := NewTable(100), Rule{Window: time.Minute, Max: 3}
	for _, c := range []struct {
		name      string
		at        time.Duration
		allowed   bool
		remaining int
		reset     time.Duration // after start
	}{
		{"the first", 0, true, 2, time.Minute},
		{"the second", 10 * time.Second, true, 1, time.Minute},
		{"the third", 20 * time.Second, true, 0, time.Minute},
		{"one too many", 30 * time.Second, false, 0, time.Minute},
		{"a nanosecond too early", time.Minute - 1, false, 0, time.Minute},
		{"when the first has left", time.Minute, true, 0, 70 * time.Second},
		{"and again one too many", 61 * time.Second, false, 0, 70 * time.Second},
		{"after a long rest", time.Hour, true, 2, time.Hour + time.Minute},
	} {
		now := start.Add(c.at)
		got := table.Take(subject(1), rule, now)
		want := Result{Allowed: c.allowed, Limit: 3, Remaining: c.remaining, Reset: start.Add(c.reset)}
		if !c.allowed {
			want.RetryAfter = c.reset - c.at
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

func TestKeysAndRulesCountApart(t *testing.T) {
	t.Parallel()
	table, rule := NewTable(100), Rule{Window: time.Minute, Max: 1}
	a := Key{Rule: RuleID("/login", "5"), Subject: [16]byte{1}}
	b := Key{Rule: RuleID("/login", "6"), Subject: [16]byte{1}}
	for _, k := range []Key{a, b, subject(1), subject(2)} {
		if !table.Take(k, rule, start).Allowed || table.Take(k, rule, start).Allowed {
			t.Errorf("%v does not count alone", k)
		}
	}
	if RuleID("a", "bc") == RuleID("ab", "c") || TextKey(1, "a", "bc") == TextKey(1, "ab", "c") {
		t.Error("parts run into each other")
	}
}

func TestOddRules(t *testing.T) {
	t.Parallel()
	table := NewTable(100)
	if r := table.Take(subject(1), Rule{Window: time.Minute}, start); r.Allowed || r.RetryAfter != time.Minute {
		t.Errorf("max 0: %+v", r)
	}
	if r := table.Take(subject(2), Rule{Window: 0, Max: 1}, start); !r.Allowed {
		t.Errorf("no window: %+v", r)
	}
	if r := table.TakeAll(nil, start); r != (Result{}) {
		t.Errorf("no claims: %+v", r)
	}
	table.Take(subject(3), Rule{Window: time.Minute, Max: 1}, start)
	if r := table.Take(subject(3), Rule{Window: time.Minute, Max: 1}, start.Add(-time.Hour)); r.Allowed || r.RetryAfter != 61*time.Minute {
		t.Errorf("a clock that was put back opens the window: %+v", r)
	}
}

func TestWholeSecondsAreRoundedUp(t *testing.T) {
	t.Parallel()
	r := Result{Reset: start.Add(1), RetryAfter: time.Second + 1}
	if r.RetrySeconds() != 2 || r.ResetUnix() != start.Unix()+1 {
		t.Errorf("%d, %d", r.RetrySeconds(), r.ResetUnix())
	}
	r = Result{Reset: start, RetryAfter: time.Second}
	if r.RetrySeconds() != 1 || r.ResetUnix() != start.Unix() {
		t.Errorf("%d, %d", r.RetrySeconds(), r.ResetUnix())
	}
}

func TestARefusalUsesNothingUp(t *testing.T) {
	t.Parallel()
	table := NewTable(100)
	wide, narrow := Claim{subject(1), Rule{time.Minute, 10}}, Claim{subject(2), Rule{time.Hour, 1}}
	both := []Claim{wide, narrow, wide}
	if r := table.TakeAll(both, start); !r.Allowed || r.Claim != 1 || r.Limit != 1 || r.Remaining != 0 {
		t.Errorf("the tightest is not reported: %+v", r)
	}
	for range 20 {
		if r := table.TakeAll(both, start); r.Allowed || r.Limit != 1 || r.RetryAfter != time.Hour {
			t.Errorf("the second request: %+v", r)
		}
	}
	if r := table.Take(wide.Key, wide.Rule, start); r.Remaining != 8 {
		t.Errorf("refused requests, or one key twice, were counted: %+v", r)
	}
}

func TestTighter(t *testing.T) {
	t.Parallel()
	loose, tight := Result{Allowed: true, Limit: 9, Remaining: 8}, Result{Allowed: true, Limit: 5, Remaining: 1}
	short, long := Result{Limit: 1, RetryAfter: 1}, Result{Limit: 2, RetryAfter: 2}
	for _, c := range []struct{ a, b, want Result }{
		{loose, tight, tight}, {short, tight, short}, {short, long, long}, {Result{}, loose, loose},
	} {
		if Tighter(c.a, c.b) != c.want || Tighter(c.b, c.a) != c.want {
			t.Errorf("Tighter(%+v, %+v) is not %+v both ways", c.a, c.b, c.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	claims := func(s string) []Claim {
		return AppendAddress(nil, 7, netip.MustParseAddr(s), Rule{time.Minute, 2})
	}
	same := func(a, b string) bool { return claims(a)[0] == claims(b)[0] }
	if len(claims("10.0.0.1")) != 1 || same("10.0.0.1", "10.0.0.2") || !same("10.0.0.1", "::ffff:10.0.0.1") {
		t.Error("IPv4 counts by the address, however it is written")
	}
	if !same("2001:db8::1", "2001:db8::ffff:1") || same("2001:db8::1", "2001:db8:0:1::1") || !same("fe80::1%eth0", "fe80::1") {
		t.Error("IPv6 counts by /64")
	}
	a, b := claims("2001:db8:1:1::1")[1], claims("2001:db8:1:2::1")[1]
	if a != b || a.Rule.Max != 32 || a == claims("2001:db8:2:1::1")[1] || a.Key.Rule == claims("2001:db8:1:1::1")[0].Key.Rule {
		t.Error("and by /48 at 16 times")
	}
	if got := AppendAddress(nil, 7, netip.Addr{}, Rule{time.Minute, 2}); len(got) != 1 {
		t.Error("no address is one client")
	}
	table, admitted := NewTable(10000), 0
	for i := range 1000 {
		claims := AppendAddress(nil, 7, netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::1", i)), Rule{time.Minute, 2})
		if table.TakeAll(claims, start).Allowed {
			admitted++
		}
	}
	if admitted != 32 {
		t.Errorf("a /48 got %d requests in by changing its /64, want 32", admitted)
	}
}

func TestAFullTableForgetsNobody(t *testing.T) {
	t.Parallel()
	table, rule := NewTable(8), Rule{Window: time.Minute, Max: 2}
	table.Take(subject(1), rule, start)
	table.Take(subject(1), rule, start)
	for i := 2; i < 5000; i++ {
		table.Take(subject(i), rule, start.Add(time.Second))
	}
	if table.Len() > 8 || len(table.shards[0].overflow) > overflowSlots {
		t.Errorf("the table holds %d keys and %d shared windows", table.Len(), len(table.shards[0].overflow))
	}
	if table.Take(subject(1), rule, start.Add(2*time.Second)).Allowed {
		t.Error("a flood pushed a live counter out")
	}
	for i := range 8 {
		if !table.Take(subject(-i), rule, start.Add(2*time.Minute)).Allowed {
			t.Error("when the flood is over, its slots are free again")
		}
	}
}

func TestSixteenCallersShareOneLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 100, 5000} {
		table, rule := NewTable(1000), Rule{Window: time.Hour, Max: limit}
		var admitted atomic.Int64
		var wg sync.WaitGroup
		for c := range 16 {
			wg.Go(func() {
				for i := range 1000 {
					claims := []Claim{{subject(1), rule}, {subject(2 + (c+i)%7), Rule{time.Hour, 1 << 20}}}
					if table.TakeAll(claims, start.Add(time.Duration(i))).Allowed {
						admitted.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if admitted.Load() != int64(limit) {
			t.Errorf("%d of %d admitted", admitted.Load(), limit)
		}
	}
}

func TestLookingCountsNothing(t *testing.T) {
	t.Parallel()
	table, rule := NewTable(100), Rule{Window: time.Minute, Max: 2}
	claims := []Claim{{TextKey(1, "a"), rule}}
	for range 5 {
		if r := table.Look(claims, start); !r.Allowed || r.Remaining != 1 {
			t.Fatalf("%+v", r)
		}
	}
	for i, want := range []bool{true, true, false} {
		if got := table.Look(claims, start).Allowed; got != want {
			t.Errorf("before the request %d it says %v", i, got)
		}
		if got := table.TakeAll(claims, start).Allowed; got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
	if r := table.Look(claims, start); r.RetryAfter != time.Minute {
		t.Errorf("%+v", r)
	}
	if r := table.Look(claims, start.Add(time.Minute)); !r.Allowed {
		t.Errorf("a minute later: %+v", r)
	}
}
