package userservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// Deps is what a Client works with.
type Deps struct {
	Now       func() time.Time // of signatures
	Log       *slog.Logger
	Refuse    func(netip.AddrPort) bool // addresses that are never dialled
	Plain     bool                      // url may be http
	Transport http.RoundTripper         // of tests
}

// Client asks the service.
type Client struct {
	c               *Config
	paths           Paths
	blocked, paused []string
	call            *outbound.Client
	sign            func(r *http.Request, body []byte) error
}

const mostAnswer = 256 << 10

// New makes a Client. Its error says what is wrong with the address.
func New(d Deps, c *Config) (*Client, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	cl := &Client{c: c, paths: c.Paths.orDefaults(), blocked: c.Blocked, paused: c.Paused}
	if c.Blocked == nil {
		cl.blocked = []string{"blocked", "closed"}
	}
	if c.Paused == nil {
		cl.paused = []string{"paused"}
	}
	if c.Signing == nil || c.Signing.AWSSigV4 == nil {
		return nil, errors.New("says nothing of how calls are signed")
	}
	cl.sign = signer(c.Signing.AWSSigV4, d.Now)
	var err error
	cl.call, err = outbound.New(outbound.Options{BaseURL: c.URL.String(), Plain: d.Plain, Timeout: c.Timeout.Or(defaultTimeout), MaxAnswer: mostAnswer,
		Refuse: d.Refuse, Private: true, Transport: d.Transport})
	return cl, err
}

// ByEmail finds a user; nil where there is none.
func (c *Client) ByEmail(ctx context.Context, email string) (*User, error) {
	a, err := c.post(ctx, "byEmail", c.paths.ByEmail, map[string]string{"email": email})
	if err != nil {
		return nil, err
	}
	switch {
	case a.Status == http.StatusNotFound:
		return nil, nil
	case a.Status != http.StatusOK:
		return nil, refused("byEmail", a.Status)
	}
	u, err := readUser(a.Body)
	if err != nil {
		return nil, failed("byEmail", err)
	}
	return u, nil
}

// Unblock ends a pause.
func (c *Client) Unblock(ctx context.Context, u *User) error {
	a, err := c.post(ctx, "unblock", c.paths.Unblock, map[string]string{"id": u.ID})
	if err == nil && (a.Status < 200 || a.Status > 299) {
		err = refused("unblock", a.Status)
	}
	return err
}

// Create makes the record of a new user. One that is there already is no error:
// the provider says who is new.
func (c *Client) Create(ctx context.Context, u NewUser) error {
	a, err := c.post(ctx, "create", c.paths.Create, u)
	if err == nil && (a.Status < 200 || a.Status > 299) && a.Status != http.StatusConflict {
		err = refused("create", a.Status)
	}
	return err
}

// Blocked reports whether the user may not sign in.
func (c *Client) Blocked(u *User) bool { return u != nil && listed(c.blocked, u.Status) }

// Paused reports whether the user is to be unblocked first. Who is blocked is not:
// unblocking is for pauses.
func (c *Client) Paused(u *User) bool {
	return u != nil && listed(c.paused, u.Status) && !c.Blocked(u)
}

func listed(statuses []string, status string) bool {
	return slices.ContainsFunc(statuses, func(s string) bool { return strings.EqualFold(s, status) })
}

// OnError is "allow" or "deny".
func (c *Client) OnError() string { return c.c.OnError }

func (c *Client) post(ctx context.Context, what, path string, body any) (*outbound.Answer, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, failed(what, errors.New("what was to be sent is no JSON")) // the error would quote it
	}
	a, err := c.call.Do(ctx, outbound.Request{Method: http.MethodPost, Path: path, Body: b, Sign: c.sign,
		Header: request.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Accept", Value: "application/json"}}})
	if err != nil {
		return nil, failed(what, err)
	}
	return a, nil
}

func refused(what string, status int) error {
	return failed(what, fmt.Errorf("it answers with status %d", status))
}

// failed is the error of a call that did not do what it should.
func failed(what string, err error) error {
	return fault.Wrap(fault.Unavailable, "user_service_unavailable", "Sign-in is not available right now", fmt.Errorf("user service, %s: %w", what, err))
}
