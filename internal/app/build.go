package app

import (
	"crypto/tls"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/docs"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/insight"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/server"
)

// Version is the release, set at link time.
var version = "dev"

// Version returns the release.
func Version() string { return version }

// Deps is what outlives a configuration and is handed to each generation.
type Deps struct {
	Keys   func(keyset.Config) *keyset.Set // makes or reuses key sets; nil makes them anew
	Memory *identity.Memory
	JWKS   func() ([]byte, error) // public keys of assertions; nil where there are none
	// Automatic makes or reuses what gets certificates; nil where none are gotten.
	Automatic func(server.ACME) (*server.Automatic, error)
	// Edges makes or reuses login edges; nil makes them anew.
	Edges func(name string, settings any, fresh func() (*login.Surface, error)) (*login.Surface, error)
	// Actions makes or reuses what runs scripts, plain in test and dev; nil where
	// nothing does.
	Actions func(plain bool) *actions.Engine
	// Links counts what came of links; nil: nobody does.
	Links func(site, outcome string)
	// Insight tells what the process knows of itself; nil where nothing is served.
	Insight *insight.Service
	// Stored is what lives in the store; nil where nothing is opened.
	Stored *Stored
	// Serves says that the configuration is to be served, not only looked at.
	Serves bool
	Log    *slog.Logger     // nil: nobody listens
	Now    func() time.Time // nil: time.Now
}

// Built is a configuration made ready: what reload can swap in without any
// chance of failure left.
type Built struct {
	*Loaded
	Snapshot  *gateway.Snapshot
	TLS       *tls.Config  // of the public listeners; nil: plain HTTP
	ACME      *server.ACME // nil: certificates come from files alone
	Upstreams map[string]gateway.UpstreamSettings
	groups    map[string]proxy.GroupSettings // of Upstreams, by the same keys
	trust     *client.Trust
	auto      *server.Automatic // of ACME
	acmeHosts []string
	KeySets   []*keyset.Set
	Files     []string // besides those the document names
	Signs     bool     // some route sends assertions
	Off       []string // providers that accept nothing, and why
	Book      *policy.Book
	Tenants   []string             // that the file names: the default one and those of sites
	asked     []rbac.Asked         // what the routes of the file ask for
	defaults  []string             // default roles of all sites
	signIns   []*identity.Provider // of all sites, that people sign in by
	edges     []*login.Surface     // of all sites
	links     []linkSite           // where serve makes one-time sign-in links
	told      told
}

// ownCookies are Portreeve's own cookies: no upstream sees or sets them.
var ownCookies = []string{identity.CookieSession, identity.CookieMFA, identity.CookiePre}

// build compiles a loaded file. Problems land in its document; the result must
// not be used when the document failed.
func build(l *Loaded, d Deps) *Built {
	root := l.Doc.Report("")
	b := &builder{Built: &Built{Loaded: l, Upstreams: map[string]gateway.UpstreamSettings{}}, deps: d, root: root, words: &policy.Tenants{}}
	b.checkFile()
	b.TLS = b.tls()
	top := b.topSite()
	b.Book = policy.NewBook(top.RBAC, root.At("rbac"))
	trust := client.Compile(l.File.TrustedProxies, root.At("trustedProxies"))
	standard := b.site(top, defaultSite, nil, true)
	var named []*gateway.Site
	hosts := map[string]string{}
	for i := range l.File.Sites {
		at := root.At("sites" + config.Index(i))
		names := b.hosts(l.File.Sites[i].Hosts, at, hosts)
		if len(names) == 0 {
			continue
		}
		keys := inherit(l.File.SiteKeys, l.File.Sites[i], at, root)
		named = append(named, b.site(keys, names[0], names, false))
	}
	b.Snapshot = gateway.NewSnapshot(standard, named)
	b.Snapshot.WarnEndpoints(top.RateLimit, root)
	b.Snapshot.Version = version
	b.Snapshot.Trusted, b.trust = trust, trust
	b.Snapshot.ClientCerts = b.TLS != nil && b.TLS.ClientAuth != tls.NoClientCert
	b.Snapshot.RequireCert = b.TLS != nil && b.TLS.ClientAuth == tls.RequireAndVerifyClientCert
	b.Snapshot.RequireHTTPS = l.Env == "prod" && !l.File.InsecurePlainHTTP
	*b.words = *policy.NewTenants(l.File.Tenants, b.providers, root.At("tenants"))
	b.Snapshot.Tenants = b.words
	b.checkRows()
	b.checkPortals()
	b.checkFactors()
	b.store()
	b.refusalPage()
	b.upstreams()
	return b.Built
}

