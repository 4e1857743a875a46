package apikey

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Rights says whether a caller may bring it about that permissions grow from
// before to after; the feature rbac does. It is asked in the writing
// transaction, after the tenant's turn.
type Rights interface {
	MayGrant(tx *store.Tx, by *policy.Standing, tenant string, before, after []string) error
	// Lacks lists which of a key's scopes it does not hold, by what its maker has.
	Lacks(tx *store.Tx, tenant string, g *policy.KeyGrant) ([]string, error)
}

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	// Rights is the grant rule; nil: no request gives a key anything.
	Rights Rights
	// Env is prod, test or dev: what keys are made for, and the only ones read.
	Env string
	// Feed says whether stored facts count at present; nil: always.
	Feed *change.Feed
	Now  func() time.Time
	Log  *slog.Logger
}

// Service is the rules of keys. HTTP, the command line and imports use it alike.
// Its methods take the actor and the tenant as arguments and trust both: whoever
// calls has seen to it that the actor may act there.
type Service struct{ d Deps }

// New makes a Service.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Service{d: d}
}

// By is who does something, and by what right. The zero By gives nothing.
type By struct {
	Actor    audit.Actor
	Standing *policy.Standing // of the caller of a request
	Host     bool             // who sits at the machine: everything within the tenant
	Request  string           // id of the request, for the audit trail
	Decision string
	// If is what a key that is changed or revoked is to be still; the zero Match asks
	// for nothing.
	If input.Match
}

func (by By) event(action string, k Key, detail map[string]string) audit.Event {
	return audit.Event{
		Tenant: k.Tenant, Action: k.kind() + "." + action, Target: k.ID, Actor: by.Actor,
		Request: by.Request, Decision: by.Decision, Detail: detail,
	}
}

// may asks whether somebody may give scopes away.
func (s *Service) may(tx *store.Tx, by By, tenantID string, gained []string) error {
	switch {
	case len(gained) == 0 || by.Host:
		return nil
	case by.Standing == nil || s.d.Rights == nil:
		return ErrMakesNone
	}
	return s.d.Rights.MayGrant(tx, by.Standing, tenantID, nil, gained)
}

// maker says who a key that is made now has to thank, and by which key. A key
// that makes keys passes on whoever made it: what bounds the one bounds the other.
func (s *Service) maker(tx *store.Tx, by By, tenantID string) (c Creator, parent string, err error) {
	switch {
	case by.Host:
		return Creator{Kind: kindHost}, "", nil
	case by.Standing == nil || !by.Standing.Who.Authenticated():
		return Creator{}, "", ErrMakesNone
	}
	who := by.Standing.Who
	if who.CredentialID == "" {
		return creatorOf(by.Standing, tenantID)
	}
	own, err := s.Grant(tx, who)
	switch {
	case err != nil:
		return Creator{}, "", err
	case own.Refuse != nil || own.Grant == nil || own.Grant.Machine || who.Tenant != tenantID:
		return Creator{}, "", ErrMakesNone
	}
	k, err := selectKept(tx, tenantID, who.CredentialID)
	if err != nil {
		return Creator{}, "", err
	}
	above, err := s.above(tx, k)
	if err == nil && len(above)+1 > maxAbove {
		err = ErrTooDeep
	}
	return k.Creator, k.ID, err
}

// creatorOf is a person or a service as the maker of keys. Rows of another
// tenant than the key's are nobody's here, though an id may be the same.
func creatorOf(by *policy.Standing, tenantID string) (Creator, string, error) {
	who := by.Who
	c := Creator{Kind: string(who.Kind)}
	if by.Tenant == tenantID {
		c.UserID = by.UserID
	}
	if who.TrustRoles {
		c.Roles = slices.Clone(who.Roles)
	}
	if who.Subject != "" {
		c.Bound = tenant.Binding{Provider: who.Provider, Issuer: who.Authority(), Subject: who.Subject}
	}
	if who.Kind != principal.User && who.Kind != principal.Service || c.Bound.IsZero() && c.UserID == "" {
		return Creator{}, "", ErrMakesNone // nobody who could be found again
	}
	return c, "", nil
}

// turn runs a change of a tenant's keys: nobody else writes to the tenant
// meanwhile, and what fn reads is what stands.
func (s *Service) turn(ctx context.Context, tenantID string, fn func(tx *store.Tx) error) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, tenantID); err != nil {
			return err
		}
		return fn(tx)
	})
}

// note writes the audit event of a change and tells every node of it: of the
// key, and of those made by it, which ask for it.
func (s *Service) note(tx *store.Tx, k Key, e audit.Event) error {
	below, err := keysBelow(tx, k.Tenant, k.ID)
	if err != nil {
		return err
	}
	for _, id := range append(below, k.ID) {
		change.Note(tx, k.Tenant, "key", id)
	}
	if err := s.d.Audit.Append(tx, e); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// facts are what the audit trail keeps of a key. Its name is not among them: it
// may be an address, which the trail could not forget.
func facts(k Key) map[string]string {
	out := map[string]string{"prefix": k.Prefix, "scopes": strings.Join(k.Scopes, " "), "expiresAt": "never"}
	if !k.ExpiresAt.IsZero() {
		out["expiresAt"] = k.ExpiresAt.Format(time.RFC3339)
	}
	if k.Parent != "" {
		out["parentKey"] = k.Parent
	}
	if k.Disabled {
		out["disabled"] = "true"
	}
	return out
}

// newID makes an id that nothing else will ever have.
func newID(machine bool) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	if machine {
		return "mch_" + hex.EncodeToString(b[:])
	}
	return "key_" + hex.EncodeToString(b[:])
}
