package limit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// mostInSpan returns the most admissions that any half-open span of the window
// holds.
func mostInSpan(admitted []time.Duration, window time.Duration) int {
	most, from := 0, 0
	for i, at := range admitted {
		for at-admitted[from] >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func drawRule(t *rapid.T) Rule {
	return Rule{
		Window: time.Duration(rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(1, int64(time.Hour))).Draw(t, "window")),
		Max:    rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(100, 140), rapid.IntRange(1, 1000)).Draw(t, "max"),
	}
}

// drawGap is a time between arrivals: none, tiny, or about the window.
func drawGap(t *rapid.T, r Rule) time.Duration {
	w := int64(r.Window)
	return time.Duration(rapid.OneOf(
		rapid.Just(int64(0)), rapid.Int64Range(0, w/int64(r.Max)+1), rapid.Int64Range(0, w/100+1), rapid.SampledFrom([]int64{w - 1, w, w + 1}), rapid.Int64Range(0, 2*w),
	).Draw(t, "gap"))
}

func TestNeverMoreThanMaxInAnySpan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule, table := drawRule(t), NewTable(1000)
		var admitted []time.Duration
		now := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(t, "bursts") {
			now += drawGap(t, rule)
			for range rapid.IntRange(1, rule.Max+2).Draw(t, "burst") {
				r := table.Take(subject(1), rule, start.Add(now))
				counted := countSince(admitted, now-rule.Window)
				strict := countSince(admitted, now-rule.Window-rule.Window/120-1)
				switch {
				case r.Allowed:
					admitted = append(admitted, now)
					if rule.Max <= maxMoments && r.Remaining != rule.Max-counted-1 {
						t.Fatalf("remaining %d, want %d", r.Remaining, rule.Max-counted-1)
					}
				case rule.Max <= maxMoments && counted < rule.Max:
					t.Fatalf("refused with %d of %d in the window", counted, rule.Max)
				case strict < rule.Max:
					t.Fatalf("refused with %d of %d in the window and a cell more", strict, rule.Max)
				case r.RetryAfter <= 0 || r.RetryAfter > rule.Window:
					t.Fatalf("retry after %v in a window of %v", r.RetryAfter, rule.Window)
				}
			}
		}
		if n := mostInSpan(admitted, rule.Window); n > rule.Max {
			t.Fatalf("%d admitted in one span of %v, max %d", n, rule.Window, rule.Max)
		}
	})
}

// countSince counts what lies after a moment.
func countSince(admitted []time.Duration, after time.Duration) int {
	n := 0
	for i := len(admitted) - 1; i >= 0 && admitted[i] > after; i-- {
		n++
	}
	return n
}

func TestAnIdleKeyGetsAllAtOnceAndRetryAfterIsTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule, table := drawRule(t), NewTable(1000)
		now := time.Duration(0)
		for range 3 {
			for i := range rule.Max {
				if r := table.Take(subject(1), rule, start.Add(now)); !r.Allowed || r.Remaining != rule.Max-i-1 {
					t.Fatalf("request %d of %d at once: %+v", i+1, rule.Max, r)
				}
			}
			r := table.Take(subject(1), rule, start.Add(now))
			if r.Allowed {
				t.Fatalf("one more than max")
			}
			if early := table.Take(subject(1), rule, start.Add(now+r.RetryAfter-1)); early.Allowed {
				t.Fatalf("admitted before Retry-After")
			}
			now += r.RetryAfter
			if !table.Take(subject(1), rule, start.Add(now)).Allowed {
				t.Fatalf("refused after Retry-After %v", r.RetryAfter)
			}
			now += 2 * rule.Window
		}
	})
}

// TestASmallTableNeverAdmitsMore drives many keys and rules through a table
// that is far too small, several limits at a time.
func TestASmallTableNeverAdmitsMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable(rapid.IntRange(1, 6).Draw(t, "entries"))
		rules := []Rule{{time.Second, 1}, {3 * time.Second, 2}, {time.Second, 3}, {2 * time.Second, 130}}
		admitted := map[Key][]time.Duration{}
		now := time.Duration(0)
		for range rapid.IntRange(1, 300).Draw(t, "requests") {
			now += time.Duration(rapid.SampledFrom([]int{0, 0, 1, 100, 500, 1000}).Draw(t, "gap")) * time.Millisecond
			var claims []Claim
			for range rapid.IntRange(1, 4).Draw(t, "claims") {
				n := rapid.IntRange(0, len(rules)-1).Draw(t, "rule")
				claims = append(claims, Claim{TextKey(uint64(n), string(rune('a'+rapid.IntRange(0, 40).Draw(t, "who")))), rules[n]})
			}
			if !table.TakeAll(claims, start.Add(now)).Allowed {
				continue
			}
			seen := map[Key]bool{}
			for _, c := range claims {
				if !seen[c.Key] {
					seen[c.Key] = true
					admitted[c.Key] = append(admitted[c.Key], now)
				}
			}
		}
		for k, at := range admitted {
			if n := mostInSpan(at, rules[k.Rule].Window); n > rules[k.Rule].Max {
				t.Fatalf("rule %d: %d admitted in one span", k.Rule, n)
			}
		}
		for i := range table.shards {
			for _, x := range table.shards[i].slots {
				if x.pins != 0 || table.shards[i].live[x.key] != x {
					t.Fatalf("slot %+v is pinned or lost", x)
				}
			}
		}
	})
}
