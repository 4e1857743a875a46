package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

func TestWhoIsLetThrough(t *testing.T) {
	t.Parallel()
	g := serving(t, `
rbac: {roles: [{name: editor, permissions: ["docs:*"]}, {name: boss, permissions: ["*:*"]}]}
routes:
  - {path: /public, method: any, response: "{{auth.sub}}"}
  - {path: /in, method: any, requireAuth: true, response: "{{auth.sub}}"}
  - {path: /docs, method: get, requiredPermissions: ["docs:read"], response: ok}
  - {path: /users, method: get, requiredPermissions: ["users:read"], response: ok}
  - {path: /access, method: any, authProvider: access, response: "{{auth.sub}}"}
  - {path: "/t/:tenant", method: get, tenant: "{{params.tenant}}", response: ok}
  - {path: /raw, method: any, identify: none, response: "{{auth.sub}}"}
`)
	good, bad := bearer(alice), "Authorization: Bearer x.y.z"
	assertion := "Cf-Access-Jwt-Assertion: " + accessToken()
	cookie := "Cookie: CF_Authorization=" + accessToken()
	for _, c := range []struct {
		name, line string
		fields     []string
		want       string
	}{
		{"nobody, public", "GET /public", nil, "200"},
		{"somebody, public", "GET /public", []string{good}, "200 alice"},
		{"absent is not invalid, but bad is", "GET /public", []string{bad}, "401 malformed_token"},
		{"another scheme is no credential", "GET /public", []string{"Authorization: Basic YTpi"}, "200"},
		{"twice", "GET /public", []string{good, good}, "400 duplicate_credential"},
		{"nobody, guarded", "GET /in", nil, "401 unauthenticated"},
		{"somebody, guarded", "GET /in", []string{good}, "200 alice"},
		{"expired", "GET /in", []string{bearer(alice.with("exp", clock.Unix()-3600))}, "401 token_expired"},
		{"a permission held", "GET /docs", []string{good}, "200 ok"},
		{"a permission not held", "GET /users", []string{good}, "403 missing_permission"},
		{"one that a role covers", "GET /users", []string{bearer(alice.with("role", "boss"))}, "200 ok"},
		{"a credential of another provider", "GET /access", []string{good}, "401"},
		{"the named provider", "GET /access", []string{assertion}, "200 alice"},
		{"by cookie", "GET /access", []string{cookie}, "200 alice"},
		{"its own tenant", "GET /t/acme", []string{bearer(alice.with("tenant_id", "acme"))}, "200 ok"},
		{"another's tenant", "GET /t/acme", []string{bearer(alice.with("tenant_id", "other"))}, "403 wrong_tenant"},
		{"identify: none looks at nothing", "GET /raw", []string{bad, bad}, "200"},
		{"identify: none knows nobody", "GET /raw", []string{good}, "200"},

		{"an assertion and a POST of a page elsewhere", "POST /in", []string{assertion, "Sec-Fetch-Site: cross-site"}, "403 cross_site"},
		{"an assertion and a foreign Origin", "POST /in", []string{assertion, "Origin: https://evil.example"}, "403 cross_site"},
		{"an assertion and the site's own Origin", "POST /in", []string{assertion, "Origin: http://api.example.com"}, "200 alice"},
		{"an assertion and same-origin", "DELETE /in", []string{assertion, "Sec-Fetch-Site: same-origin"}, "200 alice"},
		{"an assertion and neither", "PUT /in", []string{assertion}, "200 alice"},
		{"a cookie and neither", "POST /in", []string{cookie}, "403 cross_site"},
		{"a cookie and same-origin", "POST /in", []string{cookie, "Sec-Fetch-Site: same-origin"}, "200 alice"},
		{"a cookie and same-site", "POST /in", []string{cookie, "Sec-Fetch-Site: same-site"}, "403 cross_site"},
		{"a cookie and a GET", "GET /in", []string{cookie, "Sec-Fetch-Site: cross-site"}, "200 alice"},
		{"a cookie and an Upgrade", "GET /in", []string{cookie, "Upgrade: websocket"}, "403 cross_site"},
		{"on a public route too", "POST /public", []string{cookie}, "403 cross_site"},
		{"a bearer token is not ambient", "POST /in", []string{good, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, "200 alice"},
		{"identify: none does not care", "POST /raw", []string{cookie}, "200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := g.ask(c.line, c.fields...)
			got := strings.TrimSpace(itoa(a.status) + " " + a.code + okBody(a))
			if got != c.want && (c.want != "401" || a.status != 401) {
				t.Errorf("%s, want %s", got, c.want)
			}
			if a.status >= 400 && !failed(a.steps) {
				t.Errorf("the trace does not say why: %+v", a.steps)
			}
			if a.status == 401 && a.header.Get("WWW-Authenticate") == "" {
				t.Error("a 401 without WWW-Authenticate")
			}
		})
	}
}

func failed(steps []trace.Step) bool {
	for _, s := range steps {
		if !s.OK && s.Enough != "" {
			return true
		}
	}
	return false
}

