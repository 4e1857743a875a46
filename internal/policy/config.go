package policy

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/template"
)

// RBACConfig is the key rbac of the top level.
type RBACConfig struct {
	// Enabled false makes a route that asks for permissions or roles an error. True unless written.
	Enabled *bool `json:"enabled"`
	// DefaultRole is the role of a signed-in user who has no other. None unless written.
	DefaultRole string `json:"defaultRole"`
	// Roles are the file's own; one called admin, member, viewer or user replaces the built-in one.
	Roles []RoleConfig `json:"roles"`
}

// RoleConfig is one role of the file.
type RoleConfig struct {
	// Name is how tokens and routes call the role.
	Name string `json:"name" conf:"required"`
	// Description is for people.
	Description string `json:"description"`
	// Permissions are resource:action; "*" stands for either part and never covers the resource platform.
	Permissions config.List[string] `json:"permissions"`
	// ParentRole is the role whose permissions this one inherits.
	ParentRole string `json:"parentRole"`
}

// SiteRBACConfig is the key rbac of a site: it overrides the top level's, key by key.
type SiteRBACConfig struct {
	// Enabled false makes a route of this site that asks for permissions or roles an error.
	Enabled *bool `json:"enabled"`
	// DefaultRole is the role of a signed-in user who has no other; empty means none.
	DefaultRole *string `json:"defaultRole"`
}

// TenantsConfig is the key tenants.
type TenantsConfig struct {
	// Default is the tenant of callers whose credential names none: main unless set.
	Default string `json:"default"`
	// DefaultFor are the providers whose callers get the default tenant: the jwt with a shared secret unless set.
	DefaultFor config.List[string] `json:"defaultFor"`
	// AutoCreate true makes a tenant that a trusted claim names and that does not exist, at most 10 a minute.
	AutoCreate bool `json:"autoCreate"`
	// AutoCreateMax is how many tenants may be made so: 100 unless set.
	AutoCreateMax int `json:"autoCreateMax"`
}

// Requirements are what a route can ask of its callers. Any of them implies requireAuth.
type Requirements struct {
	// RequireAuth asks for a valid credential of any provider that counts here.
	RequireAuth *bool `json:"requireAuth"`
	// AuthProvider names the providers whose credentials open the route.
	AuthProvider config.List[string] `json:"authProvider"`
	// RequiredPermissions are all needed: resource:action.
	RequiredPermissions config.List[string] `json:"requiredPermissions"`
	// RequiredRoles: any one of them is needed.
	RequiredRoles config.List[string] `json:"requiredRoles"`
	// RequiredScopes are all needed in the token's scope claim.
	RequiredScopes config.List[string] `json:"requiredScopes"`
	// Tenant is a template that must equal the caller's tenant: "{{params.tenant}}".
	Tenant *template.Text `json:"tenant"`
	// Allow lets in only who meets any of its entries.
	Allow *MatchConfig `json:"allow"`
	// Deny keeps out who meets any of its entries; it wins over allow.
	Deny *MatchConfig `json:"deny"`
	// When is a CEL condition over auth, request, params, query and now.
	When *string `json:"when"`
	// Resource asks for a role on one row of a collection.
	Resource *ResourceConfig `json:"resource"`
	// RequireMFA asks for a second factor: true, or {maxAge, factors}.
	RequireMFA *MFAConfig `json:"requireMfa"`
}

// ResourceConfig asks for a role on one row of a collection.
type ResourceConfig struct {
	// Collection is what the row is one of: agents, or another name that is configured.
	Collection string `json:"collection" conf:"required"`
	// ID is a template that names the row: "{{params.id}}".
	ID *template.Text `json:"id" conf:"required"`
	// Role is viewer, admin or owner; each of them holds what those before it do.
	Role string `json:"role" conf:"required,oneof=viewer|admin|owner"`
}

// MFAConfig asks for a second factor. In the file it may also be true, for any
// factor, of whatever age a step-up has.
type MFAConfig struct {
	// MaxAge is how long ago the factor may have been shown; as long as the step-up lasts unless set.
	MaxAge config.Duration `json:"maxAge"`
	// Factors are totp and passkey: one of these must have been shown. Any counts unless set.
	Factors config.List[string] `json:"factors"`
	// Off is requireMfa: false, which asks for nothing.
	Off bool `json:"-"`
}

// DecodeConfig takes true, false or {maxAge, factors}.
func (c *MFAConfig) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		var on bool
		if v.Decode(&on) {
			c.Off = !on
		}
		return
	}
	type plain MFAConfig
	v.Decode((*plain)(c))
}

// Shapes are what requireMfa takes.
func (MFAConfig) Shapes() []any { return []any{false, MFAConfig{}} }

// MatchConfig lists callers: meeting any entry of any list is enough.
type MatchConfig struct {
	// Emails are verified e-mail addresses; upper and lower case are the same.
	Emails config.List[string] `json:"emails"`
	// EmailDomains are what follows the @ of a verified e-mail address, without subdomains.
	EmailDomains config.List[string] `json:"emailDomains"`
	// Groups are values of the token's groups claim, compared exactly.
	Groups config.List[string] `json:"groups"`
	// IPs are client addresses or networks: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32.
	IPs config.List[string] `json:"ips"`
}
