package gateway

import (
	"strings"
	"testing"
)

func TestWhichSiteAnswers(t *testing.T) {
	t.Parallel()
	g := serving(t, `
routes: [{path: /who, method: get, response: default}]
sites:
  - {hosts: [api.example.com, api.example.org], routes: [{path: /who, method: get, response: exact}]}
  - {hosts: ['*.example.com'], routes: [{path: /who, method: get, response: one label}]}
  - {hosts: ['[2001:db8::1]'], routes: [{path: /who, method: get, response: address}]}
`)
	empty := serving(t, `sites: [{hosts: [api.example.com], routes: [{path: /a, method: get, response: a}]}]`)
	for _, c := range []struct {
		rig        *rig
		line, want string
	}{
		{g, "GET api.example.com/who", "200 exact"}, {g, "GET API.Example.ORG.:8443/who", "200 exact"},
		{g, "GET www.example.com/who", "200 one label"}, {g, "GET a.b.example.com/who", "200 default"}, {g, "GET example.com/who", "200 default"},
		{g, "GET xexample.com/who", "200 default"}, {g, "GET 10.0.0.1/who", "200 default"}, {g, "GET [2001:DB8:0::1]:80/who", "200 address"},
		{g, "GET api.example.com/nowhere", "404 no_route"}, {g, "GET b@d/who", "400 bad_host"}, {g, "GET a..b/who", "400 bad_host"},
		// A named site never falls through to the default one.
		{g, "GET api.example.com/health", "404 no_route"}, {g, "GET else.example.net/health", `200 {"ok":true,"version":"1.2.3"}`},
		{empty, "GET else.example.net/a", "421 no_site"}, {empty, "GET else.example.net/health", `200 {"ok":true,"version":"1.2.3"}`},
		{empty, "GET else.example.net/.portreeve/whoami", "421 no_site"}, {empty, "GET api.example.com/a", "200 a"},
	} {
		a := c.rig.ask(c.line)
		got := strings.TrimSpace(strings.TrimSpace(itoa(a.status)) + " " + a.code + strings.TrimSpace(okBody(a)))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.line, got, c.want)
		}
	}
}

func okBody(a answer) string {
	if a.status >= 300 {
		return ""
	}
	return a.body
}

func TestWhatIsNoCanonicalPathIsRefusedBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	strict := serving(t, `routes: [{path: /a/*, method: any, response: "{{request.path}}"}, {path: /login, method: get, response: x}]`)
	loose := serving(t, `{encodedSlash: allow, emptySegments: keep, dotSegments: resolve, routes: [{path: /a/*, method: any, response: "{{request.path}}"}]}`)
	report := serving(t, `{strictness: report, routes: [{path: /a/*, method: any, response: "{{request.path}}"}]}`)
	for _, c := range []struct {
		rig        *rig
		line, want string
	}{
		{strict, "GET /a/b/../c", "400"}, {strict, "GET /a/%2e%2e/login", "400"}, {strict, "GET /a/b%2fc", "400"}, {strict, "GET /a//b", "400"},
		{strict, "GET /a/b;c", "400"}, {strict, "GET //a/b", "400"}, {strict, "GET /a/%zz", "400"}, {strict, "GET *", "400"}, {strict, "GET /a/#b", "400"},
		{strict, "GET /a/%62%c3%a9", "200 /a/b%C3%A9"}, {strict, "GET http://api.example.com/a/%62", "200 /a/b"},
		{loose, "GET /a/b/../c", "200 /a/c"}, {loose, "GET /a/b%2fc", "200 /a/b%2Fc"}, {loose, "GET /a//b", "200 /a//b"}, {loose, "GET /a/../../b", "400"}, {loose, "GET /a/..%2fb", "400"},
		{report, "GET /a/b;c//d/../e", "200 /a/b;c//e"}, {report, "GET /../a/b", "400"},
	} {
		a := c.rig.ask(c.line)
		if got := strings.TrimSpace(itoa(a.status) + " " + okBody(a)); got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.line, got, a.code, c.want)
		}
		if c.rig == report && a.status == 200 && len(a.x.Repaired) == 0 {
			t.Errorf("%s: nothing is reported", c.line)
		}
		if a.status == 400 && strings.Contains(a.body, "login") {
			t.Errorf("%s: the answer quotes the request: %s", c.line, a.body)
		}
	}
}

