package app

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/portreeve/portreeve/internal/standin"
)

const describedFile = `environment: test
tenantApi: false
mfa: false
docs: true
jwt: {secret: "{{file.secret}}"}
oidc: {name: company, issuer: "http://127.0.0.1:9/tenant/", audience: api}
access: {teamDomain: acme.cloudflareaccess.com, audience: hidden-audience}
rbac: {roles: [{name: editor, permissions: ["docs:*"]}]}
rateLimit: {default: {windowMs: 60000, max: 1000}}
upstream: {url: "@ECHO@", name: hidden-upstream, maxBody: 1KiB}
routes:
  - {path: /docs/:id, method: get, tags: documents, description: One document., requiredPermissions: ["docs:read"]}
  - {path: /docs/:name, method: [put, delete], tags: documents, requiredPermissions: ["docs:write"]}
  - {path: /docs/*, method: any, requireAuth: true}
  - {path: /docs/:id/:part, method: get, requireAuth: true, data: {}}
  - {path: /own/:user, method: get, when: auth.sub == params.user, data: {you: "{{auth.sub}}", roles: "{{auth.roles}}", note: x}}
  - {path: /for-anna, method: get, when: 'auth.sub == "hidden-anna"', allow: {emails: [hidden@example.com], ips: [192.0.2.77]}, data: {}}
  - path: /echo
    method: post
    data: {name: "{{body.name}}", n: 1, f: 1.5, ok: true, none: null, list: [a, b], mixed: [a, 1], q: "{{query.page?}}", lang: "{{headers.X-Lang}}", secret: "{{env.HIDDEN:-hidden-value}}"}
  - {path: /teapot, method: get, status: 404, data: {short: stout}}
  - {path: /text, method: get, response: "hello {{query.who}}", rateLimit: {windowMs: 60000, max: 2}}
  - {path: /elsewhere/:page, method: get, redirect: "https://hidden.example.com/{{params.page}}"}
  - {path: /all, method: any}
  - {path: /all, method: get, data: {}}
  - {path: "/%7Bodd%7D it's/", method: get, data: {}}
`

// described serves describedFile in front of an application that echoes.
func described(t *testing.T) (s *served, file string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo := standin.NewEcho(l, standin.EchoOptions{})
	t.Cleanup(func() { _ = echo.Close() })
	file = strings.ReplaceAll(describedFile, "@ECHO@", echo.URL())
	return serveFile(t, file, "secret", secret32), file
}

