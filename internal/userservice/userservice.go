package userservice

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// Deps is what a Client works with.
type Deps struct {
	Now       func() time.Time
	Log       *slog.Logger
	Refuse    func(netip.AddrPort) bool
	Plain     bool
	Transport http.RoundTripper
}

// User is what the service knows of somebody.
type User struct {
	ID, Status string
	Raw        json.RawMessage // the whole record
}

// NewUser is who signed up.
type NewUser struct {
	ID         string // the provider's subject; "" where it said none
	Email      string
	Username   string
	GivenName  string
	FamilyName string
	Name       string
	Nickname   string
	Picture    string
	Phone      string
	Metadata   json.RawMessage // an object, or nil
}

// Client asks the service.
type Client struct {
	d Deps
	c *Config
}

// New makes a Client. Its error says what is wrong with the address.
func New(d Deps, c *Config) (*Client, error) { return &Client{d: d, c: c}, nil }

func notYet() error { return fault.New(fault.Unavailable, "user_service_unavailable", "") }

// ByEmail finds a user; nil where there is none.
func (c *Client) ByEmail(ctx context.Context, email string) (*User, error) { return nil, notYet() }

// Unblock ends a pause.
func (c *Client) Unblock(ctx context.Context, u *User) error { return notYet() }

// Create makes the record of a new user. One that is there already is no error.
func (c *Client) Create(ctx context.Context, u NewUser) error { return notYet() }

// Blocked reports whether the user may not sign in.
func (c *Client) Blocked(u *User) bool { return u != nil }

// Paused reports whether the user is to be unblocked first.
func (c *Client) Paused(u *User) bool { return false }

// OnError is "allow" or "deny".
func (c *Client) OnError() string { return c.c.OnError }
