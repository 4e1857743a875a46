package gateway

import (
	"strings"
	"testing"
)

const answersFile = `
tenant: public-site
routes:
  - path: /types
    method: any
    data: {n: "{{auth.claims.n}}", b: "{{auth.claims.b}}", l: "{{auth.claims.l}}", o: "{{auth.claims.o}}", z: "{{auth.claims.z}}", gone: "{{auth.claims.gone}}", opt: "{{auth.claims.gone?}}", text: "n is {{auth.claims.n}}", fixed: 1.50, roles: "{{auth.roles}}", html: "<{{auth.sub}}>"}
  - {path: "/who/:id/*", method: any, data: {sub: "{{auth.sub}}", email: "{{auth.email}}", role: "{{auth.role}}", provider: "{{auth.provider}}", tenant: "{{tenant.id}}", id: "{{params.id}}", q: "{{query.q}}", h: "{{headers.X-Thing}}", m: "{{request.method}} {{request.path}} {{request.ip}} {{request.id}}", now: "{{now}}", dept: "{{auth.dept}}"}}
  - {path: /auth, method: get, data: "{{auth}}"}
  - {path: /body, method: post, data: {first: "{{body.items[0].name}}", all: "{{body}}", none: "{{body.x.y}}"}}
  - {path: /text, method: any, response: "hello {{auth.sub}}, {{query.q}}", status: 201, headers: {X-One: "v {{query.q}}", Content-Type: text/csv}}
  - {path: /plain, method: any, response: "{{query.q}}"}
  - {path: /kept, method: get, requireAuth: true, response: ok}
  - {path: /shared, method: get, requireAuth: true, response: ok, sharedCache: true}
  - {path: /cached, method: get, requireAuth: true, response: ok, headers: {Cache-Control: "max-age=60"}}
  - {path: /opt, method: get, response: ok, headers: {X-Sub: "{{auth.sub?}}"}}
  - {path: "/to/:x", method: any, redirect: "https://app.example.com/u/{{params.x}}?next={{query.next}}&fixed=1"}
  - {path: "/perm/:x", method: any, redirect: {to: "/new/{{params.x}}", status: 308}}
  - {path: /bare, method: get}
`

func TestTemplatesInAnswers(t *testing.T) {
	t.Parallel()
	g := serving(t, answersFile)
	token := bearer(alice.with("n", 1.5, "b", true, "l", []int{1, 2}, "o", map[string]any{"k": "v"}, "z", nil, "dept", "R&D", "role", "admin"))
	for _, c := range []struct {
		name, line, field, body, want string
	}{
		{"data keep their type", "GET /types", token, "", `{"n":1.5,"b":true,"l":[1,2],"o":{"k":"v"},"z":null,"gone":null,"text":"n is 1.5","fixed":1.50,"roles":["admin"],"html":"<alice>"}`},
		{"nobody's are null", "GET /types", "", "", `{"n":null,"b":null,"l":null,"o":null,"z":null,"gone":null,"text":"n is ","fixed":1.50,"roles":null,"html":"<>"}`},
		{"what can be read", "PUT /who/a%20b/c/d?q=1&q=2", token, "", `{"sub":"alice","email":"alice@example.com","role":"admin","provider":"jwt","tenant":"main","id":"a b","q":"1","h":null,"m":"PUT /who/a%20b/c/d 203.0.113.9 req-1","now":"2026-03-01T12:00:00Z","dept":"R&D"}`},
		{"a site's tenant is that of the anonymous", "GET /who/1/", "X-Thing: {{auth.sub}}", "", `{"sub":null,"email":null,"role":null,"provider":null,"tenant":"public-site","id":"1","q":null,"h":"{{auth.sub}}","m":"GET /who/1/ 203.0.113.9 req-1","now":"2026-03-01T12:00:00Z","dept":null}`},
		{"not that of a caller without one", "GET /who/1/", "Cf-Access-Jwt-Assertion: " + accessToken(), "", `{"sub":"alice","email":"alice@example.com","role":null,"provider":"access","tenant":null,"id":"1","q":null,"h":null,"m":"GET /who/1/ 203.0.113.9 req-1","now":"2026-03-01T12:00:00Z","dept":null}`},
		{"what requests bring is never scanned", "GET /plain?q=%7B%7Bauth.sub%7D%7D", token, "", `{{auth.sub}}`},
		{"auth of nobody", "GET /auth", "", "", `null`},
		{"a body", "POST /body", "", `{"items":[{"name":"x"}],"big":12345678901234567890}`, `{"first":"x","all":{"big":12345678901234567890,"items":[{"name":"x"}]},"none":null}`},
		{"no body", "POST /body", "", " \n", `{"first":null,"all":null,"none":null}`},
		{"a body is JSON whatever it says", "POST /body", "Content-Type: application/x-www-form-urlencoded", `[1]`, `{"first":null,"all":[1],"none":null}`},
		{"a body that is none", "POST /body", "", `{`, "400 bad_body"},
		{"two bodies", "POST /body", "", `{} {}`, "400 bad_body"},
		{"a form", "POST /body", "Content-Type: Multipart/form-data; boundary=x", `{}`, "400 bad_body"},
		{"text", "GET /text?q=%3Cb%3E", token, "", "hello alice, <b>"},
		{"no answer", "GET /bare", "", "", "{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := g.send(arrival(c.line, c.field), c.body)
			got := a.body
			if a.status >= 400 {
				got = itoa(a.status) + " " + a.code
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Count("Content-Type") != 1 {
				t.Errorf("headers %v", a.header)
			}
		})
	}
	whole := g.ask("GET /auth", bearer(alice)).body
	for _, part := range []string{`"sub":"alice"`, `"provider":"jwt"`, `"tenant_id":"main"`, `"claims":{`, `"roles":[]`} {
		if !strings.Contains(whole, part) {
			t.Errorf("{{auth}} is %s", whole)
		}
	}
}

