package properties

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/request"
)

// The secrets of a configuration, each where it stands. What an upstream is sent
// is shown to nobody else.
var secrets = map[string]string{
	"jwt-secret":   "zq8-jwt-secret-0123456789abcdef0123456789abcdef",
	"admin-token":  "zq8-admin-token-0123456789abcdef0123456789abcdef",
	"upstream-key": "zq8-upstream-key-0123456789abcdef",
	"master-key":   "enE4LW1hc3Rlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjA=", // base64 of 32 bytes
}

const leaksConfig = `
environment: test
jwt: {secret: "{{file.jwt-secret}}"}
admin: {listen: "127.0.0.1:0", token: "{{file.admin-token}}"}
store: {url: "sqlite:portreeve.db", maxStale: 5s}
masterKey: "{{file.master-key}}"
rbac: {roles: [{name: admin, permissions: ["users:read"]}]}
cors: {origins: [https://app.example.com], credentials: true}
upstream: {url: "http://@DEAD@", headers: {set: {X-Key: "{{file.upstream-key}}"}}}
routes:
  - {path: /dead, method: any}
  - {path: /junk, method: any, upstream: {url: "http://@JUNK@", headers: {set: {X-Key: "{{file.upstream-key}}"}}}}
  - {path: /cut, method: any, upstream: {url: "http://@CUT@", headers: {set: {X-Key: "{{file.upstream-key}}"}}}}
  - {path: /users, method: get, requiredPermissions: ["users:read"]}
  - {path: /data/:x, method: any, data: {body: "{{body.a.b[0]}}", x: "{{params.x}}", q: "{{query.q}}", h: "{{headers.x-key}}", all: "{{auth}}"}}
  - {path: /go/:x, method: any, redirect: "https://x.example/{{params.x}}?q={{query.q}}"}
  - {path: /when/:x, method: any, when: "auth.sub == params.x && int(params.x) > 0", data: {ok: true}}
  - {path: /few, method: any, response: ok, rateLimit: {windowMs: 3600000, max: 1}}
  - {path: /body, method: post, data: "{{body}}"}
`

// speaker answers every connection with the same bytes and ends it.
func speaker(t testing.TB, says string) (addr string) {
	t.Helper()
	l := loopback(t)
	closing(t, l)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = c.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(c, says)
			}()
		}
	}()
	return l.Addr().String()
}

// TestNothingLeaks sends bad input to every route, and looks through every
// answer and the whole log for secrets, for where things stand, and for the
// insides of the program.
func TestNothingLeaks(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		l := loopback(t)
		dead := l.Addr().String()
		_ = l.Close()
		junk, cut := speaker(t, "zq9 is no HTTP\r\n\r\n"), speaker(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n")
		d := start(t, e, strings.NewReplacer("@DEAD@", dead, "@JUNK@", junk, "@CUT@", cut).Replace(leaksConfig), secrets)
		c := d.client(t)
		k := newKeys(t)
		never := []string{".go:", "goroutine ", "panic", "runtime error", "internal/", "dial tcp", "db.internal", "jwt-secret", d.addr, dead, junk, cut, "portreeve.yaml", "zq9 is no"}
		inTheLog := []string{"zq7query", "zq7header", "zq7body", "goroutine ", "panic"}
		for _, s := range secrets {
			never, inTheLog = append(never, s), append(inTheLog, s)
		}
		for _, raw := range badInput(k.hs256(t, map[string]any{"sub": "eve"})) {
			a := c.send(t, strings.Fields(raw)[0], raw)
			whole := fmt.Sprint(a.status, a.header, a.body)
			for _, word := range never {
				if strings.Contains(whole, word) {
					t.Errorf("the answer to %.200q holds %q: %s", raw, word, whole)
				}
			}
			d.log.line(t, a.id)
		}
		text := d.log.text()
		for _, word := range inTheLog {
			if strings.Contains(text, word) {
				at := strings.Index(text, word)
				t.Errorf("the log holds %q: …%s", word, text[max(0, at-200):at+len(word)])
			}
		}
	})
}

