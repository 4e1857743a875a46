package app

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/session"
)

// SessionConfig is how browsers' sessions last, and who signs in by a link.
type SessionConfig struct {
	session.Config
	// DevLink has serve print, at its start, a link that signs somebody in once: an e-mail, or {user, roles, tenant}. In test and dev alone, for ten minutes and browsers on this machine.
	DevLink *DevLinkConfig `json:"devLink"`

	off bool
}

// DecodeConfig takes {…} or false.
func (c *SessionConfig) DecodeConfig(v *config.Value) {
	if on, is := v.Bool(); is {
		if c.off = !on; on {
			v.Errorf("takes {} (on) or false (off)")
		}
		return
	}
	type plain SessionConfig
	v.Decode((*plain)(c))
}

// Shapes are what session takes.
func (SessionConfig) Shapes() []any { return []any{false, SessionConfig{}} }

// DevLinkConfig is whom a one-time link signs in.
type DevLinkConfig struct {
	// User is an e-mail, or the id of a user; one who is not there yet is made.
	User string `json:"user" conf:"required"`
	// Roles are those of a user who is made.
	Roles config.List[string] `json:"roles"`
	// Tenant is the user's: the site's tenant, else tenants.default, unless written.
	Tenant string `json:"tenant"`
}

// DecodeConfig takes an e-mail or the whole form.
func (c *DevLinkConfig) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		v.Decode(&c.User)
		return
	}
	type plain DevLinkConfig
	v.Decode((*plain)(c))
}

// Shapes are what devLink takes.
func (DevLinkConfig) Shapes() []any { return []any{"", DevLinkConfig{}} }

// takesSessions reports whether browsers can have sessions on a site: where people
// can sign in by a provider, or by a link, unless its keys or its list of providers
// say otherwise.
func (k *SiteKeys) takesSessions() bool {
	switch {
	case k.Auth == "none", k.Session != nil && k.Session.off, k.Providers != nil && !slices.Contains(k.Providers, identity.KindSession):
		return false
	}
	return k.Session != nil && k.Session.DevLink != nil ||
		slices.ContainsFunc(k.OIDC, func(c identity.OIDCConfig) bool { return c.ClientID != "" })
}

// sessionProviders are the providers of a site's sessions.
func (b *builder) sessionProviders(k *inherited, site string) (out []*identity.Provider) {
	at := k.place("session")
	if k.Session != nil && !k.Session.off {
		k.Session.Validate(at.At("session"))
		if k.Session.DevLink != nil && b.Written == "prod" {
			at.Errorf("session.devLink", "needs `environment: test` or `dev` written in the file")
		}
	}
	if !k.takesSessions() {
		return nil
	}
	out = append(out, identity.NewSession(site, b.stored().sessions()))
	if k.Session != nil && k.Session.DevLink != nil && b.Written != "prod" {
		out = append(out, identity.NewLink())
	}
	return out
}

// sessionRoutes are the operations of signing in and out.
func (b *builder) sessionRoutes(k *inherited, in gateway.SiteInput) []gateway.SurfaceRoute {
	t := session.Site{Name: in.Name, Providers: in.Identity.Providers(), Tenants: b.words}
	if k.Session != nil {
		t.Config = &k.Session.Config
	}
	if s := b.stored(); s.DB != nil {
		t.Directory = s.directory(b.File.Tenants)
	}
	for _, p := range t.Providers {
		if p.Client() != nil && !slices.Contains(b.signIns, p) {
			b.signIns = append(b.signIns, p)
		}
	}
	if k.Session != nil && k.Session.DevLink != nil {
		b.links = append(b.links, linkSite{site: in.Name, hosts: in.Hosts, tenant: in.Tenant, link: *k.Session.DevLink})
	}
	return b.stored().Sessions.Routes(t)
}

// checkSignIn holds signIn to the providers of a site, and what signs people in to
// one meaning of its name: sessions are refreshed by it.
func (b *builder) checkSignIn(k *inherited, site *identity.Site) {
	if b.signsIn == nil {
		b.signsIn = map[string]*identity.OIDCConfig{}
	}
	for i := range k.OIDC {
		c := &k.OIDC[i]
		if c.ClientID == "" || !k.takesSessions() {
			continue
		}
		first := b.signsIn[c.Name]
		if first == nil {
			b.signsIn[c.Name] = c
		} else if first.Issuer != c.Issuer || first.ClientID != c.ClientID {
			k.place("oidc").Errorf("oidc", "provider %s has another issuer or clientId than the one of this name on another site: sessions go by the name; give it a name of its own", c.Name)
		}
	}
	if k.SignIn == "" {
		return
	}
	at := k.place("signIn")
	var have []string
	for _, p := range site.Providers() {
		if p.Client() == nil {
			continue
		}
		if p.Name == k.SignIn {
			if !k.takesSessions() {
				at.Errorf("signIn", "nobody can sign in here: sessions are off (session: false, or providers without session)")
			}
			return
		}
		have = append(have, p.Name)
	}
	switch {
	case slices.ContainsFunc(site.Providers(), func(p *identity.Provider) bool { return p.Name == k.SignIn }):
		at.Errorf("signIn", "nobody can sign in by %s: it has no clientId", k.SignIn)
	case len(have) > 0:
		at.Errorf("signIn", "no provider of this site is called %q; people can sign in by %s", k.SignIn, strings.Join(have, ", "))
	default:
		at.Errorf("signIn", "no provider of this site is called %q, nor has any a clientId: an oidc provider with one signs people in", k.SignIn)
	}
}
