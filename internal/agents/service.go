package agents

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	// Feed says whether what is remembered still holds; nil: nothing is found by
	// Find.
	Feed *change.Feed
	// Entries is how many roles are remembered; DefaultEntries where it is 0.
	Entries int
	Now     func() time.Time
	Log     *slog.Logger
}

// Service is the rules of shared things. HTTP, the command line and imports use
// it alike. Its methods take the actor and the tenant as arguments and trust both.
type Service struct {
	d     Deps
	table *table
}

// New makes a Service.
func New(d Deps) *Service { return &Service{d: d, table: newTable(d.Entries)} }

// turn runs a change of a tenant's things: nobody else writes to the tenant
// meanwhile, and what fn reads is what stands.
func (s *Service) turn(ctx context.Context, tenantID string, fn func(tx *store.Tx) error) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, tenantID); err != nil {
			return err
		}
		return fn(tx)
	})
}

// allowed refuses a caller whose role on a thing is less than least, as it stands
// in the transaction. It returns the thing with the caller's role.
func (s *Service) allowed(tx *store.Tx, by By, tenantID, collection, id, least string) (Agent, error) {
	c, ok := by.caller(tenantID)
	if !ok || !named(id) || !named(collection) {
		return Agent{}, by.refusal()
	}
	a, err := selectAgent(tx, tenantID, collection, id, c)
	switch {
	case errors.Is(err, ErrNoAgent):
		return Agent{}, ErrDenied
	case err != nil:
		return Agent{}, err
	case a.Role == "" || rank(a.Role) < rank(least):
		return Agent{}, ErrDenied
	}
	return a, nil
}

// note tells every node that a thing or who its members are changed, and the
// audit trail what happened.
func (s *Service) note(tx *store.Tx, tenantID, collection, id string, e audit.Event) error {
	change.Note(tx, tenantID, change.Agent, slotID(collection, id))
	return s.d.Audit.Append(tx, e)
}

// slotID is a thing's id among the changes.
func slotID(collection, id string) string { return collection + "/" + id }
