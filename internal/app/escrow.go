package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/gateway"
)

// servesEscrow reports whether a site has secret escrow: where the key says so.
func (k *SiteKeys) servesEscrow() bool { return k.Escrow != nil && !k.Escrow.Off() }

// escrow are the operations of secret escrow on a site.
func (b *builder) escrow(k *inherited, in gateway.SiteInput) []gateway.SurfaceRoute {
	if !k.servesEscrow() {
		return nil
	}
	k.Escrow.Validate(k.at.At("escrow"), b.Written == "test" || b.Written == "dev")
	if in.NoAuth {
		k.at.Errorf("escrow", "with auth: none nobody is identified, and whoever calls would be nobody")
	}
	// Whoever could answer on such a path could ask a browser for the passphrase.
	const alone = "escrow may not share a site with upstreams (nor may the portal, which brings it); give them a site of their own"
	if k.Upstream != nil {
		k.at.Errorf("upstream", alone)
	}
	for i := range k.Routes {
		if k.Routes[i].Upstream != nil {
			k.at.Errorf("routes"+config.Index(i)+".upstream", alone)
		}
	}
	s := b.stored()
	return s.Tenants.Guard(s.Escrow.Routes(k.Escrow, escrow.Place{Identity: in.Identity, Health: !in.Default && !k.Portal.On()}))
}

// escrowCORS lets the pages of the portal call, where they stand on another host.
func (b *builder) escrowCORS(k *inherited) {
	c := (*gateway.CORSConfig)(nil)
	if k.servesEscrow() {
		c = k.Escrow.CORS()
	}
	switch {
	case c == nil:
	case k.CORS != nil && k.place("cors") == k.at:
		k.at.Errorf("cors", "escrow.portalOrigin says which pages may call; leave one of the two out")
	default:
		k.CORS = c
	}
}
