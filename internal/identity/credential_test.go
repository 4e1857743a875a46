package identity

import (
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

type field struct{ Name, Value string }

func TestWhereCredentialsAreRead(t *testing.T) {
	t.Parallel()
	good, person := mint(hs(), hmacBody()), mint(rs(), accessBody())
	expired := mint(rs(), accessBody().with("exp", unix(-3600e9)))
	s := site(t, nil, newAccess(), newHMAC(nil))
	for _, c := range []struct {
		name   string
		fields []field
		want   string // fault's code, or the provider that decides, or "" for nobody
	}{
		{"nothing", nil, ""},
		{"a bearer token", []field{{"Authorization", "Bearer " + good}}, "jwt"},
		{"the scheme in any case, blanks", []field{{"authorization", "bEARER   " + good}}, "jwt"},
		{"another scheme is no credential", []field{{"Authorization", "Basic " + good}}, ""},
		{"a scheme that begins alike", []field{{"Authorization", "Bearerx " + good}}, ""},
		{"an empty header", []field{{"Authorization", ""}}, ""},
		{"the scheme alone", []field{{"Authorization", "Bearer"}}, CodeMalformed},
		{"the scheme and a blank", []field{{"Authorization", "Bearer "}}, CodeMalformed},
		{"a tab", []field{{"Authorization", "Bearer\t" + good}}, CodeMalformed},
		{"two tokens in one header", []field{{"Authorization", "Bearer " + good + ", Bearer " + good}}, CodeMalformed},
		{"something behind the token", []field{{"Authorization", "Bearer " + good + " x"}}, CodeMalformed},
		{"the header twice", []field{{"Authorization", "Bearer " + good}, {"authorization", "Bearer " + good}}, CodeDuplicate},
		{"the header twice, once another scheme", []field{{"Authorization", "Basic eA=="}, {"Authorization", "Bearer " + good}}, CodeDuplicate},
		{"an alias of the header is none", []field{{"Authorization ", "Bearer " + good}}, ""},
		{"the assertion", []field{{"cf-access-jwt-assertion", person}}, "access"},
		{"the assertion twice", []field{{"Cf-Access-Jwt-Assertion", person}, {"CF-ACCESS-JWT-ASSERTION", person}}, CodeDuplicate},
		{"the cookie", []field{{"Cookie", "a=b; CF_Authorization=" + person}}, "access"},
		{"the cookie in quotes", []field{{"Cookie", `CF_Authorization="` + person + `"`}}, "access"},
		{"the cookie in another case is another one", []field{{"Cookie", "cf_authorization=" + person}}, ""},
		{"the cookie twice", []field{{"Cookie", "CF_Authorization=" + person + "; CF_Authorization=" + person}}, CodeDuplicate},
		{"the cookie twice over two lines", []field{{"Cookie", "CF_Authorization=" + person}, {"Cookie", "CF_Authorization=" + person}}, CodeDuplicate},
		{"a bad assertion beside a good cookie", []field{{"Cf-Access-Jwt-Assertion", expired}, {"Cookie", "CF_Authorization=" + person}}, CodeExpired},
		{"an empty assertion beside a good cookie", []field{{"Cf-Access-Jwt-Assertion", ""}, {"Cookie", "CF_Authorization=" + person}}, CodeMalformed},
		{"a good assertion beside a bad cookie", []field{{"Cf-Access-Jwt-Assertion", person}, {"Cookie", "CF_Authorization=x; CF_Authorization=y"}}, "access"},
		{"an empty cookie", []field{{"Cookie", "CF_Authorization="}}, CodeMalformed},
		{"a bearer token decides before Access", []field{{"Cf-Access-Jwt-Assertion", person}, {"Authorization", "Bearer " + good}}, "jwt"},
		{"each must verify: a bad bearer token", []field{{"Cf-Access-Jwt-Assertion", person}, {"Authorization", "Bearer x"}}, CodeMalformed},
		{"each must verify: a bad assertion", []field{{"Cf-Access-Jwt-Assertion", expired}, {"Authorization", "Bearer " + good}}, CodeExpired},
		{"an Access token as bearer", []field{{"Authorization", "Bearer " + person}}, CodeUnknownIssuer},
		{"a bearer token as assertion", []field{{"Cf-Access-Jwt-Assertion", good}}, CodeWrongIssuer},
		{"client headers without token", []field{{"Cf-Access-Authenticated-User-Email", "root@example.com"}, {"Cf-Access-Client-Id", "x"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, s, get(c.fields...), clock)
			got := code(r)
			if r.Provider != nil {
				got = r.Provider.Name
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if r.Fault != nil && (r.Fault.Kind == fault.BadRequest) != (c.want == CodeDuplicate) {
				t.Errorf("kind %v", r.Fault.Kind)
			}
			if r.Ambient != (got == "access") || r.FromCookie && c.fields[0].Name != "Cookie" {
				t.Errorf("ambient %v, cookie %v", r.Ambient, r.FromCookie)
			}
		})
	}
}

func TestTheRoutesProviderDecides(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newAccess(), newHMAC(nil), newFirebase(), newOIDC("idp", "https://idp.example", "api"))
	both := get(field{"Authorization", "Bearer " + mint(hs(), hmacBody())}, field{"Cf-Access-Jwt-Assertion", mint(rs(), accessBody())})
	signedUp := get(field{"Authorization", "Bearer " + mint(rs(), firebaseBody())}, field{"Cf-Access-Jwt-Assertion", mint(rs(), accessBody())})
	for _, c := range []struct {
		name  string
		view  *request.View
		names []string
		want  string
	}{
		{"any", both, nil, "jwt"},
		{"access", both, []string{"access"}, "access"},
		{"either", both, []string{"access", "jwt"}, "jwt"},
		{"none of them", both, []string{"idp"}, ""},
		{"by kind", both, []string{"oidc"}, ""},
		{"any, where one does not count", signedUp, nil, "access"},
		{"the one that anybody has, named", signedUp, []string{"firebase"}, "firebase"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := asking(t, s, Ask{View: c.view, Now: clock, Accept: must(s.Accept(c.names))})
			got := ""
			if r.Provider != nil {
				got = r.Provider.Name
			}
			if r.Fault != nil || got != c.want || r.Unaccepted != (c.want == "") || r.Who.Authenticated() != (c.want != "") {
				t.Errorf("got %q, %+v", got, r)
			}
		})
	}
	for _, name := range []string{"apiKey", "nope", "Access"} {
		if _, err := s.Accept([]string{name}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestASiteWithoutProvidersReadsNothing(t *testing.T) {
	t.Parallel()
	r := ask(t, site(t, nil), get(field{"Authorization", "Bearer x"}, field{"Authorization", "y"}), clock)
	if r.Present || r.Fault != nil {
		t.Errorf("%+v", r)
	}
}

func TestTwoTenantsAreRefused(t *testing.T) {
	t.Parallel()
	a, b := newHMAC(nil), newHMAC(nil)
	who := func(p *Provider, tenant any) outcome {
		c, _ := decode([]byte(`{"exp":1,"tenant_id":"x"}`))
		c.all["tenant_id"] = tenant
		w, _ := p.principal(c)
		return outcome{who: w}
	}
	if f := tenantConflict([]outcome{who(a, "t1"), who(b, "t2")}); f == nil || f.Kind != fault.Forbidden {
		t.Error("two tenants pass")
	}
	for _, same := range [][]outcome{{who(a, "t1"), who(b, "t1")}, {who(a, "t1"), who(b, "")}, {who(a, "t1"), who(newAccess(), "t2")}} {
		if f := tenantConflict(same); f != nil {
			t.Error(f)
		}
	}
}