func TestMethodsOfAPath(t *testing.T) {
	t.Parallel()
	g := serving(t, `routes:
  - {path: /a, method: [get, POST], response: listed}
  - {path: /a, method: delete, requireAuth: true, response: x}
  - {path: /b, method: any, response: any}
  - {path: /*, method: any, response: wider}`)
	for line, want := range map[string]string{
		"GET /a": "200", "POST /a": "200", "HEAD /a": "200", "DELETE /a": "401", "PUT /a": "405 DELETE, GET, HEAD, POST", "OPTIONS /a": "405 DELETE, GET, HEAD, POST",
		"TRACE /b": "405 DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", "CONNECT /c": "405 DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
		"OPTIONS /b": "200", "PURGE /b": "200", "GET /c?x=/a": "200", "PUT /c": "200", "POST /health": "405 GET, HEAD",
	} {
		a := g.ask(line)
		if got := strings.TrimSpace(itoa(a.status) + " " + a.header.Get("Allow")); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestPortreevesOwnPathsAreReserved(t *testing.T) {
	t.Parallel()
	for _, fold := range []string{"exact", "fold"} {
		g := serving(t, `{pathCase: `+fold+`, upstream: http://app, routes: [{path: /*, method: any}, {path: "/:x/y", method: any}]}`)
		for line, want := range map[string]int{
			"GET /.portreeve/whoami": 200, "GET /.portreeve/y": 404, "GET /.portreeve/": 404, "GET /.portreeve": 404, "GET /%2eportreeve/callback/x": 404, "POST /.portreeve/whoami": 405, "GET /portreeve/y": 200,
		} {
			if a := g.ask(line); a.status != want {
				t.Errorf("%s, %s: %d, want %d", fold, line, a.status, want)
			}
		}
		if a := g.ask("GET /.Portreeve/y"); (a.status == 404) != (fold == "fold") {
			t.Errorf("%s, in capitals: %d", fold, a.status)
		}
	}
}

func TestPlainHTTPWhereItMustNotBe(t *testing.T) {
	t.Parallel()
	g := serving(t, `{prod: true, trustedProxies: [{from: [192.0.2.0/24], header: X-Forwarded-For}], routes: [{path: /a, method: any, requireAuth: true, response: ok}]}`)
	token := bearer(alice)
	for _, c := range []struct {
		name, line, peer string
		change           func(*Arrival)
		fields           []string
		want             string
	}{
		{"a stranger's GET is sent on", "GET /a?x=%20&y", "203.0.113.9:1", nil, []string{token}, "308 https://api.example.com/a?x=%20&y"},
		{"a stranger's HEAD too", "HEAD Api.Example.com:80/a", "203.0.113.9:1", nil, nil, "308 https://api.example.com/a"},
		{"a stranger's POST is refused", "POST /a", "203.0.113.9:1", nil, []string{token}, "403 https_required"},
		{"by TLS", "GET /a", "203.0.113.9:1", func(a *Arrival) { a.TLS = true }, []string{token}, "200"},
		{"from loopback", "GET /a", "127.0.0.1:1", nil, []string{token}, "200"},
		{"from a unix socket", "GET /a", "203.0.113.9:1", func(a *Arrival) { a.Unix = true }, []string{token}, "200"},
		{"a trusted proxy says http", "GET /a", "192.0.2.1:1", nil, []string{token, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http"}, "308 https://api.example.com/a"},
		{"a trusted proxy says https", "GET /a", "192.0.2.1:1", nil, []string{token, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"}, "200"},
		{"a trusted proxy says nothing", "GET /a", "192.0.2.1:1", nil, []string{token, "X-Forwarded-For: 203.0.113.9"}, "200"},
		{"a stranger says https", "GET /a", "203.0.113.9:1", nil, []string{token, "X-Forwarded-Proto: https"}, "308 https://api.example.com/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := arrival(c.line, c.fields...)
			a.Peer = addrPort(c.peer)
			if c.change != nil {
				c.change(&a)
			}
			got := g.send(a, "")
			if s := strings.TrimSpace(itoa(got.status) + " " + got.code + got.header.Get("Location")); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
			if c.want != "200" && got.x.Found.Present {
				t.Error("the credential was read")
			}
		})
	}
	if a := serving(t, `routes: [{path: /a, method: get, response: ok}]`).ask("GET /a"); a.status != 200 {
		t.Errorf("outside prod: %d", a.status)
	}
}

func TestWhoseRequestIDIsBelieved(t *testing.T) {
	t.Parallel()
	g := serving(t, `{trustedProxies: [{from: [192.0.2.0/24], header: X-Forwarded-For}], routes: [{path: /a, method: any, response: "{{request.id}} {{request.ip}}"}]}`)
	for _, c := range []struct {
		name, peer string
		fields     []string
		want       string
	}{
		{"a stranger's is not", "203.0.113.9:1", []string{"X-Request-Id: theirs", "X-Forwarded-For: 9.9.9.9"}, "req-1 203.0.113.9"},
		{"a trusted proxy's is", "192.0.2.1:1", []string{"X-Request-Id: theirs-1.a_B", "X-Forwarded-For: 9.9.9.9"}, "theirs-1.a_B 9.9.9.9"},
		{"twice is none", "192.0.2.1:1", []string{"X-Request-Id: a", "x-request-id: b", "X-Forwarded-For: 9.9.9.9"}, "req-1 9.9.9.9"},
		{"what cannot stand in a log is none", "192.0.2.1:1", []string{"X-Request-Id: a b", "X-Forwarded-For: 9.9.9.9"}, "req-1 9.9.9.9"},
		{"too long is none", "192.0.2.1:1", []string{"X-Request-Id: " + strings.Repeat("a", 129), "X-Forwarded-For: 9.9.9.9"}, "req-1 9.9.9.9"},
		{"none", "192.0.2.1:1", []string{"X-Forwarded-For: 9.9.9.9"}, "req-1 9.9.9.9"},
	} {
		a := arrival("GET /a", c.fields...)
		a.Peer = addrPort(c.peer)
		if got := g.send(a, "").body; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A connection may be older than the setting that asks for certificates.
func TestConnectionsWithoutACertificateEndWhenOneIsRequired(t *testing.T) {
	t.Parallel()
	g := serving(t, "routes: [{path: /a, method: get, data: {}}]")
	g.snap.ClientCerts, g.snap.RequireCert = true, true
	a := arrival("GET /a")
	a.TLS, a.ServerName = true, "api.example.com"
	if got := g.send(a, ""); got.status != 421 || got.code != CodeNewConnection {
		t.Errorf("without a certificate: %d %s", got.status, got.code)
	}
	a.ClientCert = true
	if got := g.send(a, ""); got.status != 200 {
		t.Errorf("with one: %d %s", got.status, got.code)
	}
	a.TLS, a.ClientCert = false, false
	if got := g.send(a, ""); got.status != 200 {
		t.Errorf("a socket file, which has no TLS: %d %s", got.status, got.code)
	}
}
