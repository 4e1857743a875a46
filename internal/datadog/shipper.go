package datadog

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
)

// What waits, and what one request holds, are bounded. The intake takes 5 MB; a
// megabyte below, nobody has to count commas.
const (
	maxQueued  = 20_000
	maxPending = 16 << 20
	maxBatch   = 1000
	maxBody    = 4 << 20
	interval   = 2 * time.Second
	flushTime  = 5 * time.Second // for what is left at the end
	flushPause = 250 * time.Millisecond
	exchange   = 10 * time.Second
)

// Totals count entries since the process began. They outlive a Shipper.
type Totals struct{ Sent, Dropped atomic.Int64 }

// Options are what a Shipper works with.
type Options struct {
	Env, Version, Host string
	// Plain lets the intake's address be http.
	Plain bool
	// Refuse reports addresses that are never called: our own listeners.
	Refuse func(netip.AddrPort) bool
	Totals *Totals // nil: its own
	Log    *slog.Logger
	// Transport carries the requests in tests; nil: HTTP.
	Transport http.RoundTripper
}

// Shipper ships entries. Add may be called by any number at once.
type Shipper struct {
	c      *Config
	o      Options
	client *outbound.Client
	tags   string
	full   chan struct{} // a batch is complete

	mu    sync.Mutex
	queue [][]byte
	size  int

	// of Run alone
	pause  time.Duration
	warned time.Time
}

// New makes a Shipper, which sends nothing until Run. The error says what is wrong
// with the address.
func New(c *Config, o Options) (*Shipper, error) {
	if o.Totals == nil {
		o.Totals = &Totals{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client, err := outbound.New(outbound.Options{BaseURL: c.base(), Plain: o.Plain, Timeout: exchange, MaxAnswer: 64 << 10, Refuse: o.Refuse, Private: true, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	return &Shipper{c: c, o: o, client: client, tags: c.tags(o.Env, o.Version), full: make(chan struct{}, 1)}, nil
}

// Add queues an entry. It never waits: where there is no room the oldest go.
func (s *Shipper) Add(e *Entry) {
	raw, err := s.encode(e)
	if err != nil {
		s.o.Totals.Dropped.Add(1)
		return
	}
	s.mu.Lock()
	s.queue, s.size = append(s.queue, raw), s.size+len(raw)
	s.shed()
	ready := len(s.queue) >= maxBatch || s.size >= maxBody
	s.mu.Unlock()
	if ready {
		select {
		case s.full <- struct{}{}:
		default: // Run knows
		}
	}
}

// shed drops the oldest until what is queued is within its bounds.
func (s *Shipper) shed() {
	n := 0
	for len(s.queue)-n > maxQueued || s.size > maxPending {
		s.size -= len(s.queue[n])
		s.queue[n] = nil
		n++
	}
	s.queue = s.queue[n:]
	s.o.Totals.Dropped.Add(int64(n))
}

// Queued is how many entries wait.
func (s *Shipper) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// take takes a batch off the queue; nil where nothing waits.
func (s *Shipper) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for n < len(s.queue) && n < maxBatch && (n == 0 || size+len(s.queue[n])+1 <= maxBody) {
		size += len(s.queue[n]) + 1
		n++
	}
	batch := append([][]byte(nil), s.queue[:n]...)
	for i := range n {
		s.size -= len(s.queue[i])
		s.queue[i] = nil
	}
	if s.queue = s.queue[n:]; len(s.queue) == 0 {
		s.queue = nil // or what was there would be held by what is behind it
	}
	return batch
}

// back puts a batch that could not be sent in front again.
func (s *Shipper) back(batch [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(batch, s.queue...)
	for _, raw := range batch {
		s.size += len(raw)
	}
	s.shed()
}

// Run ships until ctx ends, and then what is left, for five seconds at most.
func (s *Shipper) Run(ctx context.Context) {
	defer s.client.Close()
	// What is on its way when ctx ends goes on: sent once more it would stand twice.
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(flushTime, cancel) })()
	t := time.NewTimer(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flush(sending)
			return
		case <-s.full:
			if s.pause > 0 {
				continue // the timer knows when
			}
		case <-t.C:
		}
		s.ship(ctx, sending)
		t.Reset(max(interval, s.pause))
	}
}

// ship sends what waits, batch by batch, until one fails or ctx ends.
func (s *Shipper) ship(ctx, sending context.Context) {
	for ctx.Err() == nil {
		batch := s.take()
		if len(batch) == 0 || !s.send(sending, batch) {
			return
		}
	}
}

func (s *Shipper) flush(ctx context.Context) {
	for s.ship(ctx, ctx); s.Queued() > 0 && ctx.Err() == nil; s.ship(ctx, ctx) {
		select {
		case <-ctx.Done():
		case <-time.After(flushPause):
		}
	}
	s.mu.Lock()
	left := len(s.queue)
	s.queue, s.size = nil, 0
	s.mu.Unlock()
	if left > 0 {
		s.o.Totals.Dropped.Add(int64(left))
		s.o.Log.Warn("log entries are lost with this process: Datadog's intake did not take them", "entries", left)
	}
}