func TestCORSOriginsMayUseAmbientCredentials(t *testing.T) {
	t.Parallel()
	g := serving(t, `{cors: {origins: [https://site.example]}, routes: [{path: /a, method: post, requireAuth: true, response: ok}, {path: /b, method: post, requireAuth: true, cors: {origins: [https://route.example]}, response: ok}]}`)
	cookie := "Cookie: CF_Authorization=" + accessToken()
	for line, want := range map[string]int{
		"POST /a https://site.example": 200, "POST /a https://route.example": 403, "POST /b https://route.example": 200, "POST /b https://site.example": 403, "POST /b null": 403,
	} {
		i := strings.LastIndexByte(line, ' ')
		if a := g.ask(line[:i], cookie, "Origin: "+line[i+1:]); a.status != want {
			t.Errorf("%s: %d, want %d", line, a.status, want)
		}
	}
}

func TestSitesAllowAndDeny(t *testing.T) {
	t.Parallel()
	g := serving(t, `{allow: {emailDomains: [example.com]}, deny: {emails: [bob@example.com]}, routes: [{path: /a, method: get, response: ok}]}`)
	for _, c := range []struct {
		email any
		want  int
	}{{"alice@example.com", 200}, {"alice@example.org", 403}, {"bob@example.com", 403}, {nil, 403}} {
		if a := g.ask("GET /a", bearer(alice.with("email", c.email))); a.status != c.want {
			t.Errorf("%v: %d, want %d", c.email, a.status, c.want)
		}
	}
	a := g.ask("GET /a")
	if a.status != 401 || g.ask("GET /.portreeve/whoami").status != 200 {
		t.Errorf("nobody: %d", a.status)
	}
	if a := g.ask("GET /a", bearer(alice)); a.header.Get("Cache-Control") != "private" {
		t.Error("what a site's allow guards may be kept by shared caches")
	}
}

func TestAuthNone(t *testing.T) {
	t.Parallel()
	g := serving(t, `{auth: none, routes: [{path: /a, method: any, response: "{{auth.sub}}|"}, {path: /b, method: any, requireAuth: true, response: x}]}`)
	for line, want := range map[string]string{"GET /a": "200 |", "POST /a": "200 |", "GET /b": "401 "} {
		if a := g.ask(line, bearer(alice), "Cookie: CF_Authorization=x"); itoa(a.status)+" "+okBody(a) != want {
			t.Errorf("%s: %d %s", line, a.status, a.body)
		}
	}
	if !strings.Contains(g.problems, "refuses everybody") {
		t.Errorf("no warning about a route nobody can pass: %s", g.problems)
	}
}

// Decide is a function of its inputs: asked twice it says the same, with a
// recorder too, and it leaves request and snapshot alone.
func TestDecideIsPure(t *testing.T) {
	t.Parallel()
	g := serving(t, `{rbac: {roles: [{name: editor, permissions: ["docs:read"]}]}, routes: [{path: "/d/:id", method: any, requiredPermissions: ["docs:read"], when: "params.id != '9'", response: ok}]}`)
	for _, fields := range [][]string{nil, {bearer(alice)}, {bearer(alice.with("role", "user"))}, {"Authorization: Bearer x"}, {"Cookie: CF_Authorization=" + accessToken()}} {
		for _, line := range []string{"GET /d/1", "GET /d/9", "POST /d/1"} {
			a := arrival(line, fields...)
			first := &Exchange{}
			verdict := g.gate.Ask(t.Context(), g.snap, first, a)
			before := first.View.Detach()
			for range 2 {
				for _, rec := range []*trace.Recorder{nil, {}} {
					again := Decide(first, g.now, first.settled, rec)
					if again.Kind != verdict.Kind || verdict.Fault != nil && again.Fault.Code != verdict.Fault.Code {
						t.Fatalf("%s: %+v, then %+v", line, verdict, again)
					}
				}
			}
			if d := cmp.Diff(before, first.View.Detach(), cmpopts.EquateComparable(request.View{}.Peer, request.View{}.Client)); d != "" {
				t.Errorf("%s: the view changed: %s", line, d)
			}
		}
	}
}

func TestWithoutARouteOrAnOutcomeItRefuses(t *testing.T) {
	t.Parallel()
	if v := Decide(&Exchange{}, clock, nil, nil); v.Kind != Refuse || v.Fault == nil {
		t.Errorf("no route: %+v", v)
	}
	if v := (Verdict{}); v.Kind != Refuse {
		t.Error("the zero verdict lets through")
	}
	if v := refuse(nil); v.Fault == nil || v.Fault.Kind.Status() != 500 {
		t.Errorf("a refusal without a reason: %+v", v)
	}
	// A verification that failed is a refusal, whatever failed.
	g := serving(t, `routes: [{path: /a, method: get, response: ok}]`)
	x := &Exchange{}
	a := arrival("GET /a", bearer(alice))
	if _, f := g.snap.Place(x, a, nil); f != nil {
		t.Fatal(f)
	}
	v := Decide(x, clock, nil, nil)
	if v.Kind != Park {
		t.Fatalf("an unverified token: %+v", v)
	}
	for _, s := range []park.Settled{{Key: v.Job.Key}, {Key: v.Job.Key, Err: errBroken}, {Key: v.Job.Key, Value: "nonsense"}} {
		if v := Decide(x, clock, []park.Settled{s}, nil); v.Kind == Allow {
			t.Errorf("settled as %+v, the request is let through", s)
		}
	}
}
