package identity

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// guestBook is a store of sessions: a cookie is PROVIDER.SITE.SUBJECT, filled up
// with dots. Names that begin with "gone" have none.
type guestBook struct {
	looked atomic.Int32
	row    func(*principal.Principal)
	err    error
}

func (g *guestBook) Verify(_ context.Context, cookie, site string) (*principal.Principal, error) {
	g.looked.Add(1)
	if g.err != nil {
		return nil, g.err
	}
	part := strings.Split(cookie, ".")
	if len(part) < 3 || part[1] != site || strings.HasPrefix(part[2], "gone") {
		return nil, fault.New(fault.Unauthenticated, CodeSessionEnded, "")
	}
	issuer := "https://idp.example"
	switch part[0] {
	case "okta":
		issuer = "https://okta.example"
	case "firebase":
		issuer = firebaseTokens + "demo-project"
	}
	who := &principal.Principal{Kind: principal.Machine, Provider: part[0], ProviderKind: "made up", Subject: part[2], Issuer: issuer, SessionID: "s-" + part[2],
		Claims: map[string]any{"email": "Olga@Example.com", "email_verified": true, "role": "admin", "tenant_id": "acme"}, AuthTime: clock.Add(-time.Hour),
		TrustRoles: true, TrustTenant: true}
	if g.row != nil {
		g.row(who)
	}
	return who, nil
}

func cookieOf(text string) string { return text + strings.Repeat(".", max(0, minCookie-len(text))) }

// signedIn is a cookie of a session on site "app" that a provider signed in.
func signedIn(text string) field {
	return field{Name: "Cookie", Value: "a=b; " + CookieSession + "=" + cookieOf(text) + "; c=d"}
}

