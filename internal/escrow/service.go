package escrow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Factors says whether the caller of a request has shown its second factor. The
// feature mfa does.
type Factors interface {
	// Shown is nil where the caller has no factor, or a step-up that came with the
	// request, or as token, proves one.
	Shown(ctx context.Context, c *gateway.Call, token string) error
	// Demanded is the same where the site's requireMfa asks for one: whoever has no
	// factor is refused too.
	Demanded(ctx context.Context, c *gateway.Call, token string) error
}

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	// Roles are the tenants' own definitions; nil: there are none.
	Roles tenant.RoleSource
	// Factors: nil: nobody has a second factor.
	Factors Factors
	Version string // of the binary, for /health
	Now     func() time.Time
	Log     *slog.Logger
}

// Service is the rules of escrow.
type Service struct{ d Deps }

// New makes a Service.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{d}
}

// now is in whole milliseconds, as the store keeps it.
func (s *Service) now() time.Time { return s.d.Now().UTC().Truncate(time.Millisecond) }

// turn runs a change of a tenant: nobody else writes to it meanwhile.
func (s *Service) turn(ctx context.Context, tenantID string, fn func(tx *store.Tx) error) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, tenantID); err != nil {
			return err
		}
		return fn(tx)
	})
}

// By is who does something, for the record.
type By struct {
	Tenant   string
	Actor    audit.Actor
	Request  string
	Decision string
	// PerDay is how many bytes machines may hand over on one day; 0: 1 GiB.
	PerDay int64
}

// note leaves an audit event in the transaction.
func (s *Service) note(tx *store.Tx, by By, action, target string, detail map[string]string) error {
	return s.d.Audit.Append(tx, by.event(action, target, detail))
}

func (by By) event(action, target string, detail map[string]string) audit.Event {
	return audit.Event{Tenant: by.Tenant, Action: action, Target: target, Actor: by.Actor, Request: by.Request, Decision: by.Decision, Detail: detail}
}

// newID makes an id that nothing else will ever have.
func newID(mark string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return mark + hex.EncodeToString(b[:])
}

// digest is SHA-256 over texts, such that no two lists of them come to the same.
func digest(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// at is a stored time, the zero time for 0.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// ms is the zero time as 0.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Sweep removes what has ended, of all tenants: challenges, marks of handed out
// wrappings, old wrappings after their time. Whoever runs the service calls it now
// and then.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		for _, q := range []struct {
			text   string
			before time.Time
		}{
			{`DELETE FROM escrow_challenges WHERE expires_at <= $1`, now},
			{`DELETE FROM escrow_unwraps WHERE created_at <= $1`, now.Add(-unwrapSpan)},
			{`DELETE FROM escrow_wrappings WHERE superseded_at > 0 AND superseded_at <= $1`, now.Add(-keepWrappings)},
		} {
			if _, err := tx.Exec(q.text, q.before.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
