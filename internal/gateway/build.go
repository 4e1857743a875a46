package gateway

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// SiteInput is what a site is built from: its keys after inheritance, and what
// other packages have compiled already.
type SiteInput struct {
	Name            string
	Hosts           []string
	Default         bool
	Tenant          string
	Identity        *identity.Site
	Book            *policy.Book
	NoAuth          bool
	Rules           request.PathRules
	FoldCase        bool
	CORS            *CORSConfig
	Allow, Deny     *policy.MatchConfig
	RateLimit       *limit.Config
	IdentityHeaders []string
	Upstream        *UpstreamConfig
	Routes          []RouteConfig
	Surfaces        []SurfaceRoute // of Portreeve's own surfaces that stand here
	Owner           *Owner         // the one surface whose the site is; nil: nobody's alone
	OwnCookies      []string
	// SignIn is Site.SignIn. RequireMFA are the permissions for which the site's
	// operations ask for a second factor besides; "*" stands for either part.
	SignIn     string
	RequireMFA []string
	// At is where the site's own keys stand; Inherited finds the place of one
	// that may come from the top level.
	At        *config.Reporter
	Inherited func(key string) *config.Reporter
	// Keys are the public keys of assertions; nil where there are none.
	Keys func() ([]byte, error)
	// Upstreams collects the upstreams that the routes name.
	Upstreams map[string]UpstreamSettings
	// Abs makes a file's name absolute; nil leaves it as it is.
	Abs func(string) string
	// Pages are made from the finished site; nil: none.
	Pages *Pages
}

// UpstreamSettings is what transport needs to know of an upstream.
type UpstreamSettings struct {
	Key    string
	Label  string   // its name, or where it stands in the file: never an address
	URLs   []string // http://host:port or unix:/path, without the base
	Config *UpstreamConfig
	At     *config.Reporter
}

type builder struct {
	SiteInput
	site    *Site
	setters []string        // header names that any headers.set of the site can produce
	strips  map[bool]*Strip // by whether they leave the credential; made once
	// factorFor says which of RequireMFA some operation asks for.
	factorFor []bool
}

// BuildSite compiles a site and reports whatever is wrong with it.
func BuildSite(in SiteInput) *Site {
	if in.Owner != nil {
		in.own()
	}
	b := &builder{SiteInput: in, strips: map[bool]*Strip{}}
	b.site = &Site{
		Name: in.Name, Hosts: in.Hosts, Default: in.Default, Tenant: in.Tenant, Rules: in.Rules, report: in.Rules.Report,
		Identity: in.Identity, Book: in.Book, NoAuth: in.NoAuth, Table: NewTable(in.FoldCase), Owner: in.Owner,
		CORS: NewCORS(in.CORS, in.Inherited("cors").At("cors")), SignIn: in.SignIn,
	}
	b.site.Table.exact = in.Owner != nil && in.Owner.ExactMethods
	b.siteRules()
	b.collectSetters()
	if len(in.Routes) == 0 && in.Upstream == nil && len(in.Surfaces) == 0 {
		b.site.Empty = true
	}
	for i := range in.Routes {
		b.route(&in.Routes[i], in.At.At("routes"+config.Index(i)), "routes"+config.Index(i))
	}
	b.surfaces()
	b.doubts()
	b.builtins()
	b.siteLimits()
	b.makePages()
	return b.site
}

// siteRules compiles allow and deny of the whole site.
func (b *builder) siteRules() {
	if b.Allow == nil && b.Deny == nil {
		return
	}
	deps := policy.Deps{Book: b.Book}
	// Each may stand at another level, which is where its problems are reported.
	policy.Compile(policy.Requirements{Allow: b.Allow}, deps, b.Inherited("allow"))
	policy.Compile(policy.Requirements{Deny: b.Deny}, deps, b.Inherited("deny"))
	b.site.Allow = policy.Compile(policy.Requirements{Allow: b.Allow, Deny: b.Deny}, deps, nil)
}

// collectSetters finds the header names that upstreams of this site get from
// us: a client may send none of them on any route.
func (b *builder) collectSetters() {
	add := func(u *UpstreamConfig) {
		if u != nil {
			for name := range u.Headers.Set {
				b.setters = append(b.setters, name)
			}
		}
	}
	add(b.Upstream)
	for i := range b.Routes {
		add(b.Routes[i].Upstream)
	}
}