func TestWhereSessionsAreReadAndCount(t *testing.T) {
	t.Parallel()
	providers := func(more ...*Provider) []*Provider {
		return append([]*Provider{NewSession("app", &guestBook{}), newOIDC("entra", "https://idp.example", "api"), newOIDC("okta", "https://okta.example", "api"),
			newFirebase(), newAccess()}, more...)
	}
	s := site(t, NewMemory(0), providers()...)
	without := site(t, NewMemory(0), newOIDC("entra", "https://idp.example", "api"))
	token := mint(rs(), oidcBody())
	twice := field{Name: "Cookie", Value: CookieSession + "=" + cookieOf("entra.app.a") + "; " + CookieSession + "=" + cookieOf("entra.app.b")}
	for _, c := range []struct {
		name    string
		site    *Site
		fields  []field
		accept  []string
		want    string // provider and subject, a code, or "" for nobody
		ambient bool
	}{
		{"where anybody counts", s, []field{signedIn("entra.app.olga")}, nil, "entra olga", true},
		{"where its provider is named", s, []field{signedIn("entra.app.olga")}, []string{"entra"}, "entra olga", true},
		{"where its provider's kind is", s, []field{signedIn("entra.app.olga")}, []string{KindOIDC}, "entra olga", true},
		{"where sessions are named", s, []field{signedIn("entra.app.olga")}, []string{KindSession}, "entra olga", true},
		{"where another provider is", s, []field{signedIn("entra.app.olga")}, []string{"okta"}, "", true},
		{"where Access is", s, []field{signedIn("entra.app.olga")}, []string{KindAccess}, "", true},
		{"of one where anybody may sign up", s, []field{signedIn("firebase.app.olga")}, nil, "", true},
		{"even where sessions are named", s, []field{signedIn("firebase.app.olga")}, []string{KindSession}, "", true},
		{"but where that one is named", s, []field{signedIn("firebase.app.olga")}, []string{"firebase"}, "firebase olga", true},
		{"of a provider that the site has not", s, []field{signedIn("else.app.olga")}, nil, "", true},
		{"nor where sessions are named", s, []field{signedIn("else.app.olga")}, []string{KindSession}, "", true},
		{"of another site", s, []field{signedIn("entra.other.olga")}, nil, CodeSessionEnded, false},
		{"ended", s, []field{signedIn("entra.app.gone")}, nil, CodeSessionEnded, false},
		{"no cookie of ours", s, []field{{"Cookie", CookieSession + "=x"}}, nil, CodeSessionEnded, false},
		{"an empty one", s, []field{{"Cookie", CookieSession + "="}}, nil, CodeSessionEnded, false},
		{"endless", s, []field{signedIn("entra.app." + strings.Repeat("a", 300))}, nil, CodeSessionEnded, false},
		{"of odd characters", s, []field{signedIn("entra.app.%41")}, nil, CodeSessionEnded, false},
		{"in other letters is another cookie", s, []field{{"Cookie", "__host-portreeve=" + cookieOf("entra.app.olga")}}, nil, "", false},
		{"twice in one header", s, []field{twice}, nil, CodeDuplicate, false},
		{"in two headers", s, []field{signedIn("entra.app.olga"), signedIn("entra.app.olga")}, nil, CodeDuplicate, false},
		{"in quotes", s, []field{{"cookie", CookieSession + `="` + cookieOf("entra.app.olga") + `"`}}, nil, "entra olga", true},
		{"the bearer decides", s, []field{signedIn("entra.app.olga"), bearing(token)}, nil, "entra o-1", false},
		{"unless only the session counts", s, []field{signedIn("okta.app.olga"), bearing(token)}, []string{"okta"}, "okta olga", true},
		{"a bad one beside a good bearer", s, []field{signedIn("entra.app.gone"), bearing(token)}, nil, CodeSessionEnded, false},
		{"where sessions are named a bearer is nobody's", s, []field{bearing(token)}, []string{KindSession}, "", false},
		{"where the site has none", without, []field{signedIn("entra.app.olga")}, nil, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := asking(t, c.site, Ask{View: get(c.fields...), Now: clock, Accept: must(c.site.Accept(c.accept))})
			got := code(r)
			if r.Provider != nil {
				got = r.Who.Provider + " " + r.Who.ID()
			}
			if got != c.want || r.Ambient != c.ambient || r.Fault == nil && r.FromCookie != c.ambient {
				t.Errorf("got %q, want %q: %+v", got, c.want, r)
			}
			if r.Ended != (code(r) == CodeSessionEnded) {
				t.Errorf("ended: %v after %q", r.Ended, code(r))
			}
		})
	}
	if _, err := without.Accept([]string{KindSession}); err == nil || !strings.Contains(err.Error(), "signIn") {
		t.Errorf("a site without sessions: %v", err)
	}
	if a := s.Any(); !a.SignsIn("entra") || a.SignsIn("firebase") || a.SignsIn("else") {
		t.Errorf("who signs in: %v", a)
	}
	if _, problems := NewSite(providers(NewSession("app", &guestBook{})), SiteOptions{}); len(problems) == 0 {
		t.Error("two stores of sessions are one too many")
	}
}

