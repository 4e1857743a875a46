package mailcheck

import "time"

// Options are what a Checker works with.
type Options struct {
	Resolver Resolver      // nil: the system's
	Timeout  time.Duration // of all questions about one address: 3 s unless set
	Now      func() time.Time
}

// New makes a Checker.
func New(o Options) *Checker { return &Checker{o: o} }