type builder struct {
	*Built
	acmeAt    *config.Reporter // where ACME stands
	deps      Deps
	root      *config.Reporter
	providers []policy.Provider              // of all sites, for tenants.defaultFor
	signers   map[string]*identity.JWTConfig // the first without issuer of each name
	// collections are those of shared things that some site serves; rows are the
	// sites, whose routes may ask for roles there.
	collections []string
	rows        []*inherited
	neighbours  []neighbour     // the sites with their hosts
	words       *policy.Tenants // what the key tenants says, once all sites are known
	signsIn     map[string]*identity.OIDCConfig
}

// topSite is the default site: the top level's own keys.
func (b *builder) topSite() *inherited {
	k := b.File.SiteKeys
	k.furnish()
	return &inherited{SiteKeys: k, at: b.root, top: b.root, own: map[string]bool{}, implied: b.File.implied()}
}

// defaultSite is what the site is called that no host names. Every other one is
// called by its first host. Sessions and step-ups are of one site, by its name.
const defaultSite = "default"

// hosts checks a site's host names and returns them in canonical form.
func (b *builder) hosts(list []string, at *config.Reporter, seen map[string]string) []string {
	var out []string
	for i, h := range list {
		key := "hosts" + config.Index(i)
		plain, wild := strings.CutPrefix(h, "*.")
		name, ok := request.CanonicalHost(plain)
		if !ok || strings.Contains(h, ":") && !strings.HasPrefix(h, "[") || wild && strings.HasPrefix(name, "[") {
			at.Errorf(key, "%q is no host name; write it without scheme, port and path, or *.example.com for one label", h)
			continue
		}
		if wild {
			name = "*." + name
		}
		if where, taken := seen[name]; taken {
			at.Errorf(key, "%s is %s already", name, where)
			continue
		}
		if len(out) == 0 && name == defaultSite {
			at.Errorf(key, "a site goes by its first host, and %s is what the one without hosts is called; list another host first", name)
			continue
		}
		seen[name] = "a host of " + at.Path()
		out = append(out, name)
	}
	return out
}

// site compiles one site.
func (b *builder) site(k *inherited, name string, hosts []string, isDefault bool) *gateway.Site {
	owner := b.claim(k)
	if owner != "" {
		k = k.alone(owner)
	}
	id, noAuth := b.identity(k, name)
	book := b.Book
	if k.siteRBAC != nil {
		book = b.Book.Site(k.siteRBAC, k.at.At("rbac"))
	}
	if role := book.DefaultRole(); role != "" && !slices.Contains(b.defaults, role) {
		b.defaults = append(b.defaults, role)
	}
	if k.RateLimit != nil {
		k.RateLimit.Validate(k.place("rateLimit").At("rateLimit"))
	}
	for i := range k.Routes {
		if u := k.Routes[i].Upstream; u != nil && u.Assertion {
			b.Signs = true
		}
	}
	b.asks(k)
	b.Signs = b.Signs || k.Upstream != nil && k.Upstream.Assertion
	b.checkSignIn(k, id)
	b.escrowCORS(k)
	b.neighbours = append(b.neighbours, neighbour{k, hosts, noAuth || forPeople(id)})
	in := gateway.SiteInput{
		Name: name, Hosts: hosts, Default: isDefault, Tenant: k.Tenant, Identity: id, Book: book, NoAuth: noAuth,
		Rules: b.pathRules(k), FoldCase: k.PathCase == "fold", CORS: k.CORS, Allow: k.Allow, Deny: k.Deny,
		RateLimit: k.RateLimit, IdentityHeaders: k.IdentityHeaders, Upstream: k.Upstream, Routes: k.Routes,
		OwnCookies: ownCookies, SignIn: k.SignIn, RequireMFA: k.RequireMFA, At: k.at, Inherited: k.place, Keys: b.deps.JWKS, Upstreams: b.Upstreams, Abs: b.abs,
	}
	if owner != "" {
		b.own(k, owner, &in)
		return gateway.BuildSite(in)
	}
	in.Surfaces = b.surfaces(k, in)
	if k.Docs != nil && *k.Docs {
		in.Pages = docs.Pages(documentation())
	}
	return gateway.BuildSite(in)
}

// pathRules reads the site's settings about paths.
func (b *builder) pathRules(k *inherited) (rules request.PathRules) {
	word := func(key, value string, words ...string) bool {
		if value == "" {
			return false
		}
		if !slices.Contains(words, value) {
			k.place(key).Errorf(key, "%q is none of %s", value, strings.Join(words, ", "))
			return false
		}
		return value == words[0]
	}
	if word("encodedSlash", k.EncodedSlash, "allow", "refuse") {
		rules.Allow |= request.EncodedSlash | request.Nested
	}
	if word("emptySegments", k.EmptySegments, "keep", "refuse") {
		rules.Allow |= request.Empty
	}
	if word("semicolon", k.Semicolon, "allow", "refuse") {
		rules.Allow |= request.Semicolon
	}
	rules.ResolveDots = word("dotSegments", k.DotSegments, "resolve", "refuse")
	rules.Report = word("strictness", k.Strictness, "report", "enforce")
	word("pathCase", k.PathCase, "fold", "exact")
	return rules
}

