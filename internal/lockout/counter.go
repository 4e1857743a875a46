package lockout

import (
	"slices"
	"time"
)

// holdFor is how long a place is held for an attempt that nobody speaks of again:
// longer than any provider is waited for.
const holdFor = time.Minute

// counter is what a row holds: moments in unix milliseconds.
type counter struct{ wrong, held []int64 }

// at is the counter without what no longer counts.
func (c counter) at(now time.Time, window time.Duration) counter {
	return counter{since(c.wrong, now.Add(-window)), since(c.held, now.Add(-holdFor))}
}

// since are the moments after start. A span is half open, and other nodes' clocks
// may be ahead: what is to come counts.
func since(moments []int64, start time.Time) []int64 {
	out := make([]int64, 0, len(moments)+1)
	for _, m := range moments {
		if m > start.UnixMilli() {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}

// wait is how long there is no place under a rule; 0: there is one now. The counter
// is one of at.
func (c counter) wait(now time.Time, r rule) time.Duration {
	switch {
	case len(c.wrong)+len(c.held) < r.max:
		return 0
	case len(c.wrong) < r.max: // until one of those under way is answered, which is soon
		return time.Second
	}
	free := time.UnixMilli(c.wrong[len(c.wrong)-r.max]).Add(r.window)
	return max(free.Sub(now), time.Millisecond)
}

// hold takes a place.
func (c *counter) hold(now time.Time) { c.held = append(c.held, now.UnixMilli()) }

// give gives a place up: the oldest.
func (c *counter) give() {
	if len(c.held) > 0 {
		c.held = c.held[1:]
	}
}

// fail counts a failure. Of more than a rule can ask about, the oldest are of no
// interest.
func (c *counter) fail(now time.Time, r rule) {
	c.wrong = append(c.wrong, now.UnixMilli())
	if n := len(c.wrong) - r.max; n > 0 {
		c.wrong = c.wrong[n:]
	}
}

// ends is when nothing of it counts any more.
func (c counter) ends(r rule) time.Time {
	var end time.Time
	if n := len(c.wrong); n > 0 {
		end = time.UnixMilli(slices.Max(c.wrong)).Add(r.window)
	}
	if n := len(c.held); n > 0 {
		if held := time.UnixMilli(slices.Max(c.held)).Add(holdFor); held.After(end) {
			end = held
		}
	}
	return end
}

func (c counter) empty() bool { return len(c.wrong) == 0 && len(c.held) == 0 }
