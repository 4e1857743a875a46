package flows

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
)

const team = "acme.cloudflareaccess.com"

// One team, two applications on two hosts, and a third host where the audience
// was left blank.
const accessSites = `
environment: test
access: {teamDomain: acme.cloudflareaccess.com, audience: app-a, certsURL: "@CERTS@"}
rbac: {defaultRole: user}
sites:
  - {hosts: [a.example.test], upstream: {url: "@ECHO@", accessHeaders: true}, routes: @ROUTES@}
  - {hosts: [b.example.test], upstream: "@ECHO@", routes: @ROUTES@, access: {audience: [app-b, app-b2]}}
  - {hosts: [blank.example.test], upstream: "@ECHO@", routes: @ROUTES@, access: {audience: ""}}
`

const accessRoutes = `[
    {path: /team, method: any, requireAuth: true},
    {path: /by-mail, method: get, allow: {emailDomains: [example.com]}},
    {path: /by-role, method: get, requiredRoles: [user]},
    {path: /public, method: any}]`

func accessTeam(t testing.TB, o standin.AccessOptions) *standin.Access {
	t.Helper()
	o.Team = team
	a, err := standin.NewAccess(listen(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

const (
	siteA = "Host: a.example.test"
	siteB = "Host: b.example.test"
	blank = "Host: blank.example.test"
)

func assertion(token string) string { return "Cf-Access-Jwt-Assertion: " + token }
func cookie(token string) string    { return "Cookie: theme=dark; CF_Authorization=" + token }

func accessEdge(t testing.TB) (*edge, *standin.Access) {
	t.Helper()
	a := accessTeam(t, standin.AccessOptions{Audience: "app-a", ServiceTokens: []standin.ServiceToken{{ID: "deploy.access", Secret: "s3cret"}}})
	return start(t, setting{Text: accessSites, Words: map[string]string{"CERTS": a.CertsURL(), "ROUTES": accessRoutes}}), a
}

func TestAccessIsReadInTheHeaderThenInTheCookie(t *testing.T) {
	t.Parallel()
	e, a := accessEdge(t)
	carol, dave := must(a.Mint("Carol@Example.com", nil)), must(a.Mint("dave@elsewhere.test", nil))
	for _, spelling := range []string{"Cf-Access-Jwt-Assertion", "CF-Access-JWT-Assertion", "cf-access-jwt-assertion"} {
		r := arrived(t, e.ask(t, "GET", "/team", siteA, spelling+": "+carol, "Cf-Access-Authenticated-User-Email: root@example.com"))
		if mail := got(t, r, "Cf-Access-Authenticated-User-Email"); mail != "Carol@Example.com" {
			t.Errorf("%s: the application was told %q", spelling, mail)
		}
		if len(r.Header(headerOf(r, carol))) != 0 {
			t.Error("the application got the credential")
		}
	}
	r := arrived(t, e.ask(t, "GET", "/team", siteA, cookie(carol)))
	if got(t, r, "X-Portreeve-Email") != "Carol@Example.com" || got(t, r, "Cookie") != "theme=dark" {
		t.Errorf("by cookie: %q, cookies %q", got(t, r, "X-Portreeve-Email"), got(t, r, "Cookie"))
	}
	r = arrived(t, e.ask(t, "GET", "/team", siteA, cookie(carol), assertion(dave)))
	if got(t, r, "X-Portreeve-Email") != "dave@elsewhere.test" {
		t.Errorf("the header does not win: %q", got(t, r, "X-Portreeve-Email"))
	}
	for name, header := range map[string]string{"bad": assertion("nonsense"), "empty": "Cf-Access-Jwt-Assertion: "} {
		t.Run("a good cookie does not help a header that is "+name, func(t *testing.T) {
			refused(t, e.ask(t, "GET", "/team", siteA, cookie(carol), header), "malformed token", "")
		})
	}
	refused(t, e.ask(t, "GET", "/team", siteA, bearer(carol)), "", "") // Access does not come as a bearer
	refused(t, e.ask(t, "GET", "/team", siteA), "", "")
	status(t, e.ask(t, "GET", "/by-mail", siteA, assertion(carol)), 200, "")
	status(t, e.ask(t, "GET", "/by-mail", siteA, assertion(dave)), 403, "Insufficient permissions")
}

// headerOf names the header in which an application received a value.
func headerOf(r *standin.Received, value string) string {
	for _, f := range r.Headers {
		if strings.Contains(f.Value, value) {
			return f.Name
		}
	}
	return ""
}

func TestATokenForOneApplicationIsNoneForAnother(t *testing.T) {
	t.Parallel()
	e, a := accessEdge(t)
	forA := must(a.Mint("carol@example.com", nil))
	forB := must(a.Mint("carol@example.com", map[string]any{"aud": "app-b2"}))
	both := must(a.Mint("carol@example.com", map[string]any{"aud": []string{"app-a", "app-b"}}))
	for range 2 { // verified, then remembered for the other site
		for _, c := range []struct {
			site, token string
			in          bool
		}{{siteA, forA, true}, {siteB, forA, false}, {siteA, forB, false}, {siteB, forB, true}, {siteA, both, true}, {siteB, both, true}} {
			if ans := e.ask(t, "GET", "/team", c.site, assertion(c.token)); c.in {
				arrived(t, ans)
			} else {
				refused(t, ans, "wrong audience", c.token)
				refused(t, e.ask(t, "GET", "/team", c.site, cookie(c.token)), "wrong audience", c.token)
			}
		}
	}
}

func TestABlankAudienceTurnsAccessOff(t *testing.T) {
	t.Parallel()
	e, a := accessEdge(t)
	for _, aud := range []any{"app-a", "", []string{""}, nil} {
		token := must(a.Mint("carol@example.com", map[string]any{"aud": aud}))
		refused(t, e.ask(t, "GET", "/team", blank, assertion(token)), "", "")
		r := arrived(t, e.ask(t, "GET", "/public", blank, assertion(token), cookie(token)))
		if headerOf(r, token) != "" || got(t, r, "X-Portreeve-Subject") != "" {
			t.Errorf("the application behind a provider that is off got %v", r.Headers)
		}
	}
	if !strings.Contains(e.log.String(), "access is off") {
		t.Error("nothing says that access is off")
	}
}

// What a program gets for its service token, where it gets it, and who it is
// then: no person, no address, no default role.
func TestAServiceTokenIsAPrincipalWithoutAnAddress(t *testing.T) {
	t.Parallel()
	e, a := accessEdge(t)
	identity := a.URL() + "/cdn-cgi/access/get-identity"
	exchange := e.ask(t, "POST", identity, "CF-Access-Client-Id: deploy.access", "CF-Access-Client-Secret: s3cret")
	if exchange.Status != http.StatusOK {
		t.Fatalf("get-identity answers %d", exchange.Status)
	}
	token := strings.TrimSpace(exchange.Body)
	r := arrived(t, e.ask(t, "POST", "/team", siteA, assertion(token)))
	if got(t, r, "X-Portreeve-Subject") != "deploy.access" || got(t, r, "X-Portreeve-Email") != "" || got(t, r, "X-Portreeve-Roles") != "" {
		t.Errorf("the application was told %v", r.Headers)
	}
	status(t, e.ask(t, "GET", "/by-mail", siteA, assertion(token)), 403, "")
	status(t, e.ask(t, "GET", "/by-role", siteA, assertion(token)), 403, "")
	w := decode[whoami](t, e.ask(t, "GET", "/.portreeve/whoami", siteA, assertion(token)))
	if w.Kind != "service" || w.Subject != "deploy.access" || w.Email != "" || w.EmailVerified || len(w.Roles) != 0 || !w.Authenticated {
		t.Errorf("whoami says %+v", w)
	}
	if wrong := e.ask(t, "POST", identity, "CF-Access-Client-Id: deploy.access", "CF-Access-Client-Secret: guess"); wrong.Status == http.StatusOK {
		t.Error("the stand-in takes any secret")
	}
}

func TestWhatAccessTokensMustLookLike(t *testing.T) {
	t.Parallel()
	e, a := accessEdge(t)
	for _, c := range []struct {
		name, reason string
		claims       map[string]any
	}{
		{"the organisation's own", "wrong type of token", map[string]any{"type": "org"}},
		{"another team's", "wrong issuer", map[string]any{"iss": "https://evil.cloudflareaccess.com"}},
		{"with a slash more", "wrong issuer", map[string]any{"iss": "https://" + team + "/"}},
		{"without an issuer", "wrong issuer", map[string]any{"iss": nil}},
		{"without an audience", "wrong audience", map[string]any{"aud": nil}},
		{"whose audience holds ours", "wrong audience", map[string]any{"aud": "app-a-and-more"}},
		{"of yesterday", "the token is expired", map[string]any{"exp": time.Now().Add(-24 * time.Hour).Unix()}},
		{"of tomorrow", "the token is not yet valid", map[string]any{"nbf": time.Now().Add(2 * time.Hour).Unix()}},
		{"without an end", "malformed token", map[string]any{"exp": nil}},
		{"that lasts for years", "the token is valid for longer than is accepted here", map[string]any{"exp": time.Now().AddDate(3, 0, 0).Unix()}},
		{"of nobody", "malformed token", map[string]any{"sub": "", "email": nil}},
		{"with an address and no subject", "malformed token", map[string]any{"sub": ""}},
		{"bound to a key", "malformed token", map[string]any{"cnf": map[string]any{"jkt": "x"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := must(a.Mint("carol@example.com", c.claims))
			refused(t, e.ask(t, "GET", "/team", siteA, assertion(token)), c.reason, token)
		})
	}
	arrived(t, e.ask(t, "GET", "/team", siteA, assertion(must(a.Mint("carol@example.com", map[string]any{"type": nil})))))
}
