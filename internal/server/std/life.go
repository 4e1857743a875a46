package std

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/proxy"
)

// The bounds of a long exchange.
const (
	// lookEvery is how often those that run are looked at: what a reload no longer
	// allows ends within this and a moment.
	lookEvery = 250 * time.Millisecond
	// doubtFor is how long one may go on whose decision cannot be made again (an
	// issuer is away, the queue is full).
	doubtFor = 30 * time.Second
	// lastWrites is how long a client may take what is left for it.
	lastWrites = 500 * time.Millisecond
	// judges decide again at one time.
	judges = 4
)

// The codes of faults by which exchanges end.
const (
	CodeStreamAge = "stream_age" // it ran for limits.maxStreamAge
	CodeDraining  = "draining"   // the process stops
)

// life holds the exchanges that upstreams are answering, and ends those whose
// time is over: the credential expired, the route allows them no more after a
// reload, a change of its issuer's keys or of what is stored about callers, they
// are too old, or the process stops. The zero life is ready once its engine is set.
type life struct {
	e *Engine

	mu       sync.Mutex
	all      map[*alive]struct{}
	timer    *time.Timer // runs while anything does
	looking  bool
	leaving  bool                          // WebSockets end at once
	known    map[*identity.Provider]uint64 // newest, as of the last look
	keys     map[*keyset.Set]held
	changes  uint64 // of the keys of any set, as far as they were noticed
	upgraded atomic.Int64
}

// alive is one exchange that runs.
type alive struct {
	l       *life
	arrival gateway.Arrival
	oldest  time.Time // until when it may run by age; zero: for ever
	upgrade bool
	cancel  context.CancelCauseFunc
	stream  atomic.Bool

	// Under life.mu.
	rt    *Runtime           // by which it was decided last
	who   *identity.Provider // whose credential it goes by; nil: nobody's
	seen  uint64             // the changes of keys that were known then
	facts uint64             // the changes of what is stored that were known then
	until time.Time
	ends  bool // until is the credential's
	doubt time.Time

	mu    sync.Mutex // of what follows
	rc    *http.ResponseController
	ended *proxy.Ended
	over  bool
}

// begin notes an exchange that goes to an upstream. The context is the one to
// serve it in.
func (l *life) begin(e *Engine, rt *Runtime, o *Outcome, w http.ResponseWriter, r *http.Request, upgrade bool) (*alive, context.Context) {
	ctx, cancel := context.WithCancelCause(r.Context())
	a := &alive{l: l, arrival: o.Arrival, cancel: cancel, rt: rt, upgrade: upgrade, rc: http.NewResponseController(w), facts: o.stored}
	if rt.MaxStreamAge > 0 {
		a.oldest = o.Arrival.Received.Add(rt.MaxStreamAge)
	}
	a.goesBy(o.Exchange)
	l.mu.Lock()
	if l.e == nil {
		l.e = e
	}
	if l.all == nil {
		l.all, l.known, l.keys = map[*alive]struct{}{}, map[*identity.Provider]uint64{}, map[*keyset.Set]held{}
	}
	l.all[a] = struct{}{}
	seen, known := l.known[a.who]
	if !known {
		seen = l.newest(a.who)
		l.known[a.who] = seen
	}
	a.seen = seen
	if l.timer == nil {
		l.timer = time.AfterFunc(lookEvery, l.look)
	}
	leaving := l.leaving && upgrade
	l.mu.Unlock()
	if upgrade {
		l.upgraded.Add(1)
	}
	if leaving {
		a.end(draining())
	}
	return a, ctx
}

// goesBy takes over whose credential it goes by, and until when.
func (a *alive) goesBy(x *gateway.Exchange) {
	a.who, a.until, a.ends = x.Provider(), a.oldest, false
	if end := x.Expires(); !end.IsZero() && (a.until.IsZero() || end.Before(a.until)) {
		a.until, a.ends = end, true
	}
}

// done forgets an exchange whose answer is over, and returns what ended it, nil
// if it ended by itself. It may be called again.
func (a *alive) done() *proxy.Ended {
	a.l.mu.Lock()
	delete(a.l.all, a)
	a.l.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return a.ended
	}
	a.over = true
	if a.upgrade {
		a.l.upgraded.Add(-1)
	}
	if a.ended != nil && !a.upgrade {
		_ = a.rc.SetWriteDeadline(time.Time{}) // the connection may serve on
	}
	a.cancel(nil)
	return a.ended
}

// end ends an exchange from outside.
func (a *alive) end(why *proxy.Ended) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || a.ended != nil {
		return
	}
	a.ended = why
	if !a.upgrade { // a client that takes nothing does not hold it
		_ = a.rc.SetWriteDeadline(time.Now().Add(lastWrites))
	}
	a.cancel(why)
}

func draining() *proxy.Ended {
	return &proxy.Ended{Fault: fault.New(fault.Unavailable, CodeDraining, "The service is stopping"), Close: proxy.CloseGoingAway}
}

// expired is why an exchange ends by the clock. It needs life.mu.
func (a *alive) expired() *proxy.Ended {
	if a.ends {
		return &proxy.Ended{Fault: fault.New(fault.Unauthenticated, identity.CodeExpired, ""), Close: proxy.ClosePolicy}
	}
	return &proxy.Ended{Fault: fault.New(fault.GatewayTimeout, CodeStreamAge, ""), Close: proxy.CloseGoingAway}
}

// Goodbye tells every WebSocket, and each that still comes, that the process
// stops.
func (e *Engine) Goodbye() {
	e.life.each(func(l *life) { l.leaving = true }, func(a *alive) bool { return a.upgrade })
}

// EndStreams ends the event streams and gRPC calls that still run.
func (e *Engine) EndStreams() { e.life.each(nil, func(a *alive) bool { return a.stream.Load() }) }

// Wait waits until no WebSocket runs, or ctx ends.
func (e *Engine) Wait(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for e.life.upgraded.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// each ends those that are meant, since the process stops.
func (l *life) each(first func(*life), meant func(*alive) bool) {
	l.mu.Lock()
	if first != nil {
		first(l)
	}
	var list []*alive
	for a := range l.all {
		if meant(a) {
			list = append(list, a)
		}
	}
	l.mu.Unlock()
	for _, a := range list {
		a.end(draining())
	}
}
