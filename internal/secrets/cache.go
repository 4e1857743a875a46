package secrets

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/portreeve/portreeve/internal/change"
)

const (
	parts       = 16
	mostHeld    = 1024    // secrets in a part
	mostBytes   = 1 << 20 // bytes in a part: 16 MiB in all
	mostWaiting = 4096    // uses in a part of secrets that are no longer held
)

// ident is a secret's name.
type ident struct{ tenant, name string }

// opened is a secret as it was read, or that there was none.
type opened struct {
	ident
	id    string // of the row; "": there is none
	value string
	asOf  int64 // the change that the store had seen for certain
	slot  change.Slot

	uses, last atomic.Int64 // since the last drain
}

func (o *opened) size() int { return len(o.value) + len(o.tenant) + len(o.name) + 200 }

// use is how often a row was used.
type use struct {
	tenant, id string
	uses, last int64
}

// cache is the opened values, within a bound: where there is no room, any others
// go. Plain values stay in it no longer than until the next drain once they were
// changed or deleted.
type cache struct {
	seed  maphash.Seed
	holds func(*opened) bool
	part  [parts]part
}

type part struct {
	mu    sync.RWMutex
	held  map[ident]*opened
	bytes int
	left  map[[2]string]use // by tenant and row: uses of what is no longer held
}

func newCache(holds func(*opened) bool) *cache {
	c := &cache{seed: maphash.MakeSeed(), holds: holds}
	for i := range c.part {
		c.part[i].held, c.part[i].left = map[ident]*opened{}, map[[2]string]use{}
	}
	return c
}

func (c *cache) of(n ident) *part {
	return &c.part[(maphash.String(c.seed, n.tenant)^maphash.String(c.seed, n.name)<<1)%parts]
}

// get returns what is held and has not changed since.
func (c *cache) get(n ident) *opened {
	p := c.of(n)
	p.mu.RLock()
	o := p.held[n]
	p.mu.RUnlock()
	if o == nil || !c.holds(o) {
		return nil
	}
	return o
}

// put holds what was read.
func (c *cache) put(o *opened) {
	p := c.of(o.ident)
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.held[o.ident]; old != nil {
		if old.asOf > o.asOf {
			return
		}
		p.drop(old)
	}
	for _, other := range p.held {
		if len(p.held) < mostHeld && p.bytes+o.size() <= mostBytes {
			break
		}
		p.drop(other)
	}
	p.held[o.ident] = o
	p.bytes += o.size()
}

// drop forgets a value, and keeps its uses.
func (p *part) drop(o *opened) {
	delete(p.held, o.ident)
	p.bytes -= o.size()
	p.keep(use{o.tenant, o.id, o.uses.Swap(0), o.last.Load()})
}

func (p *part) keep(u use) {
	key := [2]string{u.tenant, u.id}
	had, ok := p.left[key]
	if u.uses == 0 || u.id == "" || !ok && len(p.left) >= mostWaiting {
		return
	}
	p.left[key] = use{u.tenant, u.id, had.uses + u.uses, max(had.last, u.last)}
}

// used counts one use.
func (c *cache) used(o *opened, now int64) {
	if o.id == "" {
		return
	}
	p := c.of(o.ident)
	p.mu.RLock()
	if p.held[o.ident] == o { // and stays so as long as the lock is held
		o.uses.Add(1)
		o.last.Store(now)
		p.mu.RUnlock()
		return
	}
	p.mu.RUnlock()
	p.mu.Lock()
	p.keep(use{o.tenant, o.id, 1, now})
	p.mu.Unlock()
}

// drain takes the uses, and forgets what has changed.
func (c *cache) drain() (out []use) {
	for i := range c.part {
		p := &c.part[i]
		p.mu.Lock()
		for _, o := range p.held {
			if !c.holds(o) {
				p.drop(o)
			} else if n := o.uses.Swap(0); n > 0 {
				p.keep(use{o.tenant, o.id, n, o.last.Load()})
			}
		}
		for _, u := range p.left {
			out = append(out, u)
		}
		clear(p.left)
		p.mu.Unlock()
	}
	return out
}

// back takes uses again that could not be written.
func (c *cache) back(list []use) {
	for _, u := range list {
		p := c.of(ident{u.tenant, u.id})
		p.mu.Lock()
		p.keep(u)
		p.mu.Unlock()
	}
}