func TestASessionIsHeldToItsProvidersSettings(t *testing.T) {
	t.Parallel()
	trusting := func(c *OIDCConfig) {
		yes := true
		c.TrustRoles, c.TrustTenant = &yes, &yes
	}
	entra := func(change func(*OIDCConfig)) *Provider {
		c := &OIDCConfig{Name: "entra", Issuer: "https://idp.example", Audience: config.List[string]{"api"}}
		if change != nil {
			change(c)
		}
		return NewOIDC(c, issuerKeys("prod"))
	}
	for _, c := range []struct {
		name   string
		entra  *Provider
		row    func(*principal.Principal)
		check  func(*principal.Principal) bool
		broken bool
	}{
		{"who it is", entra(nil), nil, func(p *principal.Principal) bool {
			return p.Kind == principal.User && p.ProviderKind == KindSession && p.Via == KindOIDC && p.SessionID == "s-olga" && p.Issuer == "https://idp.example" && p.AuthTime.Equal(clock.Add(-time.Hour))
		}, false},
		{"an address that the provider verified", entra(nil), nil, func(p *principal.Principal) bool {
			return p.EmailFolded == "olga@example.com" && p.EmailDomain == "example.com"
		}, false},
		{"one that it did not", entra(nil), func(p *principal.Principal) { p.Email = "eve@example.com" }, func(p *principal.Principal) bool {
			return p.Email == "eve@example.com" && !p.EmailVerified && p.EmailFolded == ""
		}, false},
		{"one of a domain that it is trusted about", entra(func(c *OIDCConfig) { c.TrustEmail = &TrustEmailConfig{Domains: config.List[string]{"example.com"}} }),
			func(p *principal.Principal) { p.Email = "eve@example.com" }, func(p *principal.Principal) bool { return p.EmailVerified }, false},
		{"not trusted for roles and tenant", entra(nil), nil, func(p *principal.Principal) bool { return !p.TrustRoles && !p.TrustTenant }, false},
		{"trusted for them", entra(trusting), nil, func(p *principal.Principal) bool {
			return p.TrustRoles && p.TrustTenant && p.Roles[0] == "admin" && p.Tenant == "acme"
		}, false},
		{"a second factor that nobody trusts", entra(nil), func(p *principal.Principal) { p.Claims["amr"] = []any{"mfa"} }, func(p *principal.Principal) bool { return !p.SecondFactor }, false},
		{"one that counts", entra(func(c *OIDCConfig) { c.TrustAmr = config.List[string]{"mfa"} }), func(p *principal.Principal) { p.Claims["amr"] = []any{"pwd", "mfa"} },
			func(p *principal.Principal) bool { return p.SecondFactor }, false},
		{"a role of the wrong type, trusted", entra(trusting), func(p *principal.Principal) { p.Claims["role"] = 7 }, nil, true},
		{"no subject", entra(nil), func(p *principal.Principal) { p.Subject = "" }, nil, true},
		{"no row", entra(nil), func(p *principal.Principal) { p.SessionID = "" }, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := site(t, NewMemory(0), NewSession("app", &guestBook{row: c.row}), c.entra)
			r, _ := asking(t, s, Ask{View: get(signedIn("entra.app.olga")), Now: clock})
			if c.broken != (r.Fault != nil) || !c.broken && !c.check(r.Who) {
				t.Errorf("%+v %+v", r.Fault, r.Who)
			}
		})
	}
}

func TestASessionIsRememberedForItsSiteAlone(t *testing.T) {
	t.Parallel()
	memory, book, other := NewMemory(0), &guestBook{}, &guestBook{}
	entra := newOIDC("entra", "https://idp.example", "api")
	s, elsewhere := site(t, memory, NewSession("app", book), entra), site(t, memory, NewSession("other", other), entra)
	v := get(signedIn("entra.app.olga"))
	first, jobs := asking(t, s, Ask{View: v, Now: clock})
	again, none := asking(t, s, Ask{View: v, Now: clock.Add(time.Minute)})
	if jobs != 1 || none != 0 || first.Who != again.Who || book.looked.Load() != 1 {
		t.Errorf("%d and %d jobs, %d looks", jobs, none, book.looked.Load())
	}
	if r := ask(t, elsewhere, v, clock); code(r) != CodeSessionEnded || other.looked.Load() != 1 {
		t.Errorf("on another site it is %+v", r)
	}
	yes := true // the same provider after a reload that trusts it for roles
	changed := NewOIDC(&OIDCConfig{Name: "entra", Issuer: "https://idp.example", Audience: config.List[string]{"api"}, TrustRules: TrustRules{TrustRoles: &yes}}, issuerKeys("prod"))
	reloaded := site(t, memory, NewSession("app", book), changed)
	if r := ask(t, reloaded, v, clock); !r.Who.TrustRoles || book.looked.Load() != 2 {
		t.Errorf("after a reload it is remembered as it was: %+v", r.Who)
	}
	if _, jobs := asking(t, s, Ask{View: v, Now: clock.Add(rememberFor)}); jobs != 1 {
		t.Error("it is remembered for longer than tokens are")
	}
	book.err = fault.New(fault.Unavailable, "store_unavailable", "")
	if r := ask(t, s, get(signedIn("entra.app.new")), clock); code(r) != "store_unavailable" || r.Ended {
		t.Errorf("a store that is away is %+v", r)
	}
	book.err = errors.New("sql: broken")
	if r := ask(t, s, get(signedIn("entra.app.newer")), clock); r.Fault == nil || r.Fault.Kind != fault.Internal || r.Ended {
		t.Errorf("a store that is broken is %+v", r)
	}
}

