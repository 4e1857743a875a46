package limit

import "time"

// Result is the verdict on one request, with the numbers of the limit that is
// tightest: of those that refuse the one that refuses longest, else the one
// with the least remaining.
type Result struct {
	Allowed   bool
	Claim     int // which of TakeAll's claims that limit is
	Limit     int // max of that limit
	Remaining int // further admissions possible now
	// Reset is when the oldest counted admission leaves the window, so that
	// Remaining grows again, or for a refusal when one is possible again.
	Reset      time.Time
	RetryAfter time.Duration // of a refusal: from now to Reset; never 0
}

// RetrySeconds is RetryAfter in whole seconds, rounded up, as Retry-After and
// retryAfter have it.
func (r Result) RetrySeconds() int64 { return int64((r.RetryAfter + time.Second - 1) / time.Second) }

// ResetUnix is Reset in whole Unix seconds, rounded up, as X-RateLimit-Reset
// has it.
func (r Result) ResetUnix() int64 {
	s := r.Reset.Unix()
	if r.Reset.Nanosecond() > 0 {
		s++
	}
	return s
}

// Tighter returns the tighter of two results, for limits that are taken at
// different stages of one request. A zero Result stands for no limit.
func Tighter(a, b Result) Result {
	switch {
	case a == (Result{}):
		return b
	case b == (Result{}):
		return a
	case a.Allowed != b.Allowed:
		if b.Allowed {
			return a
		}
		return b
	case !a.Allowed && b.RetryAfter > a.RetryAfter,
		a.Allowed && b.Remaining < a.Remaining,
		a.Allowed && b.Remaining == a.Remaining && b.Reset.After(a.Reset):
		return b
	}
	return a
}
