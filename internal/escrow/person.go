package escrow

import (
	"errors"
	"slices"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// What the portal side asks for. Whoever has a users row may see machines: an
// unknown role counts as viewer.
const (
	seeMachines = "machines:read"
	seeSecrets  = "escrow:read"
	reveal      = "escrow:reveal"
	setConfigs  = "escrow:write"
	setKeys     = "escrow:admin"
	seeAudit    = "audit:read"
)

// Person is who calls on the portal side.
type Person struct {
	By
	UserID string
	Book   *policy.Book // of the site
}

// personOf is the caller of a request, in its own tenant.
func personOf(c *gateway.Call) (Person, error) {
	switch {
	case c.Who.Kind != principal.User || c.Standing.UserID == "": // a program has no second factor to show, and nobody to ask
		return Person{}, ErrNoUser
	case c.Tenant != c.Standing.Tenant:
		return Person{}, ErrTenantOther
	}
	return Person{By: byOf(c), UserID: c.Standing.UserID, Book: c.Site.Book}, nil
}

func byOf(c *gateway.Call) By {
	return By{Tenant: c.Tenant, Actor: c.Actor(), Request: c.View.ID, Decision: c.Decision}
}

// may refuses a person whose users row does not hold a permission now, in the
// transaction that asks. What the credential claims, and the default role, are
// not the row's.
func (s *Service) may(tx *store.Tx, p Person, permission string) error {
	switch ok, err := s.holds(tx, p, permission); {
	case err != nil:
		return err
	case !ok:
		return ErrRole
	}
	return nil
}

// holds reports whether a person's row holds a permission; ErrNoUser where the
// row is gone or disabled.
func (s *Service) holds(tx *store.Tx, p Person, permission string) (bool, error) {
	u, err := tenant.UserByID(tx, p.Tenant, p.UserID)
	switch {
	case errors.Is(err, tenant.ErrNoUser):
		return false, ErrNoUser
	case err != nil:
		return false, err
	case u.Disabled:
		return false, ErrNoUser
	case permission == seeMachines:
		return true, nil
	}
	roles, err := tenant.RolesOf(tx, p.Tenant, p.UserID)
	if err != nil || p.Book == nil {
		return false, err
	}
	var own *policy.StoredRoles
	if s.d.Roles != nil {
		defs, err := s.d.Roles.Roles(tx, p.Tenant)
		if err != nil {
			return false, err
		}
		own = policy.NewStoredRoles(defs)
	}
	return slices.ContainsFunc(p.Book.Effective(own, roles), func(held string) bool { return policy.Covers(held, permission) }), nil
}
