package lockout

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/vault"
)

// Deps is what a Lockout works with.
type Deps struct {
	DB   *store.DB
	Keys *seal.Keys // seal the key that accounts and addresses are hashed under
	Now  func() time.Time
	Log  *slog.Logger
}

// Key is an attempt: who says to be whom, from where.
type Key struct {
	Realm   string // counters of different realms have nothing to do with each other
	Account string // as the client wrote it; "" where nobody is named
	IP      netip.Addr
}

// Lockout counts wrong passwords.
type Lockout struct {
	d           Deps
	account, ip rule
}

// New makes a Lockout. A nil Config is all defaults.
func New(d Deps, c *Config) *Lockout {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	l := &Lockout{d: d}
	l.account, l.ip = c.rules()
	return l
}

// Sealed lists the columns that hold sealed values.
func Sealed() []vault.Column { return nil }

func notYet() *fault.Error {
	return fault.New(fault.Unavailable, "lockout_unavailable", "Sign-in is not available right now")
}

// Check holds a place for an attempt, or refuses it: too_many_attempts with
// RetryAfter, or Unavailable where the store cannot be asked. Whoever gets a place
// says Failed, Succeeded or Dropped afterwards; a place that nobody speaks of is
// given back after a minute.
func (l *Lockout) Check(ctx context.Context, k Key) *fault.Error { return notYet() }

// Failed says that the provider called the credentials wrong.
func (l *Lockout) Failed(ctx context.Context, k Key) error { return notYet() }

// Succeeded says that the provider took the credentials.
func (l *Lockout) Succeeded(ctx context.Context, k Key) error { return notYet() }

// Dropped says that an attempt came to neither: the provider was away, or risk
// refused it. Its place is free at once.
func (l *Lockout) Dropped(ctx context.Context, k Key) error { return notYet() }

// Attempts counts one attempt under a kind, a key and an address, and refuses where
// there were max within the window. An empty key or a zero address is left out of
// the counter's name; a key with an "@" is an address, and folded.
func (l *Lockout) Attempts(ctx context.Context, kind, key string, ip netip.Addr, max int, window time.Duration) *fault.Error {
	return notYet()
}

// Run removes what no longer counts, until ctx ends.
func (l *Lockout) Run(ctx context.Context) { <-ctx.Done() }