// document loads the served OpenAPI document with another's library.
func (s *served) document() *openapi3.T {
	s.t.Helper()
	status, body, _ := s.get("/openapi.json")
	if status != 200 {
		s.t.Fatalf("%d %s", status, body)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	return doc
}

func TestTheReferenceDescribesTheSite(t *testing.T) {
	t.Parallel()
	s, _ := described(t)
	doc := s.document()
	want := []string{
		"/", "/.portreeve/jwks.json", "/.portreeve/whoami", "/all", "/docs/{id}", "/docs/{id}/{part}",
		"/docs/", "/docs/{segment}/{segment2}/{rest}", "/echo", "/elsewhere/{page}", "/for-anna", "/health", "/openapi.json",
		"/own/{user}", "/reference", "/teapot", "/text", "/%7Bodd%7D%20it's/",
	}[1:]
	slices.Sort(want)
	got := doc.Paths.Keys()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("paths are\n%q\nnot\n%q", got, want)
	}
	operations := func(path string) string {
		var out []string
		for m := range doc.Paths.Value(path).Operations() {
			out = append(out, m)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := operations("/docs/{id}"); got != "DELETE GET PUT" {
		t.Error(got)
	}
	if got := operations("/all"); got != "DELETE GET OPTIONS PATCH POST PUT" {
		t.Error(got)
	}
	one := doc.Paths.Value("/docs/{id}").Get
	if one.Summary != "One document." || one.Tags[0] != "documents" || one.Description != "Who may: signed in; permission docs:read." {
		t.Errorf("%q %q %q", one.Summary, one.Tags, one.Description)
	}
	if s := *one.Security; len(s) != 4 || s[0]["access"] == nil || s[1]["access.cookie"] == nil || s[2]["jwt"] == nil || s[3]["company"] == nil {
		t.Errorf("%v", s)
	}
	if s := *doc.Paths.Value("/text").Get.Security; len(s) == 0 || len(s[0]) != 0 {
		t.Errorf("a public route asks for %v", s)
	}
	if got := doc.Components.SecuritySchemes["company"].Value.OpenIdConnectUrl; got != "http://127.0.0.1:9/tenant/.well-known/openid-configuration" {
		t.Error(got)
	}
	if all := doc.Paths.Value("/all"); all.Get.Responses.Value("200") == nil || all.Put.Responses.Value("200") != nil {
		t.Error("any does not leave to another route what that lists")
	}
	limited := doc.Paths.Value("/text").Get.Responses.Value("429").Value.Headers
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Request-Id"} {
		if limited[name] == nil {
			t.Errorf("429 does not speak of %s", name)
		}
	}
	if got := doc.Paths.Value("/own/{user}").Get.Description; got != `Who may: signed in; when auth.sub == params.user.` {
		t.Error(got)
	}
}

func TestTheReferenceKeepsToItselfWhatIsNotForCallers(t *testing.T) {
	t.Parallel()
	s, _ := described(t)
	for _, path := range []string{"/openapi.json", "/reference"} {
		_, body, _ := s.get(path)
		for _, word := range []string{"hidden", "192.0.2.77", "/own/secret", "stout", "hello"} {
			if strings.Contains(body, word) {
				t.Errorf("%s says %q", path, word)
			}
		}
	}
}

// What happens is what the document says: every request and answer is checked
// against it.
func TestTrafficIsAsDescribed(t *testing.T) {
	t.Parallel()
	s, _ := described(t)
	doc := s.document()
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.FileBodyDecoder) // a page is text
	anna := s.token("anna", "editor")
	seen := map[string]bool{}
	for _, c := range []struct {
		method, path, auth, body string
		status                   int
	}{
		{"GET", "/docs/7", anna, "", 200},
		{"GET", "/docs/7", "", "", 401},
		{"GET", "/docs/7", s.token("ben"), "", 403},
		{"GET", "/docs/7", "Bearer nonsense", "", 401},
		{"PUT", "/docs/7", anna, `{"a":1}`, 200},
		{"PUT", "/docs/7", anna, strings.Repeat("x", 2000), 413},
		{"DELETE", "/docs/7", anna, "", 200},
		{"GET", "/docs/7/b", anna, "", 200},
		{"GET", "/docs/7/b/c", anna, "", 200},
		{"GET", "/own/anna", anna, "", 200},
		{"GET", "/own/ben", anna, "", 403},
		{"GET", "/for-anna", anna, "", 403},
		{"POST", "/echo?page=2", "", `{"name":"x"}`, 200},
		{"POST", "/echo", anna, ``, 200},
		{"POST", "/echo", "", `{`, 400},
		{"GET", "/teapot", "", "", 404},
		{"GET", "/text", "", "", 200},
		{"GET", "/text", "", "", 200},
		{"GET", "/text", "", "", 429},
		{"GET", "/elsewhere/here", "", "", 302},
		{"GET", "/all", "", "", 200},
		{"PATCH", "/all", "", "", 200},
		{"GET", "/health", "", "", 200},
		{"GET", "/.portreeve/whoami", anna, "", 200},
		{"GET", "/.portreeve/whoami", "", "", 200},
		{"GET", "/.portreeve/jwks.json", "", "", 200},
		{"GET", "/openapi.json", "", "", 200},
		{"GET", "/reference", "", "", 200},
		{"GET", "/docs/", "", "", 200},
		{"GET", "/%7Bodd%7D%20it's/", "", "", 200},
	} {
		req, err := http.NewRequest(c.method, s.url+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.auth != "" {
			req.Header.Set("Authorization", c.auth)
		}
		if c.body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		name := c.method + " " + c.path
		matched := req.Clone(context.Background())
		route, params, err := router.FindRoute(matched)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen[c.method+" "+route.Path] = true
		in := &openapi3filter.RequestValidationInput{Request: matched, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, ExcludeRequestBody: c.status >= 400}}
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && c.status < 400 {
			t.Errorf("%s: the request: %v", name, err)
		}
		if c.body != "" {
			req.Body = io.NopCloser(strings.NewReader(c.body))
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s: %s %s %v", name, resp.Status, raw, err)
		}
		if err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{RequestValidationInput: in,
			Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(raw)), Options: in.Options}); err != nil {
			t.Errorf("%s: the answer: %v", name, err)
		}
		if _, listed := route.Operation.Responses.Map()[resp.Status[:3]]; !listed && c.status >= 400 {
			t.Errorf("%s: %d is not among the answers", name, c.status)
		}
	}
	for path, item := range doc.Paths.Map() {
		for m := range item.Operations() {
			if !seen[m+" "+path] && path != "/all" && path != "/docs/{segment}/{segment2}/{rest}" {
				t.Errorf("nothing was asked of %s %s", m, path)
			}
		}
	}
}

