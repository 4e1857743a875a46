package app

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/rbac"
)

// authenticates reports whether a site has a provider of its own: what is implied
// comes with one, so that the calls of the documentation work against its own
// snippets.
func (k *SiteKeys) authenticates() bool {
	return k.Auth != "none" && (k.Access != nil || k.Firebase != nil || len(k.JWT) > 0 || len(k.OIDC) > 0)
}

// servesTenants reports whether a site has the surface of tenants: where its key
// says so, and, in a file that names no sites, as soon as there is a provider.
func (k *SiteKeys) servesTenants(implied bool) bool {
	if k.TenantAPI != nil {
		return !k.TenantAPI.off
	}
	return implied && k.authenticates()
}

// servesFactors reports whether a site has the surface of second factors, by the
// same rule.
func (k *SiteKeys) servesFactors(implied bool) bool {
	if k.MFA != nil {
		return k.MFA.On()
	}
	return implied && k.authenticates()
}

// servesAgents reports whether a site has things that people share: where the key
// says so.
func (k *SiteKeys) servesAgents() bool { return k.Agents != nil && !k.Agents.Off() }

// takesKeys reports whether API keys count on a site: where it serves tenants,
// and where its keys or its list of providers say so.
func (k *SiteKeys) takesKeys(implied bool) bool {
	return k.servesTenants(implied) || k.APIKey != nil || slices.Contains(k.Providers, "apiKey")
}

// takesMachines reports whether machine tokens can count on a site: escrow is
// made for them.
func (k *SiteKeys) takesMachines() bool {
	return k.Machine != nil || k.servesEscrow() || slices.Contains(k.Providers, "machine")
}

// stores reports whether something of a site cannot do without a store.
func (k *SiteKeys) stores(implied bool) bool {
	if owners := k.owners(); len(owners) > 0 {
		return slices.ContainsFunc(owners, ownerStores)
	}
	return k.Portal.On() || k.takesKeys(implied) || k.takesMachines() || k.servesFactors(implied) || k.servesAgents() || k.takesSessions()
}

// implied reports whether a surface stands on the default site without its key.
func (f *File) implied() bool {
	return len(f.Sites) == 0 && !f.fragment && len(f.owners()) == 0
}

// usesStore reports whether anything of the file is stored: only then is a store
// opened, so that a gateway of files alone leaves nothing behind.
func (f *File) usesStore() bool { return f.writesStore() || f.storesThings(f.implied()) }

// writesStore reports whether the file names a store, or what seals one.
func (f *File) writesStore() bool {
	return f.Store != nil || !f.MasterKey.Empty() || len(f.MasterKeys) > 0
}

// storesThings reports whether something stands in the file that cannot do
// without a store.
func (f *File) storesThings(implied bool) bool {
	if f.stores(implied) {
		return true
	}
	return slices.ContainsFunc(f.Sites, func(s SiteConfig) bool { return s.stores(false) })
}

// surfaces are the operations that stand on a site.
func (b *builder) surfaces(k *inherited, in gateway.SiteInput) (out []gateway.SurfaceRoute) {
	if k.servesTenants(k.implied) {
		out = append(out, b.stored().routes()...)
	}
	if k.MFA != nil {
		k.MFA.Validate(k.at.At("mfa"))
	}
	if k.servesFactors(k.implied) {
		if in.NoAuth {
			k.at.Errorf("mfa", "with auth: none nobody is identified, so nobody has a second factor")
		}
		out = append(out, b.stored().MFA.Routes(k.MFA)...)
	}
	if k.takesSessions() {
		out = append(out, b.sessionRoutes(k, in)...)
	} else if k.servesFactors(k.implied) {
		out = append(out, styled(b.stored().Pages)...)
	}
	if k.Agents != nil {
		k.Agents.Validate(k.at.At("agents"))
	}
	if k.servesAgents() {
		b.collections = append(b.collections, agents.First)
		b.collections = append(b.collections, k.Agents.Collections...)
		tenant := k.Tenant
		if tenant == "" {
			tenant = policy.NewTenants(b.File.Tenants, nil, nil).Default()
		}
		out = append(out, b.stored().Tenants.Guard(b.stored().Agents.Routes(k.Agents, agents.Place{NoAuth: in.NoAuth, Tenant: tenant}))...)
	}
	return slices.Concat(out, b.escrow(k, in), b.portal(k, in))
}

// asks collects the permissions that a site's routes ask for.
func (b *builder) asks(k *inherited) {
	for i := range k.Routes {
		r := &k.Routes[i]
		for _, permission := range r.RequiredPermissions {
			j := slices.IndexFunc(b.asked, func(a rbac.Asked) bool { return a.Permission == permission })
			if j < 0 {
				j = len(b.asked)
				b.asked = append(b.asked, rbac.Asked{Permission: permission})
			}
			b.asked[j].Routes = append(b.asked[j].Routes, strings.ToUpper(strings.Join(r.Method, ","))+" "+r.Path)
		}
	}
	b.asksFactors(k)
	b.rows = append(b.rows, k)
}

// asksFactors refuses routes on which nobody could show a second factor: a step-up
// is one site's.
func (b *builder) asksFactors(k *inherited) {
	if b.File.fragment || k.servesFactors(k.implied) || k.believesFactors() {
		return
	}
	const missing = "asks for a second factor, and none can be shown here: mfa: {} serves them, or a provider is believed by trustAmr"
	for i := range k.Routes {
		if m := k.Routes[i].RequireMFA; m != nil && !m.Off {
			k.at.Errorf("routes"+config.Index(i)+".requireMfa", missing)
		}
	}
	if len(k.RequireMFA) > 0 {
		k.place("requireMfa").Warnf("requireMfa", missing)
	}
}

// believesFactors reports whether a provider's word counts for a second factor.
func (k *SiteKeys) believesFactors() bool {
	if k.Access != nil && len(k.Access.TrustAmr) > 0 {
		return true
	}
	for i := range k.JWT {
		if len(k.JWT[i].TrustAmr) > 0 {
			return true
		}
	}
	for i := range k.OIDC {
		if len(k.OIDC[i].TrustAmr) > 0 {
			return true
		}
	}
	return false
}

// checkRows refuses routes that ask for a role on a row of a collection that no
// site serves: nobody could ever have one.
func (b *builder) checkRows() {
	if b.File.fragment {
		return
	}
	for _, k := range b.rows {
		for i := range k.Routes {
			c := k.Routes[i].Resource
			if c == nil || c.Collection == "" || slices.Contains(b.collections, c.Collection) {
				continue
			}
			how := "agents: {collections: [" + c.Collection + "]} serves it"
			if c.Collection == agents.First {
				how = "agents: {} serves it"
			}
			k.at.Errorf("routes"+config.Index(i)+".resource.collection", "nobody has a role in %s, since no site serves that collection; %s", c.Collection, how)
		}
	}
}

// store hands the decisions what the store says.
func (b *builder) store() {
	b.Tenants = append(b.Tenants, b.Snapshot.Tenants.Default())
	b.Snapshot.Sites(func(s *gateway.Site) {
		if s.Tenant != "" {
			b.Tenants = append(b.Tenants, s.Tenant)
		}
	})
	if s := b.deps.Stored; s != nil && s.DB != nil {
		b.Snapshot.Directory, b.Snapshot.Secrets = s.directory(b.File.Tenants), s.Secrets
		b.Snapshot.StepUps, b.Snapshot.Resources = s.MFA, s.Agents
	}
}
