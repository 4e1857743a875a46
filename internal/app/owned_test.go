package app

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
)

// listening is a free port.
func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tenant is an Auth0 tenant with one application and one person.
func tenant0(t *testing.T) *standin.Auth0 {
	t.Helper()
	a, err := standin.NewAuth0(listening(t), standin.Auth0Options{
		Clients:   []standin.Client{{ID: "edge", Secret: "edge-secret"}},
		Audiences: []string{"https://api.example.com"}, Connection: "users",
		People: []standin.Person{{Email: "ann@example.com", Password: "correct horse", Verified: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func backofficeAt(base string) string {
	return "{baseURL: \"" + base + "\", clientId: edge, clientSecret: edge-secret, audience: https://api.example.com, connection: users}"
}

// send sends a request to a host and returns the answer.
func (s *served) send(method, host, path, body string, fields ...string) (status int, text string, h http.Header) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = host
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Header
}

const credentials = `{"username": "ann@example.com", "password": "correct horse"}`

func TestBackofficeOnASiteOfItsOwn(t *testing.T) {
	t.Parallel()
	a := tenant0(t)
	s := serveFile(t, "environment: test\nroutes: [{path: /free, method: get, response: free}]\nsites: [{hosts: auth.example.com, backoffice: "+backofficeAt(a.URL())+"}]\n")
	status, body, h := s.send("POST", "auth.example.com", "/oauth/token", credentials)
	if status != 200 || !strings.Contains(body, `"access_token"`) || h.Get("Cache-Control") != "no-store" {
		t.Errorf("signing in: %d %s %v", status, body, h)
	}
	for _, c := range []struct {
		method, host, path, body string
		status                   int
		want                     string
	}{
		{"POST", "auth.example.com", "/oauth/token", `{"username": "ann@example.com", "password": "wrong"}`, 403, "invalid_grant"},
		{"POST", "auth.example.com", "/oauth/token", strings.Repeat("x", 65<<10), 400, "invalid_request"},
		{"POST", "auth.example.com", "/oauth/token/", credentials, 404, "Not Found"},
		{"POST", "auth.example.com", "/oauth//token", credentials, 404, "Not Found"},
		{"GET", "auth.example.com", "/oauth/token", "", 404, "Not Found"},
		{"OPTIONS", "auth.example.com", "/oauth/token", "", 404, "Not Found"},
		{"GET", "auth.example.com", "/health", "", 404, "Not Found"},
		{"GET", "auth.example.com", "/.portreeve/whoami", "", 404, "Not Found"},
		{"GET", "auth.example.com", "/free", "", 404, "Not Found"},
		{"GET", "other.example.com", "/free", "", 200, "free"},
		{"GET", "other.example.com", "/oauth/token", "", 404, "Resource not found"},
	} {
		status, body, h := s.send(c.method, c.host, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s%s: %d %s", c.method, c.host, c.path, status, body)
		}
		if id := h.Get("X-Portreeve-Decision"); status == 404 {
			if _, there := s.app.ring.Get(id); !there {
				t.Errorf("%s %s%s: nothing is known of refusal %q", c.method, c.host, c.path, id)
			}
		}
	}
	if c := a.Complaints(); len(c) > 0 {
		t.Errorf("the tenant complains: %v", c)
	}
	if s.log.has("correct horse") || s.log.has("edge-secret") || s.log.has("ann@example.com") {
		t.Error("the log holds what it must not")
	}
}

func TestAnOwnersExplanation(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nbackoffice: "+backofficeAt("http://127.0.0.1:1")+"\n")
	rec, allowed, err := Explain(s.source(nil), ExplainRequest{Method: "DELETE", URL: "http://any.example.com/oauth/token", Peer: "203.0.113.9"})
	if err != nil || allowed || rec.Status != 404 || rec.Reason != "method_not_allowed" {
		t.Errorf("%+v %v %v", rec, allowed, err)
	}

}

// A service that is configured at one of our own doors would have every sign-in go
// in circles.
func TestNoServiceIsCalledAtOurOwnDoor(t *testing.T) {
	t.Parallel()
	a := tenant0(t)
	s := serveFile(t, "environment: test\nbackoffice: "+backofficeAt(a.URL())+"\n")
	if err := s.reload("environment: test\nbackoffice: " + backofficeAt(s.url) + "\n"); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(s.log.String(), `"route":"/oauth/token"`)
	if status, body, _ := s.send("POST", "x", "/oauth/token", credentials); status != 502 {
		t.Errorf("%d %s", status, body)
	}
	if n := strings.Count(s.log.String(), `"route":"/oauth/token"`) - before; n > 1 {
		t.Errorf("one request became %d", n)
	}
}

// What a login edge holds in memory outlives a reload that leaves its settings alone.
func TestAnEdgeGoesOnOverReloads(t *testing.T) {
	t.Parallel()
	a := tenant0(t)
	file := func(clientID, more string) string {
		return "environment: test\n" + more + "sites: [{hosts: auth.example.com, backoffice: " + strings.Replace(backofficeAt(a.URL()), "clientId: edge", "clientId: "+clientID, 1) + "}]\n"
	}
	s := serveFile(t, file("edge", ""))
	edges := func() []*edge {
		s.app.kept.mu.Lock()
		defer s.app.kept.mu.Unlock()
		return append([]*edge(nil), s.app.kept.edges...)
	}
	first := edges()
	if err := s.reload(file("edge", "routes: [{path: /x, method: get, response: x}]\n")); err != nil {
		t.Fatal(err)
	}
	if now := edges(); len(first) != 1 || len(now) != 1 || now[0] != first[0] || now[0].stop == nil {
		t.Fatalf("%v became %v", first, now)
	}
	if err := s.reload(file("edge", "routes: [{path: /x}]\n")); err == nil {
		t.Fatal("a bad file was taken up")
	}
	if err := s.reload(file("another", "")); err != nil {
		t.Fatal(err)
	}
	now := edges()
	if len(now) != 2 || now[0] != first[0] || !now[0].retired || now[1].retired || now[1].stop == nil {
		t.Fatalf("%+v", now)
	}
	if status, _, _ := s.send("POST", "auth.example.com", "/oauth/token", credentials); status == 200 {
		t.Error("the older settings are in service")
	}
	s.stop()
	for _, e := range now {
		select {
		case <-e.done:
		case <-time.After(15 * time.Second):
			t.Error("an edge runs on after the end")
		}
	}
}

const textsFile = `environment: test
sites:
- hosts: sms.example.com
  sms:
    origins: ["https://example.com"]
    regions: [US]
    twilio: {accountSid: AC0123456789abcdef0123456789abcdef, authToken: token-of-a-test, messagingServiceSid: MG0123456789abcdef0123456789abcdef, baseURL: "BASE"}
    campaigns: {default: "Get the app: https://example.com/app"}
- hosts: links.example.com
  links: {scheme: example, ios: {appId: ABCDE12345.com.example.app, paths: ["/link/*"]}, rules: [{match: "/link/:screen", to: "example://open/{{params.screen}}"}]}
probes: {listen: "127.0.0.1:0"}
`

func TestTextsAndLinksOnSitesOfTheirOwn(t *testing.T) {
	t.Parallel()
	twilio := standin.NewTwilio(listening(t), standin.TwilioOptions{AccountSid: "AC0123456789abcdef0123456789abcdef", AuthToken: "token-of-a-test",
		Services: []string{"MG0123456789abcdef0123456789abcdef"}})
	t.Cleanup(func() { _ = twilio.Close() })
	s := serveFile(t, strings.Replace(textsFile, "BASE", twilio.URL(), 1))
	const origin = "https://example.com"
	status, body, h := s.send("POST", "sms.example.com", "/", `{"to": "(650) 253-0000"}`, "Origin", origin)
	if status != 201 || len(twilio.Texts()) != 1 || h.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("a text: %d %s %v", status, body, h)
	}
	if status, _, h := s.send("OPTIONS", "sms.example.com", "/any", "", "Origin", origin, "Access-Control-Request-Method", "POST"); status != 204 || h.Get("Access-Control-Allow-Methods") != "POST, OPTIONS" {
		t.Errorf("a preflight: %d %v", status, h)
	}
	if status, body, _ := s.send("GET", "sms.example.com", "/health", "", "Origin", origin); status != 403 || !strings.Contains(body, `"error"`) {
		t.Errorf("another method: %d %s", status, body)
	}
	if status, body, _ := s.send("GET", "links.example.com", "/.well-known/apple-app-site-association", ""); status != 200 || !strings.Contains(body, "ABCDE12345.com.example.app") {
		t.Errorf("Apple's file: %d %s", status, body)
	}
	if status, body, _ := s.send("GET", "links.example.com", "/link/a%2Fb?format=json", ""); status != 200 || !strings.Contains(body, "example://open/a%2Fb") {
		t.Errorf("a link with an encoded slash: %d %s", status, body)
	}
	if status, body, _ := s.send("GET", "links.example.com", "/health", ""); status != 200 || body != "" {
		t.Errorf("a path that no rule matches: %d %s", status, body)
	}
	for _, want := range []string{`portreeve_sms_requests_total{campaign="default",outcome="sent",site="sms.example.com"} 1`, `portreeve_links_total{outcome="json",site="links.example.com"} 1`} {
		if text := s.figures(); !strings.Contains(text, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if c := twilio.Complaints(); len(c) > 0 {
		t.Errorf("Twilio complains: %v", c)
	}
}
