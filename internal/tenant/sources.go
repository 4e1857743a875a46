package tenant

import (
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// KeySource knows the keys and machine tokens; the feature apikey is one.
type KeySource interface {
	// Grant reads what is stored now about the key whose principal it is (by its
	// CredentialID and SecretDigest, in its Tenant). An error is a failure to
	// read; a key that is revoked, disabled, expired or gone is a Refuse.
	Grant(tx *store.Tx, who *principal.Principal) (KeyFacts, error)
}

// KeyFacts is what is stored about a key.
type KeyFacts struct {
	// Grant is everything but CreatorRoles, which the Directory fills in: a new one
	// at each call.
	Grant   *policy.KeyGrant
	Expires time.Time    // of the secret that was presented; zero: none
	Refuse  *fault.Error // revoked, disabled, gone

	// CreatorUserID is the row of who made the key, Creator the identity that
	// did: a row that is disabled or gone, under either, holds nothing any more.
	// Both are empty for a key that was made on the host.
	CreatorUserID string
	Creator       Binding
}

// RoleSource knows the tenants' own role definitions; the feature rbac is one.
type RoleSource interface {
	Roles(tx *store.Tx, tenant string) ([]policy.RoleDef, error)
}

// Grants says whether somebody may change what a user's roles are from before
// to after: nobody grants what they do not hold. It is asked in the writing
// transaction, after Turn, and refuses roles that do not exist.
//
// It is also asked, with no role before, when a row that has roles comes to
// belong to somebody else (another e-mail, a binding undone, enabled again):
// that gives them away just as well.
type Grants interface {
	Grant(tx *store.Tx, tenant string, before, after []string) error
}

// By is who does something, and by what right.
type By struct {
	Actor  audit.Actor
	Grants Grants // nil grants no role
	// Host says that it answers for all tenants: it sits at the machine, or holds
	// platform:* and acts in another tenant than its own. What it makes counts for
	// whoever is found by it; what a tenant's own people make does not reach into
	// other tenants.
	Host     bool
	Request  string // id of the request, for the audit trail
	Decision string
	// If is what a user that is changed or deleted is to be still; the zero Match
	// asks for nothing.
	If input.Match
}

// Host is the actor for what the process does by itself at start.
func Host() By { return By{Actor: audit.Actor{Kind: audit.System, ID: "portreeve"}, Host: true} }

// event begins an audit event.
func (by By) event(tenant, action, target string) audit.Event {
	return audit.Event{Tenant: tenant, Action: action, Target: target, Actor: by.Actor, Request: by.Request, Decision: by.Decision}
}

// userEvent begins an audit event about a user.
func (by By) userEvent(u User, action string) audit.Event {
	e := by.event(u.Tenant, action, u.ID)
	e.TargetEmail = u.Email
	return e
}

// grant asks whether roles may go from before to after.
func (by By) grant(tx *store.Tx, tenant string, before, after []string) error {
	if by.Grants == nil {
		return fault.New(fault.Forbidden, "grants_nothing", "Roles are not yours to give")
	}
	return by.Grants.Grant(tx, tenant, before, after)
}
