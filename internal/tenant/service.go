package tenant

import (
	"context"
	"log/slog"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/store"
)

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	Now   func() time.Time
	Log   *slog.Logger
	// Keep are the tenants that the configuration names: they are not deleted.
	// nil: none.
	Keep func() []string
	// Grants makes the grant rule for the caller of a request; nil: no request
	// gives a role away.
	Grants func(c *gateway.Call) Grants
	// Shut is told, in the same transaction, of a user who was let in until now, by
	// the row as it was: disabled, unbound, deleted. What lets them in still, such as
	// browsers' sessions, is to end with that. nil: there is nothing.
	Shut func(tx *store.Tx, by By, was User) error
}

// Service is the rules of tenants and users. Its methods take the actor and the
// tenant as arguments and trust both: whoever calls has seen to it that the
// actor may act there.
//
// Methods whose name ends in In are rules within a transaction of the caller,
// who has taken its Turn.
type Service struct{ d Deps }

// New makes a Service.
func New(d Deps) *Service { return &Service{d: d} }

// write runs a rule in a transaction of its own that begins with the tenant's
// turn.
func (s *Service) write(ctx context.Context, tenant string, rule func(tx *store.Tx) error) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := Turn(tx, tenant); err != nil {
			return err
		}
		return rule(tx)
	})
}

// noteTenant tells every node that a tenant itself changed.
func noteTenant(tx *store.Tx, id string) { change.Note(tx, id, change.Tenant, id) }

// noteUser tells every node that a user's row changed, and whoever may be found
// to be that user. Call it for the row as it was and as it is, where either
// differs in who that is.
func noteUser(tx *store.Tx, u User) {
	change.Note(tx, u.Tenant, change.User, u.ID)
	for _, id := range identitiesOf(u) {
		change.Note(tx, "", change.Identity, id)
	}
}

// shut ends what lets a user in still.
func (s *Service) shut(tx *store.Tx, by By, was User) error {
	if s.d.Shut == nil {
		return nil
	}
	return s.d.Shut(tx, by, was)
}
