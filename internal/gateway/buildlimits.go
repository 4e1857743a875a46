package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/config"
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
	r := b.Inherited("rateLimit").At("rateLimit.perEndpoint")
	for path := range b.RateLimit.PerEndpoint {
		if !b.hasPath(path) {
			r.Warnf(config.Key(path), "no route of %s has this path as written, so the limit counts nothing here", b.Name)
		}
	}
}

func (b *builder) hasPath(path string) bool {
	found := false
	b.site.Table.Entries(func(e *Entry) {
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