func TestARememberedSessionCostsNothing(t *testing.T) { // not parallel: it counts allocations
	s := site(t, NewMemory(0), NewSession("app", &guestBook{}), newOIDC("entra", "https://idp.example", "api"))
	a := Ask{View: get(signedIn("entra.app.olga")), Now: clock}
	asking(t, s, a)
	if n := testing.AllocsPerRun(100, func() {
		if r := s.Identify(a); r.Provider == nil {
			t.Fatal(r)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestASessionsCookieIsOurs(t *testing.T) {
	t.Parallel()
	s := site(t, nil, NewSession("app", &guestBook{}), newOIDC("entra", "https://idp.example", "api"), newAccess())
	if list := s.CredentialCookies(); len(list) != 2 || list[0] != CookieSession {
		t.Errorf("upstreams get it: %v", list)
	}
	if p := NewSession("app", &guestBook{}); p.Place() != (Place{Cookie: CookieSession}) || p.Digest() == NewSession("other", &guestBook{}).Digest() {
		t.Errorf("%+v", p.Place())
	}
	for _, c := range []struct {
		name                string
		fields              []field
		ambient, fromCookie bool
	}{
		{"nothing", nil, false, false},
		{"a bearer", []field{bearing("x")}, false, false},
		{"the cookie, whatever it is worth", []field{{"Cookie", CookieSession + "=x"}}, true, true},
		{"Access's", []field{{"Cookie", cookieAccess + "=x"}}, true, true},
		{"Access's header", []field{{headerAccess, "x"}}, true, false},
		{"another cookie", []field{{"Cookie", "a=" + CookieSession}}, false, false},
	} {
		if ambient, fromCookie := s.Ambient(get(c.fields...)); ambient != c.ambient || fromCookie != c.fromCookie {
			t.Errorf("%s: %v, %v", c.name, ambient, fromCookie)
		}
	}
	for _, c := range []struct {
		age  time.Duration
		want string
	}{
		{0, "__Host-portreeve=v; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{time.Minute, "__Host-portreeve=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60"},
		{-1, "__Host-portreeve=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"},
	} {
		if got := SetCookie(CookieSession, "v", c.age); got != (request.Field{Name: "Set-Cookie", Value: c.want}) {
			t.Errorf("%v", got)
		}
	}
}

func TestTheProvidersWordAboutASecondFactor(t *testing.T) {
	t.Parallel()
	trusts := FactorRules{TrustAmr: config.List[string]{"mfa", "hwk"}}
	plain, trusted := newHMAC(nil), newHMAC(func(c *JWTConfig) { c.FactorRules = trusts })
	access := NewAccess(&AccessConfig{TeamDomain: "acme.example", Audience: config.List[string]{"aud-1"}, FactorRules: trusts}, issuerKeys("prod"))
	oidc := NewOIDC(&OIDCConfig{Name: "entra", Issuer: "https://idp.example", Audience: config.List[string]{"api"}, FactorRules: trusts}, issuerKeys("prod"))
	for _, c := range []struct {
		name string
		p    *Provider
		v    *request.View
		want bool
	}{
		{"of a provider that is not asked about it", plain, withBearer(mint(hs(), hmacBody().with("amr", []string{"mfa"}))), false},
		{"of one that is", trusted, withBearer(mint(hs(), hmacBody().with("amr", []string{"pwd", "hwk"}))), true},
		{"of Access", access, withAccess(mint(rs(), accessBody().with("amr", []string{"mfa"}))), true},
		{"of an OpenID provider", oidc, withBearer(mint(rs(), oidcBody().with("amr", []string{"mfa"}))), true},
		{"another method", trusted, withBearer(mint(hs(), hmacBody().with("amr", []string{"pwd"}))), false},
		{"in other letters", trusted, withBearer(mint(hs(), hmacBody().with("amr", []string{"MFA"}))), false},
		{"as a text", trusted, withBearer(mint(hs(), hmacBody().with("amr", "mfa"))), false},
		{"none", trusted, withBearer(mint(hs(), hmacBody())), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if r := ask(t, site(t, nil, c.p), c.v, clock); r.Provider == nil || r.Who.SecondFactor != c.want {
				t.Errorf("%+v %+v", r, r.Who)
			}
		})
	}
	if plain.Digest() == trusted.Digest() {
		t.Error("a reload that changes it does not change the digest")
	}
}
