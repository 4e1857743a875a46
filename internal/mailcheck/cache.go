package mailcheck

import (
	"sync"
	"time"
)

const (
	keptFor     = 5 * time.Minute
	unsureFor   = 5 * time.Second // what was not answered
	mostDomains = 4096
)

// entry is an answer about a domain, or the question.
type entry struct {
	done   chan struct{} // closed with the answer
	reason string
	ends   time.Time // zero while it is a question
}

// cache keeps answers, and lets each question be asked once at a time.
type cache struct {
	mu sync.Mutex
	by map[string]*entry
}

// entry finds or makes a domain's. first is for whoever has to ask.
func (c *cache) entry(domain string, now time.Time) (e *entry, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.by[domain]; e != nil && (e.ends.IsZero() || now.Before(e.ends)) {
		return e, false
	}
	if c.by == nil {
		c.by = map[string]*entry{}
	}
	if len(c.by) >= mostDomains {
		c.makeRoom(now)
	}
	e = &entry{done: make(chan struct{})}
	if len(c.by) < mostDomains {
		c.by[domain] = e
	}
	return e, true
}

// makeRoom removes what is over, else some answers: any, since forgetting one costs
// a question.
func (c *cache) makeRoom(now time.Time) {
	for domain, e := range c.by {
		if !e.ends.IsZero() && !now.Before(e.ends) {
			delete(c.by, domain)
		}
	}
	for domain, e := range c.by {
		if len(c.by) < mostDomains-mostDomains/16 {
			return
		}
		if !e.ends.IsZero() {
			delete(c.by, domain)
		}
	}
}

// answer gives the answer to whoever waits for it.
func (c *cache) answer(domain string, e *entry, reason string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.reason, e.ends = reason, now.Add(keptFor)
	if reason == Unknown {
		e.ends = now.Add(unsureFor)
	}
	close(e.done)
}
