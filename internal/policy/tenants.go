package policy

import (
	"slices"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
)

// Provider is what policy has to know of a configured provider.
type Provider struct {
	Name string // "jwt", "entra"
	Kind string // access | firebase | oidc | jwt
}

// Tenants says which tenant a caller belongs to. It is immutable; a nil
// *Tenants gives nobody a default tenant.
type Tenants struct {
	standard   string
	defaultFor []string // provider names or kinds
	shared     bool     // for whatever a shared secret signs: not by name, since sites may call different providers alike
}

// NewTenants compiles the key tenants (nil where it does not stand). Without
// defaultFor, the default tenant is for the providers with a shared secret.
func NewTenants(cfg *TenantsConfig, providers []Provider, r *config.Reporter) *Tenants {
	t := &Tenants{standard: "main"}
	if cfg != nil && cfg.Default != "" {
		t.standard = cfg.Default
		if !tenantName(t.standard) {
			report(r, "default", "a tenant name is lower-case letters, digits and -, at most 63, and begins with a letter or digit")
		}
	}
	if cfg == nil || cfg.DefaultFor == nil {
		t.shared = true
		return t
	}
	known := []string{"access", "firebase", "oidc", "jwt"}
	for _, p := range providers {
		known = append(known, p.Name)
	}
	for i, name := range cfg.DefaultFor {
		if !slices.Contains(known, name) {
			report(r, "defaultFor"+config.Index(i), "no provider goes by this name%s", meant(name, known))
			continue
		}
		t.defaultFor = append(t.defaultFor, name)
	}
	return t
}

// Default is the name of the default tenant.
func (t *Tenants) Default() string {
	if t == nil {
		return ""
	}
	return t.standard
}

// of is the tenant of a caller where nothing is stored: the claim, else the
// default, else none.
func (t *Tenants) of(p *principal.Principal) (tenant, problem string) {
	claim, standard, problem := t.Word(p)
	if claim != "" {
		return claim, ""
	}
	return standard, problem
}

// Word is what the credential and the configuration say about a caller's tenant:
// its own or the claim of a trusted provider (never of access), and the default
// one where the provider is listed for it. problem says why there is neither. A
// trusted claim that is no possible name comes to neither, see Impossible.
func (t *Tenants) Word(p *principal.Principal) (claim, standard, problem string) {
	if t.claims(p) {
		if !tenantID(p.Tenant) {
			return "", "", "the token's tenant claim is no possible tenant name"
		}
		claim = p.Tenant
	}
	// A key's or machine token's tenant is its own or none.
	own := p.ProviderKind == "apiKey" || p.ProviderKind == "machine" || p.Kind == principal.Machine
	if t != nil && !own {
		if t.shared && p.SharedSecret || slices.ContainsFunc(t.defaultFor, func(name string) bool {
			return name == p.Provider || name == p.ProviderKind || p.Via != "" && name == p.Via
		}) {
			standard = t.standard
		}
	}
	switch {
	case claim != "" || standard != "":
		return claim, standard, ""
	case p.Tenant != "" && !p.TrustTenant:
		return "", "", "the token names a tenant, but its provider is not trusted for it (trustTenant)"
	}
	return "", "", "the token names no tenant, and its provider is not in tenants.defaultFor"
}

// claims reports whether the caller's tenant claim counts.
func (t *Tenants) claims(p *principal.Principal) bool {
	return p.TrustTenant && p.Tenant != "" && p.ProviderKind != "access" && p.Via != "access"
}

// Impossible reports whether a claim that counts is no possible name: a caller
// with one has no tenant, whatever is stored about it.
func (t *Tenants) Impossible(p *principal.Principal) bool { return t.claims(p) && !tenantID(p.Tenant) }

// tenantName reports whether a name may be given to a tenant.
func tenantName(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !word && (c != '-' || i == 0) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// tenantID reports whether a claim can be a tenant's name at all. Which tenants
// exist is the store's to say; this keeps what would not survive a header or a
// path out until then.
func tenantID(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !word && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return s != "" && len(s) <= 128 && s != "." && s != ".."
}
