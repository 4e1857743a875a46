package identity

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/jws"
)

func TestWhichProvider(t *testing.T) {
	t.Parallel()
	loose := newHMAC(nil)
	issued := newHMAC(func(c *JWTConfig) { c.Name, c.Issuer = "own", "https://own.example" })
	first, second := newOIDC("first", "https://idp.example", "a"), newOIDC("second", "https://idp.example", "b")
	for _, c := range []struct {
		name      string
		providers []*Provider
		token     string
		want      string
	}{
		{"by exact issuer", []*Provider{loose, issued, first}, mint(hs(), hmacBody().with("iss", "https://own.example")), "own"},
		{"by no other spelling", []*Provider{issued, first}, mint(hs(), hmacBody().with("iss", "https://OWN.example")), CodeUnknownIssuer},
		{"no issuer: the one without", []*Provider{issued, loose, first}, mint(hs(), hmacBody()), "jwt"},
		{"an issuer that nobody names: the one without", []*Provider{loose, first}, mint(hs(), hmacBody().with("iss", "https://x.example")), "jwt"},
		{"verified by that one alone", []*Provider{loose, issued}, mint(rs(), hmacBody().with("iss", "https://own.example")), CodeWrongAlgorithm},
		{"not by the shared secret though it fits", []*Provider{loose, first}, mint(hs(), oidcBody().with("aud", "a")), CodeWrongAlgorithm},
		{"nobody without issuer", []*Provider{issued, first}, mint(hs(), hmacBody()), CodeUnknownIssuer},
		{"two without issuer: neither", []*Provider{loose, newHMAC(func(c *JWTConfig) { c.Name = "b" })}, mint(hs(), hmacBody()), CodeUnknownIssuer},
		{"one issuer, by audience", []*Provider{first, second}, mint(rs(), oidcBody().with("aud", "b")), "second"},
		{"one issuer, neither's audience", []*Provider{first, second}, mint(rs(), oidcBody().with("aud", "c")), CodeWrongAudience},
		{"one issuer, both audiences", []*Provider{first, second}, mint(rs(), oidcBody().with("aud", []string{"a", "b"})), CodeWrongAudience},
		{"the issuer of Access is not the loose one's", []*Provider{newAccess(), loose}, mint(hs(), hmacBody().with("iss", "https://acme.example")), CodeUnknownIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, site(t, NewMemory(0), c.providers...), withBearer(c.token), clock)
			got := code(r)
			if r.Provider != nil {
				got = r.Provider.Name
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSiteProblems(t *testing.T) {
	t.Parallel()
	idp := func(name string, audience ...string) *Provider {
		return newOIDC(name, "https://idp.example", audience...)
	}
	for _, c := range []struct {
		name      string
		providers []*Provider
		options   SiteOptions
		want      string
	}{
		{"one issuer, one audience", []*Provider{idp("a", "x", "y"), idp("b", "y")}, SiteOptions{}, "nothing in common"},
		{"one issuer, one without audience", []*Provider{idp("a", "x"), newHMAC(func(c *JWTConfig) { c.Issuer = "https://idp.example" })}, SiteOptions{}, "nothing in common"},
		{"narrowed apart", []*Provider{idp("a", "x", "y"), idp("b", "y")}, SiteOptions{Audience: map[string][]string{"a": {"x"}}}, ""},
		{"narrowed to another", []*Provider{idp("a", "x")}, SiteOptions{Audience: map[string][]string{"a": {"z"}}}, "none of the provider's"},
		{"narrowed to nothing", []*Provider{idp("a", "x")}, SiteOptions{Audience: map[string][]string{"a": {}}}, "narrows nothing"},
		{"one name", []*Provider{idp("a", "x"), newOIDC("a", "https://b.example", "x")}, SiteOptions{}, "this name"},
		{"two of Access", []*Provider{newAccess(), newAccess()}, SiteOptions{}, "only one"},
		{"two without issuer", []*Provider{newHMAC(nil), newHMAC(func(c *JWTConfig) { c.Name = "b" })}, SiteOptions{}, "belongs to any"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, problems := NewSite(c.providers, c.options)
			var all []string
			for _, p := range problems {
				all = append(all, p.Message)
			}
			if text := strings.Join(all, "; "); c.want == "" && text != "" || !strings.Contains(text, c.want) {
				t.Errorf("problems %q do not say %q", text, c.want)
			}
		})
	}
}

// A public key is never an HMAC secret: the oldest confusion of all.
func TestKeysKeepToTheirKind(t *testing.T) {
	t.Parallel()
	pem := publicPEM(rs())
	p := must(NewJWT(&JWTConfig{Name: "jwt", PublicKey: config.List[string]{pem}, Audience: config.List[string]{"api"}}, Deps{}))
	b := hmacBody().with("aud", "api")
	if got := code(ask(t, site(t, nil, p), withBearer(mint(rs(), b)), clock)); got != "" {
		t.Fatal(got)
	}
	forger := must(jws.NewSigner("HS256", "", must(newSecret(pem))))
	for _, token := range []string{mint(forger, b), mint(es(), b)} {
		if got := code(ask(t, site(t, nil, p), withBearer(token), clock)); got != CodeWrongAlgorithm {
			t.Errorf("got %q", got)
		}
	}
	if who := ask(t, site(t, nil, p), withBearer(mint(rs(), b)), clock).Who; who.TrustRoles || who.TrustTenant || who.EmailVerified {
		t.Errorf("a public key is trusted like a shared secret: %+v", who)
	}
}