func (b *builder) route(c *RouteConfig, r *config.Reporter, key string) {
	pattern, err := ParsePattern(c.Path)
	if err != nil {
		if c.Path != "" { // a missing path is reported where it is missing
			r.Errorf("path", "%v", err)
		}
		return
	}
	if first := firstLiteral(pattern); first == ownSegment || b.FoldCase && strings.EqualFold(first, ownSegment) {
		r.Errorf("path", "/.portreeve/ is Portreeve's own")
		return
	}
	route := &Route{Key: b.routeKey(key), Pattern: pattern, Methods: methods(c.Method, r), Description: c.Description, Tags: c.Tags,
		Identify: c.Identify != "none", SharedCache: c.SharedCache}
	if c.Identify != "" && c.Identify != "none" {
		r.Errorf("identify", `only "none" can stand here; leave it out to identify callers`)
	}
	route.Requirement = policy.Compile(c.Requirements, policy.Deps{Book: b.Book, Params: pattern.names}, r)
	b.accept(route, c, r)
	route.CORS = NewCORS(c.CORS, r.At("cors"))
	route.Answer = b.answer(c, route.Identify, r)
	if to, ok := route.Answer.(*Forwarding); ok && to.Rewrite == nil && !slices.Contains(b.site.ways, wayOf(to)) {
		b.site.ways = append(b.site.ways, wayOf(to))
	}
	b.routeLimits(route, c, r)
	if err := b.site.Table.Add(route); err != nil {
		r.Errorf("path", "%v", err)
	}
}

func firstLiteral(p *Pattern) string {
	if len(p.pieces) > 0 && p.pieces[0].kind == literal {
		return p.pieces[0].value
	}
	return ""
}

// accept settles whose credentials open the route.
func (b *builder) accept(route *Route, c *RouteConfig, r *config.Reporter) {
	asks := route.Requirement.Any() || b.site.Allow.Any()
	switch {
	case asks && !route.Identify:
		r.Errorf("identify", "a route with identify: none can state no requirement: nobody is known there")
	case asks && b.NoAuth:
		r.Warnf("", "with auth: none nobody is identified, so this route refuses everybody")
	}
	if b.NoAuth || !route.Identify {
		return
	}
	accept, err := b.Identity.Accept(c.AuthProvider)
	if err != nil {
		r.Errorf("authProvider", "%v", err)
		return
	}
	route.Accept = accept
	if asks && len(accept.Names()) == 0 {
		b.nobody(r)
	}
}

// nobody reports a route that nobody can pass: a mistake, unless it waits for a
// provider that is off, which answers 401 until it is on.
func (b *builder) nobody(r *config.Reporter) {
	for _, p := range b.Identity.Providers() {
		if p.Off != "" {
			r.Warnf("", "nobody passes this route: %s is off (%s)", p.Name, p.Off)
			return
		}
	}
	for _, p := range b.Identity.Providers() {
		if p.OpenSignUp {
			r.Errorf("", "nobody passes this route: anybody may sign up at %s, so it counts only where it is named; add authProvider: %s, or set openSignUp: false at it", p.Name, p.Name)
			return
		}
	}
	r.Errorf("", "this route asks for a credential, but no provider of the site can give one; configure jwt, oidc, access or firebase")
}

// methodNames are those that a route can list.
var methodNames = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func methods(list []string, r *config.Reporter) []string {
	var out []string
	for i, m := range list {
		up := strings.ToUpper(m)
		switch {
		case up == "ANY":
			out = append(out, AnyMethod)
		case !slices.Contains(methodNames, up):
			r.Errorf("method"+config.Index(i), "%q is no method that a route can have; get, head, post, put, patch, delete, options or any", m)
		case slices.Contains(out, up):
			r.Errorf("method"+config.Index(i), "%s stands twice", m)
		default:
			out = append(out, up)
		}
	}
	return out
}

// answer compiles the one answer of a route.
func (b *builder) answer(c *RouteConfig, identify bool, r *config.Reporter) Answer {
	given := 0
	for _, has := range []bool{c.Upstream != nil, c.Data != nil, c.Response != nil, c.Redirect != nil} {
		if has {
			given++
		}
	}
	if given > 1 {
		r.Errorf("", "a route has at most one answer: upstream, data, response or redirect")
	}
	if c.Data == nil && c.Response == nil && (c.Status != 0 || len(c.Headers) > 0) {
		r.Errorf("", "status and headers go with data or response")
	}
	switch {
	case c.Data != nil || c.Response != nil:
		return b.document(c, r)
	case c.Redirect != nil:
		return b.redirect(c.Redirect, r.At("redirect"))
	case c.Upstream != nil:
		return b.forwarding(c.Upstream, identify, r.At("upstream"))
	case b.Upstream != nil:
		return b.forwarding(b.Upstream, identify, b.At.At("upstream"))
	}
	r.Warnf("", "this route has no answer of its own and its site has no upstream: it answers 200 {} once its requirements are met")
	empty, _ := template.CompileTree(template.Tree{Value: []template.Member{}}, 0)
	return &Document{Status: 200, ContentType: jsonType, JSON: empty}
}

const jsonType = "application/json; charset=utf-8"