func TestServingTheReference(t *testing.T) {
	t.Parallel()
	s, file := described(t)
	status, page, h := s.get("/reference")
	if status != 200 || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v", status, h)
	}
	if h.Get("Content-Security-Policy") != "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" {
		t.Error(h.Get("Content-Security-Policy"))
	}
	for _, line := range []string{
		"curl -X PUT \\\n  -H &#34;Authorization: Bearer $TOKEN&#34; \\\n  --data-binary @body \\\n  " + s.url + "/docs/:name<",
		"curl -i " + s.url + "/elsewhere/:page<",
		"curl &#39;" + s.url + "/%7Bodd%7D%20it&#39;\\&#39;&#39;s/&#39;<",
	} {
		if !strings.Contains(page, line) {
			t.Errorf("the page has no %q", line)
		}
	}
	for path, same := range map[string]string{"/doc": "/openapi.json", "/ui": "/reference"} {
		_, one, _ := s.get(path)
		_, two, _ := s.get(same)
		if one != two || one == "" {
			t.Errorf("%s and %s differ", path, same)
		}
	}
	for _, path := range []string{"/openapi.json", "/reference", "/.portreeve/reference.css"} {
		_, _, h := s.get(path)
		for sent, want := range map[string]int{h.Get("ETag"): 304, "W/" + h.Get("ETag"): 304, `"x", ` + h.Get("ETag"): 304, "*": 304, `"x"`: 200} {
			status, body, _ := s.get(path, "If-None-Match", sent)
			if status != want || (status == 304) != (body == "") {
				t.Errorf("%s with If-None-Match %s: %d", path, sent, status)
			}
		}
	}
	_, _, one := s.get("/openapi.json")
	_, _, before := s.get("/reference")
	if err := s.reload(strings.Replace(file, "One document.", "Another.", 1)); err != nil {
		t.Fatal(err)
	}
	if _, body, two := s.get("/openapi.json"); one.Get("ETag") == two.Get("ETag") || !strings.Contains(body, "Another.") {
		t.Error("a reload changed nothing")
	}
	if _, body, after := s.get("/reference"); before.Get("ETag") == after.Get("ETag") || !strings.Contains(body, "Another.") {
		t.Error("a reload left the page as it was")
	}
}

func TestTheReferenceIsForWhomTheSiteIs(t *testing.T) {
	t.Parallel()
	s := serveFile(t, `environment: test
jwt: {secret: "{{file.secret}}"}
docs: true
routes: [{path: /a, method: get, data: {}}]
sites:
  - {hosts: [off.example.com], docs: false, routes: [{path: /a, method: get, data: {}}]}
  - {hosts: [members.example.com], allow: {emailDomains: [example.com]}, routes: [{path: /a, method: get, data: {}}]}
`, "secret", secret32)
	ask := func(host, path, auth string) (int, http.Header) {
		req, err := http.NewRequest("GET", s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if req.Host = host; auth != "" {
			req.Header.Set("Authorization", auth)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header
	}
	for _, path := range []string{"/openapi.json", "/doc", "/reference", "/ui", "/.portreeve/reference.css", "/docs/", "/docs/howto/gateway.html", "/docs/manual.css"} {
		for host, want := range map[string]int{"any.example.com": 200, "off.example.com": 404, "members.example.com": 401} {
			if got, _ := ask(host, path, ""); got != want {
				t.Errorf("%s%s: %d", host, path, got)
			}
		}
		if got, _ := ask("members.example.com", path, s.token("anna")); got != 403 {
			t.Errorf("%s for a stranger: %d", path, got)
		}
		token, err := Token(s.source(nil), TokenRequest{Subject: "anna", Email: "anna@example.com", Expires: time.Hour, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if got, h := ask("members.example.com", path, "Bearer "+token); got != 200 || h.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s for a member: %d %s", path, got, h.Get("Cache-Control"))
		}
	}
	if got, _ := ask("any.example.com", "/reference", "Bearer nonsense"); got != 200 {
		t.Errorf("a public page looks at credentials: %d", got)
	}
}

// Whatever the file calls things, both forms hold it as text.
func TestHostileNamesRenderInert(t *testing.T) {
	t.Parallel()
	hostile := `</p><script>alert(1)</script><img src=x onerror=alert(2)> {{.}} [x](javascript:alert(3)) </code>"'` + "`"
	yamlText := `'` + strings.ReplaceAll(hostile, `'`, `''`) + `'`
	// {{.}} is a template in no place of these, so it stays as it is.
	s := serveFile(t, `environment: test
docs: true
routes:
  - {path: /a, method: get, description: `+strings.ReplaceAll(yamlText, "{{.}}", "")+`, tags: [`+strings.ReplaceAll(yamlText, "{{.}}", "")+`], data: {"</pre><script>alert(4)</script>": 1, b: 2}}
  - {path: "/$(id)'\"%60", method: get, data: {}}
`)
	_, page, _ := s.get("/reference")
	for _, m := range regexp.MustCompile(`<([a-zA-Z!/]+[0-9]?)([^>]*)>`).FindAllStringSubmatch(page, -1) {
		element := strings.Trim(m[1], "/")
		if !slices.Contains(strings.Fields("!doctype html head meta title link body a header h1 h2 h3 p code nav ul li span main details summary dl div dt dd section article pre var bdi b br"), element) {
			t.Errorf("the page holds <%s>", m[1])
		}
		if regexp.MustCompile(`(?i)\bon[a-z]+=|javascript:|style=`).MatchString(m[2]) {
			t.Errorf("the page holds <%s%s>", m[1], m[2])
		}
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the description is not there as text")
	}
	_, raw, h := s.get("/openapi.json")
	if strings.ContainsAny(raw, "<>") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("the document holds markup, or may be taken for it")
	}
	s.document()
	// A host that is one is shown, and nothing else can be a host.
	req, err := http.NewRequest("GET", s.url+"/reference", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = `x"><script>alert(1)</script>`
	if resp, err := http.DefaultClient.Do(req); err == nil {
		if _ = resp.Body.Close(); resp.StatusCode != 400 {
			t.Errorf("a host with markup got %s", resp.Status)
		}
	}
}