// identity builds a site's providers and puts them together.
func (b *builder) identity(k *inherited, name string) (site *identity.Site, noAuth bool) {
	switch k.Auth {
	case "":
	case "none":
		noAuth = true
		if b.Written == "prod" {
			k.place("auth").Errorf("auth", "none needs `environment: test` or `dev` written in the file")
		}
	default:
		k.place("auth").Errorf("auth", `only "none" can stand here; leave it out to identify callers`)
	}
	list := b.siteProviders(k, name)
	site, problems := identity.NewSite(list, identity.SiteOptions{Memory: b.deps.Memory})
	for _, p := range problems {
		at, key := k.at, ""
		for _, one := range list {
			if one.Name == p.Provider {
				at, key = k.place(one.Kind), one.Kind
			}
		}
		if p.Warning {
			at.Warnf(key, "provider %s: %s", p.Provider, p.Message)
		} else {
			at.Errorf(key, "provider %s: %s", p.Provider, p.Message)
		}
	}
	for _, set := range site.KeySets() {
		if !slices.Contains(b.KeySets, set) {
			b.KeySets = append(b.KeySets, set)
		}
	}
	return site, noAuth
}

// siteProviders builds what the site's keys name, and keeps those that
// providers lists.
func (b *builder) siteProviders(k *inherited, name string) []*identity.Provider {
	deps := identity.Deps{Env: b.Written, Dir: b.Dir, Keys: b.deps.Keys}
	var all []*identity.Provider
	seen := map[string]bool{}
	if k.Access != nil {
		k.Access.Validate(k.place("access").At("access"), b.Written)
		all = append(all, identity.NewAccess(k.Access, deps))
	}
	if k.Firebase != nil {
		k.Firebase.Validate(k.place("firebase").At("firebase"), b.Written)
		all = append(all, identity.NewFirebase(k.Firebase, deps))
	}
	identity.ValidateJWT(k.JWT, k.place("jwt").At("jwt"), b.Written, seen)
	for i := range k.JWT {
		p, err := identity.NewJWT(&k.JWT[i], deps)
		if err != nil {
			if !b.Doc.Failed() {
				k.place("jwt").Errorf("jwt", "%v", err)
			}
			continue
		}
		b.signedByOne(k, &k.JWT[i])
		b.providers = append(b.providers, policy.Provider{Name: p.Name, Kind: p.Kind})
		all = append(all, p)
	}
	for i := range k.OIDC {
		at := k.place("oidc").At("oidc")
		if at.Has(config.Index(i)) {
			at = at.At(config.Index(i))
		}
		k.OIDC[i].Validate(at, b.Written, seen)
		all = append(all, identity.NewOIDC(&k.OIDC[i], deps))
	}
	if k.takesKeys(k.implied) {
		header := value(k.APIKey).Header
		if header != "" && !headerName(header) {
			k.place("apiKey").Errorf("apiKey.header", "is no name of a header of its own; x-api-key is the usual one")
			header = ""
		}
		all = append(all, identity.NewAPIKey(header, b.stored().verifier()))
	}
	if k.takesMachines() {
		all = append(all, identity.NewMachine(b.stored().verifier()))
	}
	all = append(all, b.sessionProviders(k, name)...)
	for _, p := range all {
		b.Files = append(b.Files, p.Files()...)
		if !slices.Contains(ofOwn, p.Kind) && p.Kind != identity.KindJWT {
			b.providers = append(b.providers, policy.Provider{Name: p.Name, Kind: p.Kind})
		}
		if p.Off != "" && !slices.Contains(b.Off, p.Name+": "+p.Off) {
			b.Off = append(b.Off, p.Name+": "+p.Off)
		}
	}
	return b.listed(k, all)
}

// ofOwn are the kinds whose word about tenants is Portreeve's own.
var ofOwn = []string{identity.KindAPIKey, identity.KindMachine, identity.KindSession, identity.KindLink}

func (b *builder) listed(k *inherited, all []*identity.Provider) []*identity.Provider {
	if k.Providers == nil {
		return all
	}
	var out []*identity.Provider
	for i, name := range k.Providers {
		found := false
		for _, p := range all {
			if (p.Name == name || p.Kind == name) && !slices.Contains(out, p) {
				out, found = append(out, p), true
			}
		}
		if !found {
			k.place("providers").Errorf("providers"+config.Index(i), "no provider is called %q", name)
		}
	}
	return out
}