// badInput is every route with every kind of bad input.
func badInput(foreign string) (out []string) {
	long := strings.Repeat("a", 3000)
	values := []request.Field{
		{Name: "Accept", Value: "text/html"}, {Name: "Authorization", Value: "Bearer " + foreign}, {Name: "Authorization", Value: "Bearer zq7header"},
		{Name: "Authorization", Value: "Bearer " + long}, {Name: "Authorization", Value: "Bearer a.b.c"}, {Name: "Cookie", Value: "CF_Authorization=zq7header; =;;="},
		{Name: "Origin", Value: "https://evil.test"}, {Name: "X-Forwarded-For", Value: "zq7header"}, {Name: "Content-Type", Value: "multipart/zq7header"},
		{Name: "Expect", Value: "zq7header"}, {Name: "Transfer-Encoding", Value: "zq7header"}, {Name: "Content-Length", Value: "-1"}, {Name: "bad name", Value: "zq7header"},
		{Name: "X-Key", Value: "\x01zq7header"}, {Name: "Host", Value: "zq7header"}, {Name: "Upgrade", Value: "websocket"}, {Name: "X-Long", Value: strings.Repeat(long, 30)},
	}
	bodies := []string{"", "{", `{"a":{"b":["zq7body"]}}`, "zq7body", `{"a":{"b":1}}`, "[[[[" + strings.Repeat("[", 5000), "\xff\xfe", `{"a":1}{"a":2}`, "null"}
	targets := []string{"/dead", "/junk", "/cut", "/users", "/data/x", "/go/x", "/when/x", "/few", "/body", "/nowhere", "/", "/health", "/.portreeve/whoami",
		"/.portreeve/jwks.json", "/data/%zz", "/go/..", "/go/%2e%2e", "/data/%00", "/when/9999999999999999999999", "/dead?q=zq7query", "/data/x?q=zq7query&q=%ff", "/nowhere?zq7query",
		"/debug/pprof/", "/metrics", "/state", "/reload", "http://other.invalid/", "*"}
	for _, target := range targets {
		for _, method := range []string{"GET", "POST", "HEAD", "TRACE", "NOPE"} {
			out = append(out, head(method, "x.test", target)+"\r\n")
		}
		for _, v := range values {
			out = append(out, head("GET", "x.test", target, v)+"\r\n")
		}
		for _, b := range bodies {
			out = append(out, head("POST", "x.test", target, request.Field{Name: "Content-Length", Value: fmt.Sprint(len(b))})+"\r\n"+b)
		}
		out = append(out, head("POST", "x.test", target, request.Field{Name: "Transfer-Encoding", Value: "chunked"})+"\r\nzz\r\n")
	}
	return out
}

// TestProblemsTellNoSecret: what is wrong with a configuration is said without
// the secret that is wrong, in the problems and in the log.
func TestProblemsTellNoSecret(t *testing.T) {
	t.Parallel()
	const bad = "zq8bad"
	const route = "\nroutes: [{path: /, method: get}]"
	for _, config := range []string{
		"jwt: {secret: '@'}", "jwt: {secret: ['@']}", "jwt: {secret: {x: '@'}}", "jwt: {secret: {'@': x}}", "jwt: {secrets: ['@', '@']}", "jwt: {secrte: '@'}",
		"jwt: {publicKey: '-----BEGIN @-----'}", "jwt: '@'", "masterKey: '@'", "masterKey: ['@']", "masterKeys: [{id: a, key: '@'}]", "masterKeys: ['@']",
		"admin: {listen: '127.0.0.1:0', token: '@'}", "admin: {token: '@'}", "firebase: {projectId: x, privateKey: '@', clientEmail: 1}",
		"store: 'postgres://u:@@h:notaport/x'" + route + "x", "upstream: 'http://u:@@h/'" + route, "upstream: 'http://u:@@h:notaport/'" + route,
		"upstream: {url: 'http://h/', headers: {set: {'X Y': '@'}}}" + route, "upstream: {url: 'http://h/', headers: {set: {X-Key: \"@\\nx\"}}, url: 1}" + route,
		// What the reader of the file's syntax stumbles over.
		"jwt: {secret: \"@", "jwt: {secret: @ routes: ]", "jwt:\n\tsecret: '@'", "jwt: {secret: '@' '@'}", "jwt: {secret: *@}", "jwt: {secret: !@ x}",
		"jwt: {secret: '@', secret: '@'}", "{\"jwt\": {\"secret\": \"@\" \"x\"}}", "{\"jwt\": {\"secret\": \"@\\q\"}}", "jwt: {secret: |\n @}", "jwt: {secret: \"\\q@\"}", "%@\n---\njwt: x",
	} {
		for _, form := range []string{bad, "{{file.secret}}"} {
			dir := t.TempDir()
			write(t, dir+"/secret", bad)
			text := strings.ReplaceAll(config, "@@", "\x00")
			text = strings.ReplaceAll(strings.ReplaceAll(text, "@", form), "\x00", form+"@") // the second one stands before a host
			write(t, dir+"/portreeve.yaml", text+"\n")
			log := newJournal()
			_, err := app.New(app.Options{Source: app.Source{Path: dir + "/portreeve.yaml", Getenv: func(string) (string, bool) { return "", false }}, Stderr: log})
			said := fmt.Sprint(err, log.text())
			if err == nil {
				t.Errorf("nothing is wrong with %s: %s", text, said)
			}
			if strings.Contains(said, bad) {
				t.Errorf("%s: %s", text, said)
			}
		}
	}
}
