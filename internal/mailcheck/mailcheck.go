package mailcheck

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Answer is what is known of an address.
type Answer struct {
	Email  string `json:"email"` // as it was sent
	Valid  bool   `json:"valid"`
	Reason string `json:"reason,omitempty"` // why not; unknown where it is valid for want of an answer
}

// The reasons.
const (
	Format  = "format"
	Domain  = "domain"
	NoMX    = "no_mx"
	Unknown = "unknown"
)

// Resolver is what *net.Resolver does. Names come as ASCII, with a dot at the end.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
}

// Options are what a Checker works with.
type Options struct {
	Resolver Resolver      // nil: the system's
	Timeout  time.Duration // of all questions about one address: 3 s unless set
	Now      func() time.Time
}

// Checker checks addresses. It may be used by any number at once.
type Checker struct {
	o     Options
	known cache
	turns chan struct{}
}

const (
	standardTime = 3 * time.Second
	mostAtOnce   = 32
	longestEcho  = 1024 // of what has not the form of an address
)

// New makes a Checker.
func New(o Options) *Checker {
	if o.Resolver == nil {
		o.Resolver = &net.Resolver{}
	}
	o.Timeout = cmp.Or(max(o.Timeout, 0), standardTime)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Checker{o: o, turns: make(chan struct{}, mostAtOnce)}
}

// Check says what is known of an address. What is far too long for one is not given
// back whole.
func (c *Checker) Check(ctx context.Context, email string) Answer {
	a := Answer{Email: email}
	domain, ok := parse(email)
	switch {
	case !ok:
		a.Reason = Format
		if len(email) > longestEcho {
			a.Email = strings.ToValidUTF8(email[:longestEcho], "")
		}
	default:
		a.Reason = c.domain(ctx, domain)
		a.Valid = a.Reason == "" || a.Reason == Unknown
	}
	return a
}

// domain is what speaks against mail to a domain, "" where nothing does.
func (c *Checker) domain(ctx context.Context, domain string) string {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	e, first := c.known.entry(domain, c.o.Now())
	if !first {
		select {
		case <-e.done:
			return e.reason
		case <-ctx.Done():
			return Unknown
		}
	}
	// Others may wait for this answer: whoever asked first does not end it for them
	// by hanging up.
	shared, end := context.WithTimeout(context.WithoutCancel(ctx), c.o.Timeout)
	defer end()
	reason := Unknown
	defer func() { c.known.answer(domain, e, reason, c.o.Now()) }()
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
		reason = c.ask(shared, domain)
	case <-shared.Done():
	}
	return reason
}
