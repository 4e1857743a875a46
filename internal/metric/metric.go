package metric

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/secret"
)

// Config is the key metrics.
type Config struct {
	// URL is where events are sent.
	URL config.URL `json:"url" conf:"required"`
	// Key is sent as a bearer token.
	Key secret.Value `json:"key"`
	// Batch is how many events one request holds at most: 50 unless set.
	Batch int `json:"batch"`
	// Interval is how long events wait for others: 5s unless set.
	Interval config.Duration `json:"interval"`
}

// Deps is what a Forwarder works with.
type Deps struct {
	Now       func() time.Time
	Log       *slog.Logger
	Refuse    func(netip.AddrPort) bool
	Plain     bool
	Transport http.RoundTripper
}

// Forwarder forwards events.
type Forwarder struct {
	d Deps
	c *Config
}

// New makes a Forwarder. Its error says what is wrong with the address.
func New(d Deps, c *Config) (*Forwarder, error) { return &Forwarder{d: d, c: c}, nil }

// Track takes the body of a request: one event or a list of them. It never waits.
func (f *Forwarder) Track(body []byte) *fault.Error {
	return fault.New(fault.Unavailable, "not_yet", "")
}

// Run sends what is queued until ctx ends, and then what is left, for 5 s at most.
func (f *Forwarder) Run(ctx context.Context) { <-ctx.Done() }
