package castle

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Deps is what a Client works with.
type Deps struct {
	DB        *store.DB
	Now       func() time.Time
	Log       *slog.Logger
	Refuse    func(netip.AddrPort) bool
	Plain     bool
	Transport http.RoundTripper
}

// Event is what a client tries, or has done.
type Event struct {
	Type    string   // "$login", "$registration", "$challenge", "$custom"
	Status  string   // "$attempted", "$requested", "$succeeded", "$failed"; "" for $custom
	Name    string   // of a $custom
	Token   []string // every value of the client's x-castle-request-token
	IP      netip.Addr
	Headers request.Header // as received
	Email   string
	UserID  string
}

// The actions of a Verdict.
const (
	Allow     = "allow"
	Challenge = "challenge"
	Deny      = "deny"
)

// The reasons of a Verdict.
const (
	ByCastle      = "castle"
	MissingToken  = "missing_token"
	RepeatedToken = "repeated_token"
	LongToken     = "long_token"
	UsedToken     = "used_token"
	InvalidToken  = "invalid_token"
	OnError       = "on_error"
)

// Verdict is what is to be done with an event.
type Verdict struct{ Action, Reason string }

// Client asks Castle.
type Client struct {
	d Deps
	c *Config
}

// New makes a Client. Its error says what is wrong with the address.
func New(d Deps, c *Config) (*Client, error) { return &Client{d: d, c: c}, nil }

func notYet() error { return fault.New(fault.Unavailable, "risk_unavailable", "") }

// Filter judges what is tried. The device token is checked and spent here, and
// onError applied; an error is a 503.
func (c *Client) Filter(ctx context.Context, e Event) (Verdict, error) { return Verdict{}, notYet() }

// Risk judges a success. No token is spent.
func (c *Client) Risk(ctx context.Context, e Event) (Verdict, error) { return Verdict{}, notYet() }

// Queue tells Castle about an event later.
func (c *Client) Queue(e Event) {}

// Blocking reports whether a deny ends the request.
func (c *Client) Blocking() bool { return c.c.Blocking }

// Wait reports whether answers wait for Risk.
func (c *Client) Wait() bool { return c.c.AfterSuccess != "queue" }

// Timeout is how long the calls of one request may take together.
func (c *Client) Timeout() time.Duration { return c.c.Timeout.Or(defaultTimeout) }

// Run sends what is queued until ctx ends, and then what is left.
func (c *Client) Run(ctx context.Context) { <-ctx.Done() }
