package proxy

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// maxAttempts bounds the addresses that one request is tried at, whatever the
// names have.
const maxAttempts = 16

// leastPatience is how long one address of several gets at least, as long as
// the member's time to connect lasts.
const leastPatience = 2 * time.Second

// nowhere: no member is left that could take the request.
const nowhere fate = unanswered + 1

// way is a request's way through its group.
type way struct {
	g       *Group
	at      *endpoint // whose running counts this request; nil between two
	m       *member
	until   time.Time // when connecting to m must be done
	past    [maxAttempts]*endpoint
	n       int // of past
	retries int
}

// ask sends the request and reads the answer's final head, where it may by way
// of several members.
func (x *exchange) ask() *fault.Error {
	y := &x.way
	if y.g == nil {
		f, _ := x.askOne(x.u.set.ConnectTimeout)
		return f
	}
	if y.g.set.Retries > 0 {
		y.g.budget.earn()
	}
	f, how := x.attempt()
	for (how == unreached || how == unanswered) && x.mayRetry() {
		again, next := x.attempt()
		if next == nowhere {
			y.g.budget.refund()
			break
		}
		y.retries++
		y.g.retried.Add(1)
		f, how = again, next
	}
	return f
}

// mayRetry reports whether the request may go to another member, and spends a
// retry of the budget on it: nothing of it can have been done twice in a way
// that matters, and nothing of its body is gone.
func (x *exchange) mayRetry() bool {
	y := &x.way
	return x.frame == noBody && idempotent(x.o.Method) && x.ctx.Err() == nil &&
		y.retries < y.g.set.Retries && y.n < maxAttempts && y.g.budget.spend()
}

// attempt tries one member: its addresses in turn as long as none can be
// connected to, since nothing was sent then, whatever the method.
func (x *exchange) attempt() (*fault.Error, fate) {
	y := &x.way
	if f, how := y.enter(x.ctx); f != nil {
		return f, how
	}
	for {
		x.u = y.at.up
		f, how := x.askOne(y.patience())
		if x.ctx.Err() == nil || how != unreached { // a client that left says nothing of a member
			y.at.learn(f, how)
		}
		if how != unreached || x.ctx.Err() != nil || !y.sibling() {
			return f, how
		}
	}
}

// enter chooses a member and one of its addresses.
func (y *way) enter(ctx context.Context) (*fault.Error, fate) {
	y.leave()
	for range y.g.members { // a trial may be somebody else's by now
		now := time.Now()
		m := y.g.choose(now.UnixNano(), y)
		if m == nil {
			break
		}
		y.m, y.until = m, now.Add(m.set.ConnectTimeout)
		list, err := m.addresses(ctx)
		if err != nil {
			return dialFault(ctx, err), unreached
		}
		if e := m.endpoint(list, time.Now().UnixNano(), y); e != nil {
			y.take(e)
			return nil, final
		}
	}
	return noMember(), nowhere
}

// sibling goes on to another address of the same member, if there is one.
func (y *way) sibling() bool {
	list := y.m.at.Load()
	now := time.Now()
	if list == nil || y.n == maxAttempts || !now.Before(y.until) {
		return false
	}
	e := y.m.endpoint(*list, now.UnixNano(), y)
	if e == nil {
		return false
	}
	y.leave()
	y.take(e)
	return true
}

// patience is this address's part of the time to connect.
func (y *way) patience() time.Duration {
	left := 1
	if list := y.m.at.Load(); list != nil {
		for _, e := range *list {
			if !y.tried(e) && !e.health.down.Load() {
				left++
			}
		}
	}
	rest := time.Until(y.until)
	return min(rest, max(rest/time.Duration(left), leastPatience))
}

func (y *way) take(e *endpoint) {
	e.running.Add(1)
	y.at = e
	if y.n < maxAttempts {
		y.past[y.n] = e
		y.n++
	}
}

// leave ends the request's being where it is.
func (y *way) leave() {
	if y.at != nil {
		y.at.running.Add(-1)
		y.at = nil
	}
}

func (y *way) tried(e *endpoint) bool {
	if y == nil {
		return false
	}
	for _, one := range y.past[:y.n] {
		if one == e {
			return true
		}
	}
	return false
}

func (y *way) wasAt(m *member) bool {
	for _, one := range y.past[:y.n] {
		if one.m == m {
			return true
		}
	}
	return false
}

// budget lets one retry happen for every ten requests, so that a failing
// upstream is not asked twice as much as a sound one. It starts with one, and
// saves up no more than ten. It counts in tenths of a retry.
type budget struct{ tenths atomic.Int64 }

const (
	oneRetry  = 10
	mostSaved = 10 * oneRetry
)

func (b *budget) begin() { b.tenths.Store(oneRetry) }

// earn counts a request.
func (b *budget) earn() { b.add(1) }

// refund gives back a retry that did not happen.
func (b *budget) refund() { b.add(oneRetry) }

func (b *budget) add(n int64) {
	for {
		have := b.tenths.Load()
		if have >= mostSaved || b.tenths.CompareAndSwap(have, min(have+n, mostSaved)) {
			return
		}
	}
}

// spend takes a retry, if there is one.
func (b *budget) spend() bool {
	for {
		have := b.tenths.Load()
		if have < oneRetry {
			return false
		}
		if b.tenths.CompareAndSwap(have, have-oneRetry) {
			return true
		}
	}
}
