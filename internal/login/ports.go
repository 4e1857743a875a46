package login

import (
	"context"
	"encoding/json"
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

// Factors are second factors that Portreeve keeps itself, of the provider's people.
type Factors interface {
	// Have says what somebody has.
	Have(ctx context.Context, h Holder) (Having, error)
	// Enrol begins with an authenticator app, which counts once a code of it was
	// shown: its secret, and the URI that apps take. Whoever has a factor already is
	// refused.
	Enrol(ctx context.Context, h Holder) (secret, uri string, err error)
	// Challenge asks for one of somebody's passkeys: what navigator.credentials.get
	// and the platforms' own calls take. nil: they have none.
	Challenge(ctx context.Context, h Holder) (json.RawMessage, error)
	// Prove looks at a proof and counts it where it is wrong. The first right code of
	// an app that was begun with turns it on.
	Prove(ctx context.Context, h Holder, p Proof) (Proven, error)
}

// Having is what somebody has.
type Having struct {
	App, Passkey bool
	Codes        int // recovery codes that are left
}

// Proof is one of what proves a second factor.
type Proof struct {
	OTP, Recovery string
	Passkey       json.RawMessage
}

// Proven is what came of a proof.
type Proven struct {
	OK bool
	// RecoveryCodes are new, where the proof turned the first factor on.
	RecoveryCodes []string
}
