package app

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What explain says is what serve does.
func TestExplainAnswersAsServeDoes(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // an issuer that takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	dir := t.TempDir()
	write := func(name, text string) Source {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Source{Path: path, Getenv: func(string) (string, bool) { return "0123456789abcdef0123456789abcdef", true }}
	}
	prod := write("prod.yaml", `
environment: prod
jwt: {secret: "{{env.K}}"}
trustedProxies: [10.0.0.0/8]
cors: {origins: https://app.example.com}
routes:
  - {path: /x, method: get, data: {}, status: 201}
  - {path: /away, method: get, redirect: /x}
  - {path: /up, method: get, upstream: "http://127.0.0.1:9000"}
`)
	outage := write("outage.yaml", `
environment: test
jwt: {secret: "{{env.K}}"}
oidc: [{name: down, issuer: "http://`+silent.Addr().String()+`", audience: x}]
routes: [{path: /x, method: get, requireAuth: true, data: {}}]
`)
	token, err := Token(outage, TokenRequest{Subject: "u", Expires: time.Hour, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		source  Source
		ask     ExplainRequest
		status  int
		allowed bool
	}{
		"a document":             {prod, ExplainRequest{Method: "GET", URL: "https://a/x"}, 201, true},
		"a redirect":             {prod, ExplainRequest{Method: "GET", URL: "https://a/away"}, 302, true},
		"an upstream's to say":   {prod, ExplainRequest{Method: "GET", URL: "https://a/up"}, 0, true},
		"plain HTTP is sent on":  {prod, ExplainRequest{Method: "GET", URL: "http://a/x"}, 308, false},
		"a preflight":            {prod, ExplainRequest{Method: "OPTIONS", URL: "https://a/x", Header: []string{"Origin: https://app.example.com", "Access-Control-Request-Method: GET"}}, 204, true},
		"another issuer is down": {outage, ExplainRequest{Method: "GET", URL: "http://a/x", Header: []string{"Authorization: Bearer " + token}}, 200, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.ask.Peer = "203.0.113.1"
			begun := time.Now()
			rec, allowed, err := Explain(c.source, c.ask)
			if err != nil || rec.Status != c.status || allowed != c.allowed {
				t.Errorf("got %+v, %t, %v; want %d, %t", rec, allowed, err, c.status, c.allowed)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
