package app

import (
	"slices"

	"github.com/portreeve/portreeve/internal/config"
)

// checkFactors warns where a second factor is asked for that nobody who comes there
// could show. That a site's routes ask for one and the site serves none is an error
// or a warning already (asksFactors); this is about who its callers are, and about
// what escrow asks of itself: a key is set by whoever has a factor with that factor,
// and a step-up is one site's.
func (b *builder) checkFactors() {
	if b.File.fragment {
		return
	}
	somewhere := slices.ContainsFunc(b.neighbours, func(n neighbour) bool { return n.people && n.keys.servesFactors(n.keys.implied) })
	for _, n := range b.neighbours {
		k := n.keys
		shown := k.servesFactors(k.implied) || k.believesFactors()
		if shown && !n.people {
			for i := range k.Routes {
				if m := k.Routes[i].RequireMFA; m != nil && !m.Off {
					k.at.Warnf("routes"+config.Index(i)+".requireMfa", "asks for a second factor, which people alone have, and no provider of this site is for people: nobody is let through")
				}
			}
		}
		if k.servesEscrow() && n.people && !shown && somewhere {
			k.at.Warnf("escrow", "whoever has a second factor sets no key here: setting one asks for it, another site serves factors (mfa), and what is shown there does not count here; write mfa: {} here as well")
		}
	}
}
