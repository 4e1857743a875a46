package gateway

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
)

// doubts warns about what loads and is hardly meant.
func (b *builder) doubts() {
	if b.Upstream != nil && len(b.Routes) == 0 {
		b.At.Warnf("upstream", "nothing goes there: routes say which requests are let through; {path: /*, method: any} is all of them")
	}
	if b.site.Allow.Any() {
		return // whoever gets past that was asked
	}
	routes := map[string]*Route{}
	for _, r := range b.site.Table.routes() {
		routes[r.Key] = r
	}
	for i := range b.Routes {
		key := "routes" + config.Index(i)
		r := routes[b.routeKey(key)]
		if r == nil || !r.Requirement.Any() {
			continue
		}
		if open, at := b.openRoot(r); open != nil {
			b.At.At(key).Warnf("path", "%s itself is not under it and goes to %s, which asks for nothing; add a route for it", at, open.Where())
		}
	}
}

// openRoot finds the route without requirements that answers for /admin where r
// guards /admin/*, and sends to an upstream: a literal /admin would have been
// meant so, a wider pattern hardly is.
func (b *builder) openRoot(r *Route) (open *Route, at string) {
	last := len(r.Pattern.pieces) - 1
	if last < 1 || r.Pattern.pieces[last].kind != rest {
		return nil, ""
	}
	var path request.Path
	for _, p := range r.Pattern.pieces[:last] {
		if p.kind == param {
			p.value = "x" // any
		}
		path.Segments = append(path.Segments, request.Segment{Text: p.value, Value: p.value})
	}
	var params Params
	e := b.site.Table.Find(path, &params)
	if e == nil {
		return nil, ""
	}
	if as := e.Routes[0].Pattern.pieces; len(as) == last && as[last-1].kind == r.Pattern.pieces[last-1].kind {
		return nil, ""
	}
	for _, other := range e.Routes {
		if _, forwards := other.Answer.(*Forwarding); forwards && !other.Requirement.Any() && overlap(r, other) {
			return other, path.String()
		}
	}
	return nil, ""
}

func overlap(a, b *Route) bool {
	for _, m := range methodNames {
		if (&Entry{Routes: []*Route{a}}).Route(m) != nil && (&Entry{Routes: []*Route{b}}).Route(m) != nil {
			return true
		}
	}
	return false
}

// routeKey names a route of the site by where it stands.
func (b *builder) routeKey(key string) string {
	if b.Name == "default" {
		return key
	}
	return b.Name + " " + key
}
