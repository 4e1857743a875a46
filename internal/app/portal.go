package app

import (
	"slices"

	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/insight"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/portal"
)

// furnish brings to a site with the portal the surfaces that its pages ask.
func (k *SiteKeys) furnish() {
	if !k.Portal.On() {
		return
	}
	if k.TenantAPI == nil {
		k.TenantAPI = &TenantAPIConfig{}
	}
	if k.MFA == nil {
		k.MFA = &mfa.Config{}
	}
	if k.Agents == nil {
		k.Agents = &agents.Config{}
	}
	if k.Escrow == nil {
		k.Escrow = &escrow.Config{}
	}
}

// newPortal makes the pages. Their templates are part of the binary, which a test
// holds: were one broken, everything else is served all the same.
func newPortal(d storedDeps) *portal.Portal {
	p, err := portal.New(portal.Deps{DB: d.DB, Version: version, Now: d.Now, Log: d.Log})
	if err != nil {
		return nil
	}
	return p
}

// portal are the pages of a site.
func (b *builder) portal(k *inherited, in gateway.SiteInput) []gateway.SurfaceRoute {
	if !k.Portal.On() || b.stored().Portal == nil {
		return nil
	}
	k.Portal.Validate(k.at.At("portal"), b.Written == "test" || b.Written == "dev")
	if in.NoAuth {
		k.at.Errorf("portal", "with auth: none nobody is identified, and whoever looks would be nobody")
	}
	b.checkVisitors(k, in)
	if k.servesEscrow() { // which has said so
		return b.pages(k, in)
	}
	const alone = "the portal may not share a site with upstreams; give them a site of their own"
	if k.Upstream != nil {
		k.at.Errorf("upstream", alone)
	}
	for i := range k.Routes {
		if k.Routes[i].Upstream != nil {
			k.at.Errorf("routes"+config.Index(i)+".upstream", alone)
		}
	}
	return b.pages(k, in)
}

// pages are the pages and what they ask besides the surfaces.
func (b *builder) pages(k *inherited, in gateway.SiteInput) []gateway.SurfaceRoute {
	told := b.deps.Insight
	if told == nil { // of a configuration that is looked at
		told = insight.New(insight.Deps{Now: b.deps.now()})
	}
	s := b.stored()
	return slices.Concat(s.Tenants.Guard(told.Routes()), s.Portal.Routes(k.Portal, portal.Place{Health: !in.Default, Collections: k.collections()}))
}

// collections are the names under which the surface agents serves things.
func (k *inherited) collections() []string {
	if !k.servesAgents() {
		return nil
	}
	return append([]string{agents.First}, k.Agents.Collections...)
}
