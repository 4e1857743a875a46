package gateway

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/limit"
)

func (b *builder) limitsOn() bool {
	c := b.RateLimit
	return c != nil && (c.Enabled == nil || *c.Enabled)
}

func (b *builder) siteLimits() {
	if !b.limitsOn() {
		return
	}
	if b.RateLimit.Default != nil {
		where := b.Name + " rateLimit.default"
		b.site.limits.add(where, where, *b.RateLimit.Default)
	}
	if at := b.Inherited("rateLimit"); at == b.At && !b.Default { // its own key; the top level's is every site's
		warnEndpoints(b.RateLimit, at, b.Name, []*Site{b.site})
	}
}

// WarnEndpoints reports the paths of the top level's perEndpoint that no site
// has: they count nothing.
func (s *Snapshot) WarnEndpoints(c *limit.Config, r *config.Reporter) {
	if c != nil {
		warnEndpoints(c, r, "any site", append([]*Site{s.standard}, s.named...))
	}
}

func warnEndpoints(c *limit.Config, r *config.Reporter, where string, sites []*Site) {
	for path := range c.PerEndpoint {
		if !slices.ContainsFunc(sites, func(s *Site) bool { return s.hasPath(path) }) {
			r.At("rateLimit.perEndpoint").Warnf(config.Key(path), "no route of %s has this path as written, so the limit counts nothing", where)
		}
	}
}

func (s *Site) hasPath(path string) bool {
	found := false
	s.Table.Entries(func(e *Entry) {
		for _, r := range e.Routes {
			found = found || r.Pattern.Text == path
		}
	})
	return found
}

func (b *builder) routeLimits(route *Route, c *RouteConfig, r *config.Reporter) {
	if c.RateLimit != nil {
		c.RateLimit.Validate(r.At("rateLimit"))
		name := strings.Join(append([]string{b.Name, "rateLimit of", c.Path}, route.Methods...), " ")
		route.limits.add(name, "rateLimit of "+route.Key+" "+c.Path, *c.RateLimit)
	}
	b.endpointLimit(route)
}

func (b *builder) endpointLimit(route *Route) {
	if !b.limitsOn() {
		return
	}
	if per, ok := b.RateLimit.PerEndpoint[route.Pattern.Text]; ok {
		where := b.Name + " rateLimit.perEndpoint " + route.Pattern.Text
		route.limits.add(where, where, per)
	}
}

// standardLimit is a surface's own limit, which whatever the site says of that
// path takes the place of. What has the same name counts together.
func (b *builder) standardLimit(route *Route, name string, c *limit.RuleConfig) {
	if c == nil {
		return
	}
	if site := b.RateLimit; site != nil {
		_, said := site.PerEndpoint[route.Pattern.Text]
		if said || site.Default != nil || !b.limitsOn() {
			return
		}
	}
	where := "the standard limit of " + name
	route.limits.add(b.Name+" "+where, where, *c)
}
