package app

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/session"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/tenant"
)

// A link that serve prints signs somebody in once, with a browser on this machine,
// and what they may do is what is stored of them.
func TestALinkOfServeSignsSomebodyIn(t *testing.T) {
	t.Parallel()
	s := serveFile(t, `environment: test
jwt: {secret: '{{file.secret}}'}
session: {devLink: {user: anna@example.com, roles: [admin]}}
agents: {}
routes: [{path: /, method: get, requireAuth: true, data: {you: "{{auth.sub}}"}}, {path: /docs, method: get, requiredPermissions: ["docs:read"], data: {}}]
rbac: {}
`, "secret", secret32)
	links := s.links
	if len(links) != 1 || !strings.HasPrefix(links[0], "anna@example.com http://localhost:") {
		t.Fatalf("links: %q", links)
	}
	_, link, _ := strings.Cut(links[0], " ")
	b := newBrowser(t)
	if status, body := b.get(link); status != 200 || !strings.Contains(body, "<form") {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := b.post(link, nil); status != 200 || !strings.Contains(body, `"you"`) {
		t.Fatalf("%d %s", status, body)
	}
	base := link[:strings.Index(link, "/.portreeve")]
	for path, want := range map[string]string{"/docs": "{}", "/.portreeve/whoami": `"roles":["admin"]`, "/api/agents": `"data":[]`, "/.portreeve/sessions": `"current":true`} {
		if status, body := b.get(base + path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := newBrowser(t).post(link, nil); status != 404 {
		t.Errorf("a second use of the link: %d", status)
	}
}

// A link signs somebody in, so that its token stands nowhere that others read.
func TestALinkStandsInNoLog(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nlog: {file: access.log}\nsession: {devLink: anna@example.com}\nroutes: [{path: /, method: get, requireAuth: true, data: {}}]\n")
	_, link, _ := strings.Cut(s.links[0], " ")
	token := link[strings.LastIndex(link, "/")+1:]
	b := newBrowser(t)
	if status, _ := b.get(link); status != 200 {
		t.Fatal(status)
	}
	if status, _ := b.get(link + "/"); status != 404 {
		t.Fatal(status)
	}
	_, _, refused := s.get("/.portreeve/link/"+token, "Authorization", "Basic x", "X-Forwarded-For", "203.0.113.9")
	if status, _ := b.do("DELETE", link, nil); status != 405 {
		t.Fatal(status)
	}
	log := filepath.Join(s.dir, "access.log")
	eventually(t, "four lines", func() bool { lines, _ := accessLines(t, log); return len(lines) == 4 })
	lines, text := accessLines(t, log)
	if strings.Contains(text, token) || !strings.Contains(text, `"path":"/.portreeve/link/:token"`) {
		t.Errorf("the log: %s", text)
	}
	seen := 0
	for _, l := range lines {
		id, _ := l["decision"].(string)
		if rec, found := s.app.ring.Get(id); found {
			seen++
			if raw, _ := json.Marshal(rec); strings.Contains(string(raw), token) {
				t.Errorf("a record: %s", raw)
			}
		}
	}
	if seen == 0 {
		t.Errorf("no record of a refusal, %v", refused)
	}
	rec, _, err := Explain(s.source(nil), ExplainRequest{Method: "GET", URL: link, Peer: "127.0.0.1"})
	if raw, _ := json.Marshal(rec); err != nil || strings.Contains(string(raw), token) {
		t.Errorf("explain: %s %v", raw, err)
	}
}

// Somebody who is disabled is signed out: enabled again, they sign in again.
func TestADisabledUserIsSignedOut(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nsession: {devLink: anna@example.com}\nroutes: [{path: /, method: get, requireAuth: true, data: {}}]\n")
	_, link, _ := strings.Cut(s.links[0], " ")
	b := newBrowser(t)
	if status, body := b.post(link, nil); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	home := link[:strings.Index(link, "/.portreeve")] + "/"
	stored := s.app.storing.stored.Load()
	by := tenant.By{Actor: audit.Actor{Kind: audit.Host}}
	u, err := stored.Tenants.FindUser(t.Context(), "main", "anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, disabled := range []bool{true, false} {
		if _, err := stored.Tenants.SetUserDisabled(t.Context(), by, "main", u.ID, disabled); err != nil {
			t.Fatal(err)
		}
		if list, err := stored.Sessions.Sessions(t.Context(), session.OfUser(u)); err != nil || len(list) != 0 {
			t.Errorf("disabled %t: sessions %v, %v", disabled, list, err)
		}
		eventually(t, "the browser is signed out", func() bool { status, _ := b.get(home); return status == 401 })
	}
	if status, _ := b.get(home); status != 401 {
		t.Errorf("enabled again, the session is back: %d", status)
	}
}

// A browser without a credential is led to sign in, and back to where it wanted to
// go; programs are told.
func TestABrowserIsLedToSignIn(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := standin.NewIssuer(l, standin.IssuerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	s := serveFile(t, `environment: test
oidc: [{name: issuer, issuer: "`+issuer.URL()+`", audience: api, clientId: portreeve}]
signIn: issuer
tenants: {defaultFor: [oidc]}
requireMfa: ["apikeys:write"]
routes: [{path: /me, method: get, requireAuth: true, data: {}}, {path: /vault, method: get, requireMfa: true, data: {}}]
`)
	req, _ := http.NewRequest("GET", s.url+"/me?a=b", nil)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if to := resp.Header.Get("Location"); resp.StatusCode != 302 || to != "/.portreeve/login/issuer?return=%2Fme%3Fa%3Db" {
		t.Errorf("%d %s", resp.StatusCode, to)
	}
	if status, body, _ := s.get("/me"); status != 401 {
		t.Errorf("a program: %d %s", status, body)
	}
	if status, _, h := s.get("/.portreeve/style.css"); status != 200 || !strings.HasPrefix(h.Get("Content-Type"), "text/css") {
		t.Errorf("the stylesheet: %d", status)
	}
}

// browser keeps cookies, those that are Secure too: it comes from localhost.
type browser struct {
	t *testing.T
	*http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	return &browser{t, &http.Client{Jar: secureJar{}.made(t)}}
}

// secureJar gives Secure cookies to plain http, as browsers do for localhost.
type secureJar struct{ *cookiejar.Jar }

func (secureJar) made(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return secureJar{jar}
}

func https(u *url.URL) *url.URL { v := *u; v.Scheme = "https"; return &v }

func (j secureJar) Cookies(u *url.URL) []*http.Cookie { return j.Jar.Cookies(https(u)) }

func (j secureJar) SetCookies(u *url.URL, list []*http.Cookie) { j.Jar.SetCookies(https(u), list) }

func (b *browser) get(to string) (int, string) { return b.do("GET", to, nil) }

func (b *browser) post(to string, form url.Values) (int, string) { return b.do("POST", to, form) }

func (b *browser) do(method, to string, form url.Values) (int, string) {
	b.t.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// What is said of signing in, second factors and shared things is held to the rest
// of the file.
func TestWhatPeopleNeedIsHeldTogether(t *testing.T) {
	t.Parallel()
	const oidc = "oidc: [{name: a, issuer: 'https://a.example.com', audience: x%s}]\n"
	client := strings.Replace(oidc, "%s", ", clientId: c", 1)
	plain := strings.Replace(oidc, "%s", "", 1)
	for name, c := range map[string]struct{ yaml, problem string }{
		"signIn by somebody else":          {client + "signIn: b", `signIn: no provider of this site is called "b"; people can sign in by a`},
		"signIn without a client":          {plain + "signIn: a", "signIn: nobody can sign in by a: it has no clientId"},
		"signIn without sessions":          {client + "signIn: a\nsession: false", "signIn: nobody can sign in here"},
		"signIn with listed providers":     {client + "signIn: a\nproviders: [a]", "signIn: nobody can sign in here"},
		"requireMfa of no permission":      {plain + "requireMfa: [nonsense]", "requireMfa[0]"},
		"a second factor nobody can show":  {plain + "mfa: false\nroutes: [{path: /a, method: get, requireMfa: true, data: {}}]", "routes[0].requireMfa: asks for a second factor, and none can be shown here"},
		"a collection that nobody serves":  {plain + "routes: [{path: '/a/:id', method: get, data: {}, resource: {collection: things, id: '{{params.id}}', role: viewer}}]", "serves that collection; agents: {collections: [things]} serves it"},
		"agents that nobody serves":        {plain + "routes: [{path: '/a/:id', method: get, data: {}, resource: {collection: agents, id: '{{params.id}}', role: viewer}}]", "agents: {} serves it"},
		"second factors of nobody":         {"auth: none\nmfa: {}", "mfa: with auth: none nobody is identified"},
		"a link in prod":                   {plain + "session: {devLink: anna@example.com}", "session.devLink: needs `environment: test`"},
		"sessions that end before they do": {client + "session: {idle: 2h, absolute: 1h}", "session.idle: is longer than absolute"},
		"two meanings of a name": {client + "tenantApi: false\nsites: [{hosts: b.example.com, oidc: [{name: a, issuer: 'https://b.example.com', audience: x, clientId: c}]}]",
			"provider a has another issuer or clientId than the one of this name on another site"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := c.yaml + "\n"
			if strings.Contains(text, "auth: none") {
				text = "environment: test\n" + text
			}
			put(t, filepath.Join(dir, "portreeve.yaml"), text)
			r, err := Check(Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: vars(nil)})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, p := range r.Problems {
				found = found || !p.Warning && strings.Contains(p.String(), c.problem)
			}
			if !found || r.OK {
				t.Errorf("problems: %v", r.Problems)
			}
		})
	}
}
