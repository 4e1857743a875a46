package app

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/request"
)

// neighbour is a site as checks of several sites see it.
type neighbour struct {
	keys   *inherited
	hosts  []string
	people bool // some provider of it is for people
}

// forPeople reports whether a provider of a site is for people, and on.
func forPeople(id *identity.Site) bool {
	return id != nil && slices.ContainsFunc(id.Providers(), func(p *identity.Provider) bool {
		return p.Off == "" && p.Kind != identity.KindAPIKey && p.Kind != identity.KindMachine
	})
}

// has reports whether a request for a host comes to the site.
func (p neighbour) has(host string) bool {
	_, under, _ := strings.Cut(host, ".")
	return slices.Contains(p.hosts, host) || under != "" && slices.Contains(p.hosts, "*."+under)
}

// hostOf is the host of an origin as sites write theirs.
func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	host, _ := request.CanonicalHost(u.Host)
	return host
}

// checkVisitors warns where nobody could open the portal.
func (b *builder) checkVisitors(k *inherited, in gateway.SiteInput) {
	if in.NoAuth {
		return
	}
	off := ""
	for _, p := range in.Identity.Providers() {
		switch {
		case p.Kind == identity.KindAPIKey, p.Kind == identity.KindMachine:
		case p.Off != "":
			off = cmp.Or(off, " ("+p.Name+" is off: "+p.Off+")")
		default:
			return
		}
	}
	k.at.Warnf("portal", "nobody can open it: no provider of this site is for people%s; access, or oidc with a clientId and signIn, has them sign in", off)
}

// checkPortals warns where the pages of a portal call a host of this file that does
// not let them: setting up a key and revealing would fail in the browser alone, which
// says no more than that there was no answer.
func (b *builder) checkPortals() {
	for _, p := range b.neighbours {
		if !p.keys.Portal.On() || p.keys.Portal.Escrow == "" {
			continue
		}
		host := hostOf(p.keys.Portal.Escrow)
		i := slices.IndexFunc(b.neighbours, func(n neighbour) bool { return n.has(host) })
		if i < 0 { // of another Portreeve
			continue
		}
		p.checkCalls(b.neighbours[i], host)
	}
}

// checkCalls looks at the site api, whose host the pages of p call.
func (p neighbour) checkCalls(api neighbour, host string) {
	warn := func(format string, args ...any) { p.keys.at.Warnf("portal.escrow", format, args...) }
	where := api.keys.at.Path()
	if api.keys == p.keys {
		warn("%s is a host of this very site, which its pages call anyway; leave it out", host)
		return
	}
	if !api.keys.servesEscrow() {
		warn("%s is a host of %s, which has no escrow: setting a key and revealing would get 404 there", host, where)
		return
	}
	origin := api.keys.Escrow.PortalOrigin
	if origin == "" {
		warn("%s is a host of %s, which lets no page of another host call it; write escrow: {portalOrigin: %s} there", host, where, p.origin())
		return
	}
	from := hostOf(origin)
	if !p.has(from) {
		warn("%s is a host of %s, whose escrow.portalOrigin is %s and no host of this site: browsers refuse these pages its answers; write %s there", host, where, origin, p.origin())
		return
	}
	if others := slices.DeleteFunc(slices.Clone(p.hosts), func(h string) bool { return h == from }); len(others) > 0 {
		warn("escrow.portalOrigin of %s is %s: whoever opens this portal as %s can neither set a key nor reveal", where, origin, strings.Join(others, ", "))
	}
}

// origin is what portalOrigin of the API's site is to be.
func (p neighbour) origin() string {
	for _, h := range p.hosts {
		if !strings.HasPrefix(h, "*.") {
			return "https://" + h
		}
	}
	return "this portal's origin"
}
