package insight

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// People is what is stored about who may call.
type People struct {
	DB    *store.DB
	Users *tenant.Service
	Keys  *apikey.Service
	Roles *rbac.Service
	// Known reads what is stored about a caller, as a decision would: tenant.Directory.Now.
	Known func(tx *store.Tx, who *principal.Principal, tenant string) (*policy.Known, error)
}

// stored is where people are stored.
func (s *Service) stored() (*People, error) {
	if p := told(s.d.People); p != nil && p.DB != nil {
		return p, nil
	}
	return nil, notThere()
}

// ownRoles are the roles that a tenant defined itself; nil where nothing is stored.
func (s *Service) ownRoles(ctx context.Context, tenant string) (own *policy.StoredRoles, err error) {
	p, _ := s.stored()
	if p == nil || tenant == "" {
		return nil, nil
	}
	err = p.DB.Read(ctx, func(tx *store.Tx) error { own, err = p.ownRolesIn(tx, tenant); return err })
	return own, err
}

func (p *People) ownRolesIn(tx *store.Tx, tenant string) (*policy.StoredRoles, error) {
	defs, err := p.Roles.Roles(tx, tenant)
	return policy.NewStoredRoles(defs), err
}

// caller is a person, service or key as it would call: what is stored about it,
// and whom its credentials would show on a site.
type caller struct {
	user  *tenant.User
	key   *apikey.Key
	who   *principal.Principal // of a key
	known *policy.Known        // nil: it is refused whatever it asks
	// refused is why, in words; "" where it is not.
	refused string
	code    string
}

// user reads a person, or an Access service, of a tenant.
func (p *People) user(tx *store.Tx, u tenant.User, own *policy.StoredRoles) (*caller, error) {
	c := &caller{user: &u}
	// The row itself is meant, as by a sign-in link: whoever it is bound to.
	who := &principal.Principal{Kind: principal.User, Provider: identity.KindLink, ProviderKind: identity.KindLink, Via: identity.KindLink,
		Issuer: identity.LinkIssuer, Subject: u.ID, Tenant: u.Tenant, TrustTenant: true}
	return c, p.know(tx, c, who, u.Tenant, own)
}

// keyOf reads a key, or a machine token, of a tenant.
func (p *People) keyOf(tx *store.Tx, tenant, id string, own *policy.StoredRoles) (*caller, error) {
	k, who, err := p.Keys.CallerIn(tx, tenant, id)
	if err != nil {
		return nil, err
	}
	c := &caller{key: &k, who: who}
	return c, p.know(tx, c, who, tenant, own)
}

// know asks what is stored about a caller of those who answer decisions.
func (p *People) know(tx *store.Tx, c *caller, who *principal.Principal, tenant string, own *policy.StoredRoles) error {
	known, err := p.Known(tx, who, tenant)
	var f *fault.Error
	switch {
	case errors.As(err, &f) && (f.Kind == fault.Forbidden || f.Kind == fault.Unauthenticated):
		c.code, c.refused = f.Code, barred(f.Code)
		return nil
	case err != nil:
		return err
	}
	now := *known
	now.TenantRoles = own
	c.known = &now
	return nil
}

// barred says in words why somebody is refused whatever they ask.
func barred(code string) string {
	words := map[string]string{
		tenant.ErrUserDisabled.Code: "the user is disabled", tenant.ErrTenantDisabled.Code: "the tenant is disabled",
		apikey.ErrRevoked.Code: "the key is revoked", apikey.ErrDisabled.Code: "the key is disabled, or one that made it",
		apikey.ErrExpired.Code: "the key has expired, or one that made it", apikey.ErrNowhere.Code: "the key and those that made it have no address in common",
	}[code]
	if words == "" {
		return "is refused whatever it asks (" + code + ")"
	}
	return words
}

// ways are the credentials that would show the caller on a site: a key its own; a
// person those of the provider that its row is bound to, else of each that it could
// sign in by, and a browser's session of it.
func (c *caller) ways(snap *gateway.Snapshot, site *gateway.Site, now time.Time) (out []policy.Prospect) {
	add := func(who *principal.Principal, token bool) {
		stand := site.Book.Stand(who, snap.Tenants, c.known)
		out = append(out, policy.Prospect{Standing: &stand, Token: token, Now: now})
	}
	if site.Identity == nil {
		return nil
	}
	providers := site.Identity.Providers()
	if c.key != nil {
		if slices.ContainsFunc(providers, func(p *identity.Provider) bool { return p.Kind == c.who.ProviderKind && p.Off == "" }) {
			add(c.who, false)
		}
		return out
	}
	for _, p := range providers {
		if p.Off != "" || !c.shows(p) {
			continue
		}
		who := c.person(p)
		add(who, true)
		if who.Kind == principal.User {
			session := *who
			session.ProviderKind, session.Via = identity.KindSession, p.Kind
			add(&session, true)
		}
	}
	return out
}

// shows reports whether a provider's tokens can show the person.
func (c *caller) shows(p *identity.Provider) bool {
	switch p.Kind {
	case identity.KindAPIKey, identity.KindMachine, identity.KindSession, identity.KindLink:
		return false
	}
	b := c.user.Bound
	switch {
	case c.user.ServiceToken != "":
		return p.Kind == identity.KindAccess
	case b.IsZero():
		return true
	}
	issuers := p.Issuers()
	return b.Provider == p.Name && (b.Issuer == "" && len(issuers) == 0 || slices.Contains(issuers, b.Issuer))
}

// person is whom a token of the provider would show, as far as that is known: the
// e-mail of the row stands for the token's, verified.
func (c *caller) person(p *identity.Provider) *principal.Principal {
	who := &principal.Principal{Kind: principal.User, Provider: p.Name, ProviderKind: p.Kind, Subject: c.user.Bound.Subject,
		Issuer: c.user.Bound.Issuer, TrustRoles: p.TrustsRoles(), TrustTenant: p.TrustsTenant()}
	if c.user.ServiceToken != "" {
		who.Kind, who.CommonName = principal.Service, c.user.ServiceToken
		return who
	}
	if folded, domain, ok := principal.FoldEmail(c.user.Email); ok {
		who.Email, who.EmailFolded, who.EmailDomain, who.EmailVerified = c.user.Email, folded, domain, true
	}
	return who
}

// outlook is what a decision about a caller on a route would come to.
func (c *caller) outlook(site *gateway.Site, r *gateway.Route, ways []policy.Prospect) (policy.Outlook, []string) {
	o, why := site.Outlook(r, nil)
	switch {
	case o == policy.Always: // for everybody
		return o, why
	case c.known == nil:
		return policy.Never, []string{c.refused}
	}
	o, why = site.Outlook(r, ways)
	if o == policy.Never || c.known.Key == nil || len(c.known.Key.AllowedIPs) == 0 {
		return o, why
	}
	if o == policy.Always { // which said what was met
		why = nil
	}
	return policy.Depends, append(why, "the key counts from its allowedIPs alone")
}
