package surfaces

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// owned has a site for each surface that is all of its site. The services behind
// them are away, so that whatever gets that far is a failure to be worded.
const owned = `
environment: test
store: {url: "sqlite:portreeve.db"}
masterKey: "{{file.master-key}}"
tenantApi: false
sites:
  - hosts: [login.test]
    login:
      baseURL: "http://127.0.0.1:1"
      clientId: edge
      clientSecret: "{{file.client-secret}}"
      audience: https://api.test
      connection: users
      mfa: {audience: https://mfa.test, clientId: mfa, clientSecret: "{{file.mfa-secret}}"}
      management: {clientId: manage, clientSecret: "{{file.manage-secret}}"}
      risk: {castle: {apiSecret: "{{file.castle-secret}}", blocking: true, onError: deny}}
      userService: {url: "http://127.0.0.1:1", signing: {awsSigV4: {region: us-east-1, service: execute-api, accessKeyId: AKIAZQ8, secretAccessKey: "{{file.aws-secret}}"}}, onError: deny}
  - hosts: [back.test]
    backoffice: {baseURL: "http://127.0.0.1:1", clientId: edge, clientSecret: "{{file.client-secret}}", audience: https://api.test, connection: users}
  - hosts: [links.test]
    links: {name: Example, scheme: example, mode: page, rules: [{match: "/link/:screen", to: "example://open/{{params.screen}}"}]}
  - hosts: [sms.test]
    sms:
      origins: [https://example.com]
      regions: [US]
      twilio: {accountSid: AC00112233445566778899aabbccddeeff, authToken: "{{file.twilio-secret}}", messagingServiceSid: MG00112233445566778899aabbccddeeff}
      campaigns: {default: "Get the app: https://link.example.com/get"}
      limits: {perNumber: {windowMs: 3600000, max: 3}, perIP: {windowMs: 3600000, max: 10}, perPrefix: {windowMs: 3600000, max: 20}, perDay: 5000}
      widget: true
  - hosts: [open.test]
    upstream: "@ECHO@"
    routes: [{path: /free, method: get}]
`

// TestOwnedSites: on a site that a surface owns everything is answered by the owner:
// no path of the gateway's, no method that is not its own, and nothing in any answer
// of the settings, the services or the program.
func TestOwnedSites(t *testing.T) {
	t.Parallel()
	files := map[string]string{"master-key": files()["master-key"]}
	for _, name := range []string{"client-secret", "mfa-secret", "manage-secret", "castle-secret", "aws-secret", "twilio-secret"} {
		files[name] = "zq8-" + name + "-0123456789abcdef"
	}
	echo := standin.NewEcho(edge.Listen(t), standin.EchoOptions{})
	t.Cleanup(func() { _ = echo.Close() })
	e := edge.Start(t, edge.Setting{Text: owned, Words: map[string]string{"ECHO": echo.URL()}, Files: files})
	never := append(insides(), places()...)
	never = append(never, "127.0.0.1", "AKIAZQ8", "AC0011", "zq8-", "zq9kx7wv3", "connection refused", "dial tcp")
	ask := func(host, method, target, body string, fields ...string) edge.Answer {
		c, err := net.Dial("tcp", e.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n%s", method, target, host, len(body), strings.Join(append(fields, ""), "\r\n"), body); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s %s%s: %v", method, host, target, err)
		}
		raw, _ := io.ReadAll(res.Body)
		return edge.Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw)}
	}
	own := map[string][]string{
		"login.test": {"/oauth/token", "/login", "/signup", "/email/verify", "/email/validate", "/password/reset", "/userinfo", "/mfa/challenge", "/metric/track", "/layer/session"},
		"back.test":  {"/oauth/token"}, "links.test": {"/link/home", "/.well-known/apple-app-site-association", "/.well-known/assetlinks.json"}, "sms.test": {"/", "/widget.js", "/spring"},
	}
	// How each answers what it does not have; of links every path may be one.
	unknown := map[string]string{"login.test": `403 {"error":"forbidden"}`, "back.test": "404 Not Found", "sms.test": `403 {"error":"method_not_allowed"}`}
	bodies := []string{"", "{}", "null", "[]", `{"username":"zq9kx7wv3@example.com","password":"zq9kx7wv3"}`, `{"email":7,"phone":["zq9kx7wv3"]}`, strings.Repeat("[", 5000), "username=zq9kx7wv3&username=zq9kx7wv3", "\xff\xfe", `{"a":1}{"a":2}`, strings.Repeat("x", 300<<10)}
	for host, paths := range own {
		for _, path := range []string{"/health", "/.portreeve/whoami", "/.portreeve/mfa", "/tenant/users", "/v1/tenant/pubkey", "/free", "/rbac/roles"} {
			a := ask(host, "GET", path, "")
			if want, ok := unknown[host]; ok && fmt.Sprint(a.Status, " ", strings.TrimSpace(a.Body)) != want || strings.Contains(a.Body, "true") {
				t.Errorf("GET %s%s: %d %s", host, path, a.Status, a.Body)
			}
		}
		n := 0
		check := func(method, path string, a edge.Answer) {
			t.Helper()
			n++
			what := method + " " + host + path
			if len(what) > 100 {
				what = what[:100]
			}
			if a.Status == 500 || a.Status < 200 {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
			if word := holds(whole(a), never); word != "" {
				t.Errorf("%s: the answer holds %q: %d %.300s", what, word, a.Status, whole(a))
			}
			if a.Status >= 400 && a.Body != "" && !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") && host != "links.test" && !(host == "back.test" && a.Status == 404) {
				t.Errorf("%s: %d as %q: %.200s", what, a.Status, a.Header.Get("Content-Type"), a.Body)
			}
			if a.Status == 405 && a.Header.Get("Allow") == "" {
				t.Errorf("%s: 405 without Allow", what)
			}
		}
		for _, path := range append(paths, "/none", "/%2e%2e/x", "/a%00b", "//x", "/a//b", "/"+strings.Repeat("a", 5000), "/%zz", "/oauth/token/", "/OAUTH/TOKEN", "/%6fauth/token", "/oauth/token?zq9kx7wv3=%zz", "/oauth/token;x=1") {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NOPE"} {
				check(method, path, ask(host, method, path, "", "X-Nothing: zq9kx7wv3"))
			}
		}
		for _, path := range paths {
			for _, body := range bodies {
				check("POST", path, ask(host, "POST", path, body, "Content-Type: application/json", "X-Castle-Request-Token: zq9kx7wv3", "Authorization: Bearer zq9kx7wv3", "Cookie: a=zq9kx7wv3"))
			}
		}
		t.Logf("%s: %d answers", host, n)
	}
	if a := ask("open.test", "GET", "/free", ""); a.Status != 200 {
		t.Errorf("beside them: %d %s", a.Status, a.Body)
	}
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"zq8-", "zq9kx7wv3", "panic", "goroutine "} {
		if i := strings.Index(e.Log.String(), word); i >= 0 {
			t.Errorf("the log holds %q: …%.400s…", word, e.Log.String()[max(0, i-200):])
		}
	}
}
