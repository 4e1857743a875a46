package identity

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// common are the rules that every provider holds its tokens to: what is changed
// in a good token, and what becomes of it.
var common = []struct {
	name   string
	change []any
	want   string
}{
	{"a good token", nil, ""},
	{"no exp", []any{"exp", nil}, CodeMalformed},
	{"exp is a text", []any{"exp", "4102444800"}, CodeMalformed},
	{"exp is null", []any{"exp", json.RawMessage("null")}, CodeMalformed},
	{"exp is infinite", []any{"exp", json.RawMessage("1e999")}, CodeMalformed},
	{"exp is beyond all years", []any{"exp", json.RawMessage("1e18")}, CodeMalformed},
	{"expired", []any{"exp", unix(-time.Minute)}, CodeExpired},
	{"expired within the leeway", []any{"exp", unix(-59 * time.Second)}, ""},
	{"exp with a fraction", []any{"exp", float64(unix(time.Hour)) + 0.5}, ""},
	{"the fraction does not stretch the leeway", []any{"exp", float64(unix(-time.Minute)) + 0.9}, CodeExpired},
	{"exp is negative", []any{"exp", -1}, CodeExpired},
	{"not yet valid", []any{"nbf", unix(61 * time.Second)}, CodeNotYetValid},
	{"not yet valid within the leeway", []any{"nbf", unix(time.Minute)}, ""},
	{"nbf is a text", []any{"nbf", "0"}, CodeMalformed},
	{"issued in the future", []any{"iat", unix(61 * time.Second)}, CodeNotYetValid},
	{"iat absent", []any{"iat", nil}, ""},
	{"bound to a key", []any{"cnf", map[string]any{"jkt": "x"}}, CodeMalformed},
	{"cnf of any kind", []any{"cnf", json.RawMessage("null")}, CodeMalformed},
	{"sub is a number", []any{"sub", 7}, CodeMalformed},
	{"sub with a line break", []any{"sub", "a\r\nX-Admin: 1"}, CodeMalformed},
	{"email is a list", []any{"email", []string{"a@example.com"}}, CodeMalformed},
	{"groups are objects", []any{"groups", []any{map[string]any{}}}, CodeMalformed},
	{"aud holds a number", []any{"aud", []any{"api", 1}}, CodeMalformed},
	{"scope is a number", []any{"scope", 1}, CodeMalformed},
}

type subject struct {
	name   string
	make   func() *Provider
	signer func() *jws.Signer
	body   func() body
	send   func(string) *request.View
}

func subjects() []subject {
	return []subject{
		{"access", newAccess, rs, accessBody, withAccess},
		{"firebase", newFirebase, rs, firebaseBody, withBearer},
		{"oidc", func() *Provider { return newOIDC("idp", "https://idp.example", "api") }, es, oidcBody, withBearer},
		{"jwt", func() *Provider { return newHMAC(nil) }, hs, hmacBody, withBearer},
	}
}

