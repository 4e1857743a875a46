package rbac

import (
	"context"
	"fmt"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Deps are what the service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	// Book is the configuration's roles as they are now: a reload exchanges them.
	Book func() *policy.Book
	// Defaults lists the default roles of all sites, which one that is left without
	// a role has; nil: the Book's alone.
	Defaults func() []string
	// Known reads what is stored about a caller of a tenant as it stands in a
	// transaction: tenant.Directory.Now.
	Known func(tx *store.Tx, who *principal.Principal, tenant string) (*policy.Known, error)
	// Users is the rules of users, to whom roles are assigned.
	Users *tenant.Service
	// Issuer is the issuer that the subjects of a site's provider are bound under,
	// "" where it is configured without one. ok is false where the site has no such
	// provider, or it has no users of its own (API keys, machines). nil: only the
	// caller's own provider can be meant.
	Issuer func(site *gateway.Site, provider string) (issuer string, ok bool)
	// Asked lists what the routes of the file ask for; nil: nothing.
	Asked func() []Asked
}

// Service is the rules about roles. HTTP, the command line and imports use it
// alike.
type Service struct{ d Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d: d} }

// Caller is who asks for a change, and by what right.
type Caller struct {
	Actor    audit.Actor
	Right    Right
	Request  string // id of the request, for the audit trail
	Decision string
	// If is what a role that is changed or removed is to be still; the zero Match
	// asks for nothing.
	If input.Match
}

func (c Caller) event(tenantID, action, target string, detail map[string]string) audit.Event {
	return audit.Event{
		Tenant: tenantID, Action: action, Target: target, Actor: c.Actor,
		Request: c.Request, Decision: c.Decision, Detail: detail,
	}
}

// What the rules refuse with. Compared by errors.Is.
var (
	ErrNoRole     = fault.New(fault.NotFound, "no_role", "Role not found")
	ErrRoleTaken  = fault.New(fault.Conflict, "role_taken", "A role of this name exists")
	ErrRoleOfFile = fault.New(fault.Conflict, "role_of_file", "The configuration defines this role")
	ErrBuiltIn    = fault.New(fault.Conflict, "role_built_in", "This role is built in")
	ErrAssigned   = fault.New(fault.Conflict, "role_assigned", "The role is assigned to users")
	ErrInherited  = fault.New(fault.Conflict, "role_inherited", "Another role inherits from this one")
	ErrTooMany    = fault.New(fault.Conflict, "too_many_roles", "The tenant has as many roles as it can have")
	ErrGrants     = fault.New(fault.Forbidden, "grants_more", "")
)

// Roles implements tenant.RoleSource: the tenant's own role definitions.
func (s *Service) Roles(tx *store.Tx, tenantID string) ([]policy.RoleDef, error) {
	roles, err := granting().roles(tx, tenantID)
	return defs(roles), err
}

// turn runs a change of a tenant's roles: nobody else writes to the tenant
// meanwhile, and what fn reads is what stands.
func (s *Service) turn(ctx context.Context, tenantID string, fn func(tx *store.Tx) error) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, tenantID); err != nil {
			return err
		}
		return fn(tx)
	})
}

// note writes the audit event of a change of a role and tells every node of it.
func (s *Service) note(tx *store.Tx, e audit.Event) error {
	change.Note(tx, e.Tenant, change.Role, e.Target)
	if err := s.d.Audit.Append(tx, e); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}
