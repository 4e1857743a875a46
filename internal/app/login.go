package app

import (
	"context"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/loginhooks"
)

// login gives a site to the login edge, or to its smaller sister.
func (b *builder) login(k *inherited, key string, at *config.Reporter, in *gateway.SiteInput) {
	s, site := b.stored().Login, login.Site{Name: in.Name, Keys: b.deps.Keys}
	provider, full := k.providerOf(key)
	if full != nil {
		full.Validate(at, b.Written)
	} else {
		k.Backoffice.Validate(at, b.Written)
	}
	settings := edgeSettings{Login: full, Backoffice: k.Backoffice}
	if h := b.hooks(k, provider, full, at, in.Name); h != nil {
		settings.Hooks = h
		hooks := loginhooks.New(b.hookDeps(), *h)
		if site.Hooks = hooks; h.MayHold {
			site.Factors = hooks
		}
	}
	fresh := func() (*login.Surface, error) {
		if full != nil {
			return s.Login(site, full)
		}
		return s.Backoffice(site, k.Backoffice)
	}
	if b.Doc.Failed() {
		return // what is not valid cannot be made
	}
	if b.deps.Edges == nil {
		b.deps.Edges = func(_ string, _ any, fresh func() (*login.Surface, error)) (*login.Surface, error) { return fresh() }
	}
	edge, err := b.deps.Edges(key+" of "+in.Name, settings, fresh)
	if err != nil {
		k.at.Errorf(key, "%v", err)
		return
	}
	b.edges = append(b.edges, edge)
	for _, set := range edge.KeySets() {
		if !slices.Contains(b.KeySets, set) {
			b.KeySets = append(b.KeySets, set)
		}
	}
	in.Owner = &gateway.Owner{Surface: key, Shape: edge.Shape(), ExactMethods: true}
	in.Surfaces = edge.Routes()
}

// edgeSettings are all that an edge is made of: one that equals another goes on over
// a reload. Scripts are in it as they were read.
type edgeSettings struct {
	Login      *login.Config
	Backoffice *login.BackofficeConfig
	Hooks      *loginhooks.Settings
}

// providerOf is the provider of a site's edge; full is nil on backoffice.
func (k *inherited) providerOf(key string) (p *login.ProviderConfig, full *login.Config) {
	if key == "login" {
		return &k.Login.ProviderConfig, k.Login
	}
	return &k.Backoffice.ProviderConfig, nil
}

// hooks are the scripts of a site; nil: it has none.
func (b *builder) hooks(k *inherited, p *login.ProviderConfig, full *login.Config, at *config.Reporter, site string) *loginhooks.Settings {
	if p.Actions == nil {
		return nil
	}
	at = at.At("actions")
	set := p.Actions.Load(at, func(file string) ([]byte, error) {
		b.Files = append(b.Files, b.abs(file))
		return os.ReadFile(b.abs(file))
	})
	auth0 := p.Provider != "oidc"
	may := loginhooks.May{Auth0: auth0, Login: full != nil, Hold: full != nil && !auth0, Claim: full != nil && full.Reissue}
	loginhooks.Check(p.Actions, set, may, at)
	if len(set.PostLogin)+len(set.PreUserRegistration) == 0 {
		return nil
	}
	h := &loginhooks.Settings{Site: site, Tenant: k.Tenant, Issuer: p.BaseURL.String(), Scripts: set, MayHold: may.Hold, MayClaim: may.Claim}
	if h.Tenant == "" {
		h.Tenant = b.defaultTenant()
	}
	if h.Label = h.Tenant; auth0 {
		h.Label = firstLabel(p.BaseURL.String())
	}
	if h.Provider, h.Shared = b.providerAt(h.Issuer); !h.Shared {
		h.Provider = "login"
	}
	if full != nil && full.Factors != nil {
		h.Factors = *full.Factors
	}
	return h
}

// hookDeps are the features that scripts work with.
func (b *builder) hookDeps() loginhooks.Deps {
	s := b.stored()
	run := func(context.Context, actions.Trigger, []actions.Script, any) (*actions.Outcome, error) {
		return nil, errNoEngine
	}
	if b.deps.Actions != nil {
		run = b.deps.Actions(b.Written != "prod").Run
	}
	return loginhooks.Deps{DB: s.DB, Users: s.Tenants, MFA: s.MFA, Audit: s.Audit, Run: run, Now: b.deps.Now, Log: b.deps.Log}
}

// defaultTenant is the tenant of sites that name none. That its name is one is seen to
// elsewhere.
func (b *builder) defaultTenant() string {
	if t := b.File.Tenants; t != nil && t.Default != "" {
		return t.Default
	}
	return "main"
}

// providerAt is the oidc provider of the file that has an issuer: whose tokens are the
// same people's as those of an edge in front of it.
func (b *builder) providerAt(issuer string) (name string, ok bool) {
	lists := []SiteKeys{b.File.SiteKeys}
	for i := range b.File.Sites {
		lists = append(lists, b.File.Sites[i].SiteKeys)
	}
	for _, keys := range lists {
		for i := range keys.OIDC {
			if c := &keys.OIDC[i]; strings.TrimSuffix(c.Issuer.String(), "/") == strings.TrimSuffix(issuer, "/") {
				return c.Name, true
			}
		}
	}
	return "", false
}

// firstLabel is what Auth0 calls a tenant: the first label of its host.
func firstLabel(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	label, _, _ := strings.Cut(u.Hostname(), ".")
	return label
}