func TestEveryProviderHoldsTheCommonRules(t *testing.T) {
	t.Parallel()
	for _, p := range subjects() {
		s := site(t, NewMemory(0), p.make())
		for _, c := range common {
			t.Run(p.name+": "+c.name, func(t *testing.T) {
				t.Parallel()
				token := mint(p.signer(), p.body().with(c.change...))
				if got := code(ask(t, s, p.send(token), clock)); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		}
	}
}

func TestMaxTokenAge(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, p := range subjects() {
		limit := day
		if p.name == "jwt" {
			limit = 400 * day
		}
		s := site(t, nil, p.make())
		for ahead, want := range map[time.Duration]string{limit: "", limit + time.Minute: "", limit + 61*time.Second: CodeTooLongLived} {
			token := mint(p.signer(), p.body().with("exp", unix(ahead)))
			if got := code(ask(t, s, p.send(token), clock)); got != want {
				t.Errorf("%s: exp %v ahead: got %q, want %q", p.name, ahead, got, want)
			}
		}
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newAccess())
	for _, c := range []struct {
		name   string
		change []any
		want   string
	}{
		{"audience as a text", []any{"aud", "aud-2"}, ""},
		{"one of several audiences", []any{"aud", []string{"x", "aud-2"}}, ""},
		{"another application's", []any{"aud", []string{"aud-3"}}, CodeWrongAudience},
		{"no audience", []any{"aud", nil}, CodeWrongAudience},
		{"an empty list of audiences", []any{"aud", []string{}}, CodeWrongAudience},
		{"an audience that only begins alike", []any{"aud", "aud-12"}, CodeWrongAudience},
		{"another team", []any{"iss", "https://evil.example"}, CodeWrongIssuer},
		{"the issuer with a slash", []any{"iss", "https://acme.example/"}, CodeWrongIssuer},
		{"no issuer", []any{"iss", nil}, CodeWrongIssuer},
		{"no type", []any{"type", nil}, ""},
		{"the organisation's token", []any{"type", "org"}, CodeWrongType},
		{"a type that is no text", []any{"type", 1}, CodeWrongType},
		{"a service token", []any{"sub", "", "email", nil, "common_name", "id.access"}, ""},
		{"a service token without sub", []any{"sub", nil, "email", nil, "common_name", "id.access"}, ""},
		{"nobody", []any{"sub", "", "email", nil}, CodeMalformed},
		{"an address without a person", []any{"sub", ""}, CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := code(ask(t, s, withAccess(mint(rs(), accessBody().with(c.change...))), clock)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}

	who := ask(t, s, withAccess(mint(es(), accessBody().with("sub", "", "email", nil, "common_name", "id.access"))), clock).Who
	if who.Kind != principal.Service || who.ID() != "id.access" || who.EmailVerified || who.TrustTenant || who.TrustRoles {
		t.Errorf("the service token became %+v", who)
	}
	who = ask(t, s, withAccess(mint(rs(), accessBody())), clock).Who
	if who.Kind != principal.User || !who.EmailVerified || who.EmailFolded != "ann@example.com" || who.EmailDomain != "example.com" || who.Email != "Ann@Example.com" {
		t.Errorf("the person became %+v", who)
	}
	if got := code(ask(t, s, withAccess(mint(hs(), accessBody())), clock)); got != CodeWrongAlgorithm {
		t.Errorf("HS256: %q", got)
	}
}

func TestAccessWithoutAudienceIsOff(t *testing.T) {
	t.Parallel()
	for _, audience := range []config.List[string]{nil, {""}, {" "}} {
		p := NewAccess(&AccessConfig{TeamDomain: "acme.example", Audience: audience}, issuerKeys("prod"))
		s := site(t, nil, p)
		if p.Off == "" {
			t.Fatal("it is on")
		}
		for _, aud := range []any{"", []string{""}, []string{}, "x"} {
			r := ask(t, s, withAccess(mint(rs(), accessBody().with("aud", aud))), clock)
			if r.Who.Authenticated() {
				t.Errorf("audience %q let %q in", audience, aud)
			}
		}
		if a, err := s.Accept([]string{"access"}); err != nil || len(a.Names()) != 0 {
			t.Errorf("a route could be opened by it: %v, %v", a, err)
		}
		if len(s.CredentialHeaders()) != 1 || len(s.CredentialCookies()) != 1 {
			t.Error("its credentials would reach an upstream")
		}
	}
}

func TestFirebase(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newFirebase())
	for _, c := range []struct {
		name   string
		change []any
		want   string
	}{
		{"a session cookie's token", []any{"iss", "https://session.firebase.google.com/demo-project"}, ""},
		{"another project", []any{"iss", "https://securetoken.google.com/other"}, CodeUnknownIssuer},
		{"another project's audience", []any{"aud", "other"}, CodeWrongAudience},
		{"no sub", []any{"sub", nil}, CodeMalformed},
		{"an empty sub", []any{"sub", ""}, CodeMalformed},
		{"sub of 128", []any{"sub", strings.Repeat("x", 128)}, ""},
		{"sub of 129", []any{"sub", strings.Repeat("x", 129)}, CodeMalformed},
		{"no auth_time", []any{"auth_time", nil}, CodeMalformed},
		{"auth_time in the future", []any{"auth_time", unix(2 * time.Minute)}, CodeNotYetValid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := Ask{View: withBearer(mint(rs(), firebaseBody().with(c.change...))), Now: clock, Accept: must(s.Accept([]string{"firebase"}))}
			if r, _ := asking(t, s, a); code(r) != c.want || c.want == "" && !r.Who.Authenticated() {
				t.Errorf("got %q, want %q", code(r), c.want)
			}
		})
	}
	if got := code(ask(t, s, withBearer(mint(es(), firebaseBody())), clock)); got != CodeWrongAlgorithm {
		t.Errorf("ES256: %q", got)
	}
	for _, iss := range []string{"https://securetoken.google.com/demo-project", "https://session.firebase.google.com/demo-project"} {
		a := Ask{View: withBearer(mint(rs(), firebaseBody().with("iss", iss))), Now: clock, Accept: must(s.Accept([]string{"firebase"}))}
		if r, _ := asking(t, s, a); r.Who.Issuer != iss || r.Who.Authority() != "https://securetoken.google.com/demo-project" {
			t.Errorf("%s: %q, known under %q", iss, r.Who.Issuer, r.Who.Authority())
		}
	}
}

func TestFirebaseCountsWhereItIsNamed(t *testing.T) {
	t.Parallel()
	no := false
	closed := NewFirebase(&FirebaseConfig{ProjectID: "demo-project", OpenSignUp: &no}, issuerKeys("prod"))
	token := withBearer(mint(rs(), firebaseBody()))
	if r := ask(t, site(t, nil, newFirebase()), token, clock); !r.Unaccepted || r.Who.Authenticated() || !r.Present {
		t.Errorf("it counts where nothing names it: %+v", r)
	}
	if r := ask(t, site(t, nil, closed), token, clock); r.Unaccepted || !r.Who.Authenticated() {
		t.Errorf("with openSignUp: false it does not count: %+v", r)
	}
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newOIDC("idp", "https://idp.example", "api", "api-2"))
	for _, c := range []struct {
		name   string
		change []any
		want   string
	}{
		{"second audience", []any{"aud", []string{"x", "api-2"}}, ""},
		{"wrong audience", []any{"aud", "other"}, CodeWrongAudience},
		{"no audience", []any{"aud", nil}, CodeWrongAudience},
		{"another issuer", []any{"iss", "https://idp.example/"}, CodeUnknownIssuer},
		{"no sub", []any{"sub", nil}, CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := code(ask(t, s, withBearer(mint(rs(), oidcBody().with(c.change...))), clock)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	who := ask(t, s, withBearer(mint(rs(), oidcBody().with("roles", []string{"admin"}, "tenant_id", "t1", "scope", "a  b", "email", "x@example.com"))), clock).Who
	if who.TrustRoles || who.TrustTenant || who.EmailVerified || who.EmailFolded != "" || len(who.Scopes) != 2 {
		t.Errorf("an issuer's word counts unasked: %+v", who)
	}
	if got := code(ask(t, s, withBearer(mint(hs(), oidcBody())), clock)); got != CodeWrongAlgorithm {
		t.Errorf("HS256: %q", got)
	}
}

func TestJWT(t *testing.T) {
	t.Parallel()
	strict := newHMAC(func(c *JWTConfig) { c.Issuer, c.Audience = "me", config.List[string]{"api"} })
	for _, c := range []struct {
		name     string
		provider *Provider
		change   []any
		want     string
	}{
		{"without settings any issuer and audience", newHMAC(nil), []any{"iss", "x", "aud", "y"}, ""},
		{"without settings none needed", newHMAC(nil), nil, ""},
		{"what is set is checked", strict, []any{"iss", "me", "aud", "api"}, ""},
		{"audience set and wrong", strict, []any{"iss", "me", "aud", "x"}, CodeWrongAudience},
		{"audience set and absent", strict, []any{"iss", "me"}, CodeWrongAudience},
		{"issuer set and wrong", strict, []any{"iss", "you", "aud", "api"}, CodeUnknownIssuer},
		{"issuer set and absent", strict, []any{"aud", "api"}, CodeUnknownIssuer},
		{"its roles are of the wrong type", newHMAC(nil), []any{"roles", map[string]any{}}, CodeMalformed},
		{"its tenant is of the wrong type", newHMAC(nil), []any{"tenant_id", 1}, CodeMalformed},
		{"its own claim called type", newHMAC(nil), []any{"type", 7}, ""},
		{"only one algorithm", newHMAC(func(c *JWTConfig) { c.Algorithm = "HS512" }), nil, CodeWrongAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := code(ask(t, site(t, nil, c.provider), withBearer(mint(hs(), hmacBody().with(c.change...))), clock)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	who := ask(t, site(t, nil, newHMAC(nil)), withBearer(mint(hs(), hmacBody().with("tenant_id", "acme", "roles", []string{"admin", "editor"}))), clock).Who
	if !who.TrustRoles || !who.TrustTenant || who.Tenant != "acme" || strings.Join(who.Roles, " ") != "admin editor" || !who.EmailVerified {
		t.Errorf("the shared secret's word does not count: %+v", who)
	}
	who = ask(t, site(t, nil, newHMAC(nil)), withBearer(mint(hs(), hmacBody().with("role", "viewer", "roles", []string{"editor", "admin", "viewer"}))), clock).Who
	if got := strings.Join(who.Roles, " "); got != "viewer editor admin" {
		t.Errorf("roles %q are not in the token's order", got)
	}
	if !who.SharedSecret {
		t.Error("a shared secret is not called one")
	}
}

func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	next := newHMAC(func(c *JWTConfig) {
		c.Secrets = append(c.Secrets, must(newSecret("abcdefghabcdefghabcdefghabcdefgh")), shared)
		c.Secret = must(newSecret(""))
	})
	if got := code(ask(t, site(t, nil, next), withBearer(mint(hs(), hmacBody())), clock)); got != "" {
		t.Errorf("the previous secret: %q", got)
	}
	gone := newHMAC(func(c *JWTConfig) { c.Secret = must(newSecret("abcdefghabcdefghabcdefghabcdefgh")) })
	if got := code(ask(t, site(t, nil, gone), withBearer(mint(hs(), hmacBody())), clock)); got != CodeBadSignature {
		t.Errorf("a secret that is gone: %q", got)
	}
}
