package sms

import "time"

// What holds in prod without turnstile, on top of what is written.
const (
	capPerIP  = 3 // an hour
	capPerDay = 200
	day       = 24 * time.Hour
)

// counted is what a rule counts by: the column of sms_sends.
type counted string

const (
	byNumber  counted = "number"
	byNetwork counted = "network"
	byPrefix  counted = "prefix"
	byAll     counted = ""
)

// rule is never more than max in any span of window.
type rule struct {
	by     counted
	window time.Duration
	max    int
}

// capped reports whether the caps of prod hold.
func (c *Config) capped(at Place) bool {
	return at.Prod && c.Turnstile == nil && !c.AcceptAbuseRisk
}

// rules are all limits that hold.
func (c *Config) rules(at Place) []rule {
	out := c.written()
	if c.capped(at) {
		out = append(out, c.caps()...)
	}
	return out
}

func (c *Config) written() (out []rule) {
	add := func(by counted, w *WindowConfig) {
		if w != nil {
			out = append(out, rule{by, time.Duration(w.WindowMs) * time.Millisecond, w.Max})
		}
	}
	add(byNumber, c.Limits.PerNumber)
	add(byNetwork, c.Limits.PerIP)
	add(byPrefix, c.Limits.PerPrefix)
	if c.Limits.PerDay != nil {
		out = append(out, rule{byAll, day, *c.Limits.PerDay})
	}
	return out
}

// caps are those caps that no written limit implies.
func (c *Config) caps() (out []rule) {
	for _, cap := range []rule{{byNetwork, time.Hour, capPerIP}, {byAll, day, capPerDay}} {
		implied := false
		for _, w := range c.written() {
			implied = implied || w.by == cap.by && w.window >= cap.window && w.max <= cap.max
		}
		if !implied {
			out = append(out, cap)
		}
	}
	return out
}

// remember is how long a row is asked for by any rule or repeat.
func remember(rules []rule, dedupe time.Duration) time.Duration {
	longest := max(day, dedupe, unknownFor)
	for _, r := range rules {
		longest = max(longest, r.window)
	}
	return longest
}
