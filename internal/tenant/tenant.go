package tenant

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
)

// Tenant is one tenant.
type Tenant struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Auto      bool      `json:"autoCreated"` // made on first sight of a claim
	Disabled  bool      `json:"disabled"`
	Settings  Settings  `json:"settings"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Settings are what a tenant sets for itself.
type Settings struct {
	// RateLimit counts all requests of the tenant's callers together; nil: none.
	RateLimit *limit.RuleConfig `json:"rateLimit,omitempty"`
}

// User is one row of a tenant's users.
type User struct {
	Tenant       string
	ID           string
	Email        string // as it was written; empty for a service or one known by its subject alone
	ServiceToken string // client id of an Access service token, instead of an e-mail
	Name         string // for people
	Bound        Binding
	BoundAt      time.Time // zero: not bound
	Disabled     bool
	Roles        []string // sorted
	// ByHost says that who answers for all tenants made it (By.Host): it counts also
	// for callers whose default tenant is another.
	ByHost bool
	// KnownSince is when it came to be found by what it is found by: CreatedAt, or
	// when it got its present address.
	KnownSince time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Binding is the identity that a row belongs to. The zero Binding is none.
type Binding struct {
	Provider string // the configured name
	Issuer   string // empty where the provider is configured without one
	Subject  string
}

// IsZero reports whether there is no identity.
func (b Binding) IsZero() bool { return b == Binding{} }

// What the rules refuse with. Compared by errors.Is.
var (
	ErrNoTenant     = fault.New(fault.NotFound, "no_tenant", "Tenant not found")
	ErrTenantTaken  = fault.New(fault.Conflict, "tenant_taken", "A tenant of this id exists or has existed")
	ErrTenantKept   = fault.New(fault.Conflict, "tenant_kept", "The configuration names this tenant")
	ErrNoUser       = fault.New(fault.NotFound, "no_user", "User not found")
	ErrEmailTaken   = fault.New(fault.Conflict, "email_taken", "Another user of the tenant has this e-mail address")
	ErrServiceTaken = fault.New(fault.Conflict, "service_taken", "Another user of the tenant has this service token")
	ErrBoundTaken   = fault.New(fault.Conflict, "identity_taken", "Another user of the tenant is bound to this identity")
	ErrIDTaken      = fault.New(fault.Conflict, "id_taken", "A user of this id exists or has existed")

	// What a caller is refused with, whatever it asks for.
	ErrUnknownTenant    = fault.New(fault.Forbidden, "unknown_tenant", "")
	ErrTenantDisabled   = fault.New(fault.Forbidden, "tenant_disabled", "")
	ErrUserDisabled     = fault.New(fault.Forbidden, "user_disabled", "")
	ErrIdentityConflict = fault.New(fault.Forbidden, "identity_conflict", "")
)