func TestAnswersHeaders(t *testing.T) {
	t.Parallel()
	g := serving(t, answersFile)
	for _, c := range []struct{ line, header, want string }{
		{"GET /text?q=1", "Content-Type", "text/csv"}, {"GET /text?q=1", "X-One", "v 1"}, {"GET /text?q=a%0d%0aSet-Cookie:x", "X-One", ""},
		{"GET /plain", "Content-Type", "text/plain; charset=utf-8"}, {"GET /types", "Content-Type", "application/json; charset=utf-8"},
		{"GET /plain", "Cache-Control", ""}, {"GET /kept", "Cache-Control", "private"}, {"GET /shared", "Cache-Control", ""}, {"GET /cached", "Cache-Control", "max-age=60"},
		{"GET /opt", "X-Sub", "alice"}, {"GET /to/1", "Location", "https://app.example.com/u/1?next=&fixed=1"},
	} {
		if got := g.ask(c.line, bearer(alice)).header.Get(c.header); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.line, c.header, got, c.want)
		}
	}
	if a := g.ask("GET /text"); a.status != 201 {
		t.Errorf("status %d", a.status)
	}
	if g.ask("GET /opt").header.Has("X-Sub") {
		t.Error("a header whose {{…?}} is missing is sent all the same")
	}
}

func TestRedirectsAreEncodedForTheirPlace(t *testing.T) {
	t.Parallel()
	g := serving(t, "encodedSlash: allow\n"+answersFile)
	for line, want := range map[string]string{
		"GET /to/a%20b?next=/x%26y%23z":      "302 https://app.example.com/u/a%20b?next=%2Fx%26y%23z&fixed=1",
		"GET /to/a%2Fb":                      "302 https://app.example.com/u/a%2Fb?next=&fixed=1",
		"GET /to/%3Fx%23y":                   "302 https://app.example.com/u/%3Fx%23y?next=&fixed=1",
		"GET /to/https:%2F%2Fevil.example":   "302 https://app.example.com/u/https%3A%2F%2Fevil.example?next=&fixed=1",
		"GET /to/1?next=//evil.example&next": "302 https://app.example.com/u/1?next=%2F%2Fevil.example&fixed=1",
		"POST /perm/1":                       "308 /new/1",
		"GET /to/..%2Fx":                     "400 ",
	} {
		a := g.ask(line)
		if got := itoa(a.status) + " " + a.header.Get("Location"); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestProblemsOfAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ route, want string }{
		{`{path: /a, method: get, data: {x: "{{atuh.sub}}"}}`, `did you mean "auth"`},
		{`{path: /a, method: get, response: "{{secret:KEY}}"}`, "secret"},
		{`{path: /a, method: get, response: x, data: {}}`, "at most one answer"},
		{`{path: /a, method: get, response: x, upstream: "http://app"}`, "at most one answer"},
		{`{path: /a, method: get, redirect: /b, status: 302}`, "status and headers go with"},
		{`{path: /a, method: get, response: x, status: 204}`, "no status for an answer"},
		{`{path: /a, method: get, redirect: {to: /b, status: 200}}`, "is no redirect"},
		{`{path: /a, method: get, redirect: "https://{{query.host}}/"}`, "cannot stand before"},
		{`{path: /a, method: get, redirect: "https://app{{query.x}}"}`, "cannot stand before"},
		{`{path: /a, method: get, redirect: "{{query.x}}"}`, "cannot stand before"},
		{`{path: /a, method: get, redirect: "javascript:alert(1)"}`, "redirect"},
		{`{path: /a, method: get, redirect: "/{{body.x}}"}`, "body"},
		{`{path: /a, method: get, response: x, headers: {Content-Length: "1"}}`, "belongs to the connection"},
		{`{path: /a, method: get, response: x, headers: {"X A": "1"}}`, "no header name"},
		{`{path: /a, method: get, response: x, headers: {X-Portreeve-Subject: "1"}}`, "Portreeve's own"},
		{`{path: /a, method: get, response: x, headers: {X-A: "1", X_A: "2"}}`, "the same header"},
		{`{path: /a, method: get, response: x, cache: 60}`, "sharedCache"},
		{`{path: /a, method: get, supabaseQueries: []}`, "older backend"},
		{`{path: /a, method: get, cache: 5m, response: x}`, "not in this release"},
		{`{path: /a, response: x}`, "method"}, {`{method: get, response: x}`, "path"}, {`{path: /a, method: fetch, response: x}`, "no method"},
		{`{path: /a, method: [get, GET], response: x}`, "stands twice"}, {`{path: /a, method: trace, response: x}`, "no method"},
		{`{path: /.portreeve/x, method: get, response: x}`, "Portreeve's own"}, {`{path: /health, method: get, response: x}`, "routes[0] (/health) claims it too"},
		{`{path: /a, method: get, identify: none, requireAuth: true, response: x}`, "can state no requirement"}, {`{path: /a, method: get, identify: some, response: x}`, `only "none"`},
		{`{path: /a, method: get, authProvider: nobody, response: x}`, "authProvider"},
		{`{path: /a, method: get}`, "warnings only:\np.yaml"},
		{`{path: /:x, method: get, response: x}, {path: /:y, method: any, response: y}, {path: /:z, method: get, response: z}`, "ties with routes[0]"},
	} {
		if p := load(t, "routes: ["+c.route+"]").problems; !strings.Contains(p, c.want) {
			t.Errorf("%s:\n%s\nwant %s", c.route, p, c.want)
		}
	}
}
