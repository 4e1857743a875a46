package castle

import (
	"cmp"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Deps is what a Client works with.
type Deps struct {
	DB        *store.DB
	Now       func() time.Time
	Log       *slog.Logger
	Refuse    func(netip.AddrPort) bool // addresses that are never dialled
	Plain     bool                      // baseURL may be http
	Transport http.RoundTripper         // of tests
}

// Event is what a client tries, or has done.
type Event struct {
	Type    string         // "$login", "$registration", "$challenge", "$custom"
	Status  string         // "$attempted", "$requested", "$succeeded", "$failed"; "" for $custom
	Name    string         // of a $custom
	Token   []string       // every value of the client's x-castle-request-token
	IP      netip.Addr     // the client's
	Headers request.Header // as received
	Email   string
	UserID  string // the provider's, once it is known
	// Took, where set, gets what the exchange with Castle took added. What the store
	// took over the device token is not of it.
	Took *time.Duration
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
	Rejected      = "rejected" // Castle could not make sense of what the client sent
)

// Verdict is what is to be done with an event.
type Verdict struct{ Action, Reason string }

// Client asks Castle.
type Client struct {
	d     Deps
	c     *Config
	auth  string
	soon  *outbound.Client // somebody waits for it
	later *outbound.Client // nobody does
	queue queue
	stats stats
	alarm alarm
}

// laterTime is how long a call may take that nobody waits for.
const laterTime = 5 * time.Second

// New makes a Client. Its error says what is wrong with the address.
func New(d Deps, c *Config) (*Client, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	cl := &Client{d: d, c: c, auth: "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+c.APISecret.Reveal()))}
	o := outbound.Options{BaseURL: cmp.Or(c.BaseURL.String(), defaultBaseURL), Plain: d.Plain, Timeout: cl.Timeout(), MaxAnswer: mostAnswer,
		Refuse: d.Refuse, Private: true, Transport: d.Transport}
	var err error
	if cl.soon, err = outbound.New(o); err != nil {
		return nil, err
	}
	o.Timeout = max(laterTime, cl.Timeout())
	cl.later, err = outbound.New(o)
	cl.queue.wake = make(chan struct{}, 1)
	return cl, err
}

// Filter judges what is tried. The device token is checked and spent here, and
// onError applied. An error is a 503: our secret is refused, the store is away, or
// the client is gone.
func (c *Client) Filter(ctx context.Context, e Event) (Verdict, error) {
	token, bad := oneToken(e.Token)
	if bad != "" {
		return c.stats.count(Verdict{Deny, bad}), nil
	}
	fresh, err := c.spend(ctx, token)
	if err != nil {
		return Verdict{}, unavailable(err)
	}
	if !fresh {
		return c.stats.count(Verdict{Deny, UsedToken}), nil
	}
	return c.judge(ctx, filterPath, e.filter(token), e.Took)
}

// Risk judges a success, within what ctx leaves of Timeout. It spends no token:
// Filter has.
func (c *Client) Risk(ctx context.Context, e Event) (Verdict, error) {
	token, bad := oneToken(e.Token)
	switch {
	case bad != "":
		return c.stats.count(Verdict{Deny, bad}), nil
	case e.UserID == "": // Castle has no word on nobody
		return c.stats.count(Verdict{Deny, Rejected}), nil
	}
	return c.judge(ctx, riskPath, e.risk(token), e.Took)
}

// judge makes a call that somebody waits for, and applies onError.
func (c *Client) judge(ctx context.Context, path string, body []byte, took *time.Duration) (Verdict, error) {
	began := c.d.Now()
	v, err := c.ask(ctx, c.soon, path, body)
	if took != nil {
		*took += c.d.Now().Sub(began)
	}
	if err == errFailing { //nolint:errorlint // our own, never wrapped
		v, err = Verdict{c.c.OnError, OnError}, nil
		if v.Action != Allow {
			v.Action = Deny
		}
	}
	if err != nil {
		return Verdict{}, unavailable(err)
	}
	return c.stats.count(v), nil
}

// Blocking reports whether a deny ends the request.
func (c *Client) Blocking() bool { return c.c.Blocking }

// Wait reports whether answers wait for Risk.
func (c *Client) Wait() bool { return c.c.AfterSuccess != "queue" }

// Timeout is how long the calls of one request may take together.
func (c *Client) Timeout() time.Duration { return c.c.Timeout.Or(defaultTimeout) }

func unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, "risk_unavailable", "Sign-in is not available right now", err)
}
