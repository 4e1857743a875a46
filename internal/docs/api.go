package docs

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
)

// api is what is said of a site.
type api struct {
	title   string
	schemes []scheme
	routes  []*route // by path, then method
	limits  []string // of every request
}

// scheme is one way to show who calls.
type scheme struct {
	provider, kind string
	place          identity.Place
}

// route is what is said of one route.
type route struct {
	path        string // as the file writes it
	segments    []gateway.PatternSegment
	template    string // as OpenAPI writes it
	methods     []string
	any         bool // the file says any; methods are those it stands for
	own         bool // Portreeve's own
	description string
	tags        []string
	public      bool
	who         []string // what is asked, in plain words
	opens       []string // the providers whose credentials open it, or count on a public route
	parameters  []parameter
	body        *body
	answer      answer
	faults      []failure
	limits      []string // besides the site's
}

// untagged and ownTag are the groups of routes without tags.
const (
	untagged = "Routes"
	ownTag   = "Portreeve"
)

// describe reads a site.
func describe(site *gateway.Site) *api {
	a := &api{title: site.Name, limits: limitWords(site.Limits())}
	if site.Default {
		a.title = "API"
	}
	if !site.NoAuth && site.Identity != nil {
		for _, p := range site.Identity.Providers() {
			if p.Off == "" {
				a.schemes = append(a.schemes, scheme{provider: p.Name, kind: p.Kind, place: p.Place()})
			}
		}
	}
	var entries []*gateway.Entry
	site.Table.Entries(func(e *gateway.Entry) { entries = append(entries, e) })
	slices.SortFunc(entries, func(x, y *gateway.Entry) int { return strings.Compare(x.Text, y.Text) })
	names := templates(entries)
	for _, e := range entries {
		for _, r := range e.Routes {
			if hidden(r) {
				continue
			}
			if one := a.route(site, e, r, names[e]); len(one.methods) > 0 {
				a.routes = append(a.routes, one)
			}
		}
	}
	slices.SortStableFunc(a.routes, func(x, y *route) int {
		if c := strings.Compare(x.path, y.path); c != 0 {
			return c
		}
		return slices.Compare(x.methods, y.methods)
	})
	return a
}

// hidden reports whether a route is a second name for another one, or part of
// the page.
func hidden(r *gateway.Route) bool {
	if op, surface := r.Answer.(*gateway.Operation); surface {
		return op.Unlisted
	}
	own, ok := r.Answer.(*gateway.Builtin)
	return ok && own.Unlisted
}

func (a *api) route(site *gateway.Site, e *gateway.Entry, r *gateway.Route, name templateName) *route {
	one := &route{path: r.Pattern.Text, segments: r.Pattern.Segments(), template: name.text, any: r.AnyMethod(), description: strings.TrimSpace(r.Description), tags: tagsOf(r)}
	for _, m := range methodsOf(r) {
		if e.Route(m) == r {
			one.methods = append(one.methods, m)
		}
	}
	own, isOwn := r.Answer.(*gateway.Builtin)
	if one.own = isOwn; isOwn {
		one.description = owns[own.Name].summary
	}
	a.who(one, site, r)
	one.limits = limitWords(r.Limits())
	one.parameters = name.parameters()
	one.reads(r)
	one.answers(r)
	one.fails(a, site, r)
	return one
}

// methodsOf lists a route's methods, those that any stands for written out.
func methodsOf(r *gateway.Route) []string {
	if r.AnyMethod() {
		return []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"}
	}
	return r.Methods
}

func tagsOf(r *gateway.Route) []string {
	var out []string
	for _, t := range r.Tags {
		if t = strings.TrimSpace(t); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	if _, own := r.Answer.(*gateway.Builtin); own {
		return []string{ownTag}
	}
	if len(out) == 0 {
		return []string{untagged}
	}
	return out
}

// who says whom the route is for and whose credentials count.
func (a *api) who(one *route, site *gateway.Site, r *gateway.Route) {
	if !r.OpenToAll {
		for _, s := range append(site.Allow.Outline(), r.Requirement.Outline()...) {
			if !slices.Contains(one.who, s) {
				one.who = append(one.who, s)
			}
		}
	}
	// "signed in by jwt" says "signed in", too
	if len(one.who) > 1 && slices.ContainsFunc(one.who, func(s string) bool { return strings.HasPrefix(s, signedIn+" by ") }) {
		one.who = slices.DeleteFunc(one.who, func(s string) bool { return s == signedIn })
	}
	one.public = len(one.who) == 0
	if r.Identify && r.Accept != nil {
		for _, p := range r.Accept.Names() {
			if a.scheme(p) != nil {
				one.opens = append(one.opens, p)
			}
		}
	}
}

const signedIn = "signed in"

func (a *api) scheme(provider string) *scheme {
	for i := range a.schemes {
		if a.schemes[i].provider == provider {
			return &a.schemes[i]
		}
	}
	return nil
}
