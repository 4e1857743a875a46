package castle

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Stats are figures since the start.
type Stats struct {
	Allowed, Challenged, Denied int64 // verdicts, those of onError among them
	Failing                     int64 // calls that Castle did not answer as it should
	Refused                     int64 // calls that Castle refused for our secret or address: an alert
	Sent, Dropped               int64 // events of the queue; those that failed are dropped too
	Queued                      int   // now
}

type stats struct {
	allowed, challenged, denied, failing, refused, sent, dropped atomic.Int64
}

// count counts a verdict.
func (s *stats) count(v Verdict) Verdict {
	switch v.Action {
	case Allow:
		s.allowed.Add(1)
	case Challenge:
		s.challenged.Add(1)
	default:
		s.denied.Add(1)
	}
	return v
}

// Stats reads the figures.
func (c *Client) Stats() Stats {
	s := &c.stats
	return Stats{s.allowed.Load(), s.challenged.Load(), s.denied.Load(), s.failing.Load(), s.refused.Load(), s.sent.Load(), s.dropped.Load(), c.queue.len()}
}

// alarm lets one line of each kind through in a minute: what is wrong with Castle
// is wrong with every sign-in.
type alarm struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (a *alarm) ring(what string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last, rang := a.last[what]; rang && now.Sub(last) < time.Minute && !now.Before(last) {
		return false
	}
	if a.last == nil {
		a.last = map[string]time.Time{}
	}
	a.last[what] = now // of our own texts: few
	return true
}

// alert says what an operator has to mend.
func (c *Client) alert(ctx context.Context, what string, status int) {
	c.stats.refused.Add(1)
	if c.alarm.ring(what, c.d.Now()) {
		c.d.Log.ErrorContext(ctx, what, "host", c.soon.Host(), "status", status)
	}
}

// failing says that Castle is.
func (c *Client) failing(ctx context.Context, why string) {
	c.stats.failing.Add(1)
	if c.alarm.ring("failing", c.d.Now()) {
		c.d.Log.WarnContext(ctx, "castle is failing", "host", c.soon.Host(), "why", why, "onError", c.c.OnError)
	}
}
