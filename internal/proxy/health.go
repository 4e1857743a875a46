package proxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// Check is how members are asked for their health. The zero value asks nobody.
type Check struct {
	// Path is asked for by GET, a query after "?" included; 2xx and 3xx are well.
	Path string
	// Interval lies between two checks; zero means DefaultCheckInterval.
	Interval time.Duration
}

// The rules of health.
const (
	DefaultCheckInterval = 10 * time.Second
	// maxCheckTime bounds one check; the interval does so too.
	maxCheckTime = 5 * time.Second
	// turnAfter checks in a row change a verdict; the very first gives it.
	turnAfter = 2
	// ejectAfter failed connections in a row keep requests away for a while.
	ejectAfter = 3
	// The while: the first, and what doubling it ends at.
	firstBackOff, lastBackOff = time.Second, 30 * time.Second
)

// health is that of one endpoint. Requests read the atomics alone.
type health struct {
	down  atomic.Bool  // checks say so
	until atomic.Int64 // no requests before then, in Unix nanoseconds; 0: not ejected
	fails atomic.Int32 // failed connections in a row

	mu      sync.Mutex
	checked bool
	streak  int // checks in a row against the verdict
	backOff time.Duration
	trial   bool // the back-off is over and one request finds out
	since   time.Time
	why     string
}

// ready reports whether requests may go there.
func (h *health) ready(now int64) bool {
	return !h.down.Load() && now >= h.until.Load()
}

// claim is asked right before a request goes to a ready endpoint. After an
// ejection one request alone tries; the others wait for what it finds.
func (h *health) claim(now int64) bool {
	until := h.until.Load()
	if until == 0 {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until.Load() != until || now < until {
		return h.until.Load() == 0
	}
	h.until.Store(now + int64(firstBackOff))
	h.trial = true
	return true
}

// failed counts a connection that did not come about, and reports whether the
// endpoint was ejected by it.
func (h *health) failed(now time.Time, why string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.why = why
	if h.fails.Add(1) < ejectAfter || now.UnixNano() < h.until.Load() && !h.trial {
		return false
	}
	if h.backOff *= 2; h.backOff == 0 {
		h.backOff, h.since = firstBackOff, now
	}
	h.backOff, h.trial = min(h.backOff, lastBackOff), false
	h.until.Store(now.Add(h.backOff).UnixNano())
	return true
}

// works forgets failed connections, and reports whether an ejection ended.
func (h *health) works(now time.Time) bool {
	if h.fails.Load() == 0 && h.until.Load() == 0 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	ejected := h.until.Load() != 0
	h.fails.Store(0)
	h.until.Store(0)
	h.backOff, h.trial = 0, false
	if ejected {
		h.since = now
	}
	return ejected
}

// verdict takes the outcome of a check, and reports whether it changed
// anything.
func (h *health) verdict(well bool, now time.Time, why string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !well {
		h.why = why
	}
	if h.checked && well == !h.down.Load() {
		h.streak = 0
		return false
	}
	if h.streak++; h.checked && h.streak < turnAfter {
		return false
	}
	changed := well == h.down.Load()
	h.checked, h.streak = true, 0
	h.down.Store(!well)
	if changed {
		h.since = now
	}
	return changed
}

func (e *endpoint) state() AddressHealth {
	h := &e.health
	h.mu.Lock()
	defer h.mu.Unlock()
	// What is on trial is not up again yet.
	up := !h.down.Load() && h.until.Load() == 0
	s := AddressHealth{Address: e.up.set.Address, Running: e.running.Load(), Since: h.since, Up: up}
	if !up {
		s.Error = h.why
	}
	return s
}

// learn takes from a request what it says about connections. A reset is no
// reason to eject: a request of anybody's choice may have been the cause.
func (e *endpoint) learn(f *fault.Error, how fate) {
	now := time.Now()
	switch {
	case how != unreached: // it took the connection, whatever became of the request
		if e.health.works(now) {
			e.log("upstream member takes requests again", "")
		}
	default:
		e.m.hurry()
		if why := f.Err.Error(); e.health.failed(now, why) {
			e.log("upstream member gets no requests for a while: connections fail", why)
		}
	}
}

func (e *endpoint) log(text, why string) {
	log := e.m.g.deps.Log
	switch {
	case log == nil:
	case why == "":
		log.Info(text, "upstream", e.m.url(), "address", e.up.set.Address)
	default:
		log.Warn(text, "upstream", e.m.url(), "address", e.up.set.Address, "error", why)
	}
}

// watch checks all members again and again until the group is closed.
func (g *Group) watch() {
	every := g.set.Check.Interval
	if every <= 0 {
		every = DefaultCheckInterval
	}
	for g.ctx.Err() == nil {
		g.checkAll(min(every, maxCheckTime))
		select {
		case <-g.ctx.Done():
		case <-time.After(every + rand.N(every/10+1)): // many nodes do not ask in step
		}
	}
}

func (g *Group) checkAll(limit time.Duration) {
	ctx, cancel := context.WithTimeout(g.ctx, limit)
	defer cancel()
	var all sync.WaitGroup
	for _, m := range g.members {
		all.Go(func() {
			list, err := m.addresses(ctx)
			if err != nil {
				return // requests find the same
			}
			for _, e := range list {
				all.Go(func() { e.check(ctx, limit) })
			}
		})
	}
	all.Wait()
}

// check asks one endpoint, over a connection of its own.
func (e *endpoint) check(ctx context.Context, limit time.Duration) {
	err := e.ask(ctx, limit)
	if e.m.g.ctx.Err() != nil {
		return
	}
	now, why := time.Now(), ""
	if err != nil {
		why = err.Error()
	} else {
		e.health.works(now)
	}
	if e.health.verdict(err == nil, now, why) {
		text := "upstream member is healthy"
		if err != nil {
			text = "upstream member is not healthy"
		}
		e.log(text, why)
	}
}

func (e *endpoint) ask(ctx context.Context, limit time.Duration) error {
	path, query, has := strings.Cut(e.m.g.set.Check.Path, "?")
	o := &gateway.Forward{Method: "GET", Path: path, Query: query, HasQuery: has, Host: e.m.name(),
		Header: request.Header{{Name: "User-Agent", Value: "portreeve-check"}}}
	if e.up.multi.speaks() {
		if ok, err := e.up.multi.check(ctx, multiplexed(o, e.up)); ok {
			return err
		}
	}
	c, err := e.up.pool.dial(ctx, limit)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, c.hangUp)()
	head, err := appendHead(nil, o, noBody, 0)
	if err != nil {
		return err
	}
	if _, err := c.Write(head); err != nil {
		return err
	}
	bp := inflowBuffers.Get().(*[]byte)
	defer inflowBuffers.Put(bp)
	x := exchange{c: c, in: inflow{src: c, buf: *bp}}
	if err := x.readHead(); err != nil {
		if ctx.Err() != nil {
			return errCheckTime
		}
		return err
	}
	if x.ans.status >= 400 {
		return fmt.Errorf("the check was answered %d", x.ans.status)
	}
	return nil
}

var errCheckTime = errors.New("the check was not answered in time")
