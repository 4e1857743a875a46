package login

import (
	"context"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/userservice"
)

// What the gate needs of others. Each is nil on a surface that has none; lock never
// is.

// scorer is *castle.Client.
type scorer interface {
	Filter(ctx context.Context, e castle.Event) (castle.Verdict, error)
	Risk(ctx context.Context, e castle.Event) (castle.Verdict, error)
	Queue(e castle.Event)
	Blocking() bool
	Wait() bool
	Timeout() time.Duration
}

// people is *userservice.Client.
type people interface {
	ByEmail(ctx context.Context, email string) (*userservice.User, error)
	Unblock(ctx context.Context, u *userservice.User) error
	Create(ctx context.Context, u userservice.NewUser) error
	Blocked(u *userservice.User) bool
	Paused(u *userservice.User) bool
	OnError() string
}

// locks is *lockout.Lockout.
type locks interface {
	Check(ctx context.Context, k lockout.Key) *fault.Error
	Failed(ctx context.Context, k lockout.Key) error
	Succeeded(ctx context.Context, k lockout.Key) error
	Dropped(ctx context.Context, k lockout.Key) error
	Attempts(ctx context.Context, kind, key string, ip netip.Addr, max int, window time.Duration) *fault.Error
}

// Hooks are an operator's scripts, where the provider runs none of its own.
type Hooks interface {
	// SignedIn runs once the provider has let somebody in, and before anybody learns
	// of it. It may ask for something first (Hold), or change the answer. An error
	// refuses, and the tokens are withheld.
	SignedIn(ctx context.Context, in *SignedIn) error
	// Registering runs before an account is made. An error refuses.
	Registering(ctx context.Context, in *Registering) error
}
