package metric

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/outbound"
)

// Deps is what a Forwarder works with.
type Deps struct {
	Now       func() time.Time
	Log       *slog.Logger
	Refuse    func(netip.AddrPort) bool // addresses that are never dialled
	Plain     bool                      // url may be http
	Transport http.RoundTripper         // of tests
}

// Forwarder forwards events. It may be used by any number at once.
type Forwarder struct {
	d     Deps
	c     *Config
	call  *outbound.Client
	queue queue
	stats stats
	mu    sync.Mutex
	said  time.Time // when a failure was logged
}

// Stats are figures since the start.
type Stats struct {
	Taken, Sent, Dropped int64
	Queued               int // now
}

type stats struct{ taken, sent, dropped atomic.Int64 }

const callTime = 5 * time.Second

// New makes a Forwarder. Its error says what is wrong with the address.
func New(d Deps, c *Config) (*Forwarder, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	call, err := outbound.New(outbound.Options{BaseURL: c.URL.String(), Plain: d.Plain, Timeout: callTime, MaxAnswer: 64 << 10, Refuse: d.Refuse, Private: true, Transport: d.Transport})
	if err != nil {
		return nil, err
	}
	return &Forwarder{d: d, c: c, call: call, queue: queue{wake: make(chan struct{}, 1), full: c.batch()}}, nil
}

// Track takes the body of a request: one event or a list of them. It never waits.
func (f *Forwarder) Track(body []byte) *fault.Error {
	events, refused := parse(body)
	if refused != nil {
		return refused
	}
	f.stats.taken.Add(int64(len(events)))
	f.stats.dropped.Add(int64(f.queue.put(events)))
	return nil
}

// Stats reads the figures.
func (f *Forwarder) Stats() Stats {
	return Stats{f.stats.taken.Load(), f.stats.sent.Load(), f.stats.dropped.Load(), f.queue.len()}
}
