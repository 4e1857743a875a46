package app

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
)

// twoPlaces is a configuration that says its letter in every place a decision
// and its answer come from.
func twoPlaces(letter, upstream string) string {
	return strings.NewReplacer("@", letter, "UPSTREAM", upstream).Replace(`
environment: test
jwt: {secret: "{{file.key}}"}
rbac: {roles: [{name: "of-@", permissions: ["thing:read"]}]}
routes:
  - path: /own
    method: get
    requiredRoles: [of-@]
    data: {from: "@", again: "@"}
    headers: {X-From: "@"}
  - path: /up
    method: get
    upstream: {url: "UPSTREAM/base-@", headers: {set: {X-From: "@"}}}
`)
}

// A request is decided, answered and explained by one configuration, however
// many are put into service meanwhile, and none is lost.
func TestNoRequestSeesTwoConfigurations(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo := standin.NewEcho(l, standin.EchoOptions{})
	defer echo.Close()
	s := serveFile(t, twoPlaces("A", echo.URL()), "key", secret32)
	bearer := s.token("alice", "of-A")

	const reloads = 250
	var served, refused, ended atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	ask := func(path string) (int, string, http.Header) {
		req, _ := http.NewRequest(http.MethodGet, s.url+path, nil)
		req.Header.Set("Authorization", bearer)
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s was lost: %v", path, err)
			return 0, "", nil
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Errorf("%s broke off: %v", path, err)
		}
		return resp.StatusCode, string(body), resp.Header
	}
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch status, body, h := ask("/own"); {
				case status == 200 && strings.TrimSpace(body) == `{"from":"A","again":"A"}` && h.Get("X-From") == "A":
					served.Add(1)
				case status == 403: // by B, whose role the token does not have
					refused.Add(1)
					if rec, ok := s.app.ring.Get(h.Get("X-Portreeve-Decision")); ok {
						if text := fmt.Sprint(rec.Steps); !strings.Contains(text, "of-B") {
							t.Errorf("refused by B and explained by another: %s", text)
						}
					}
				default:
					t.Errorf("a mixture: %d %q X-From %q", status, body, h.Get("X-From"))
				}
				status, body, _ := ask("/up")
				a := strings.Contains(body, "/base-A/up") && strings.Contains(body, `"A"`)
				b := strings.Contains(body, "/base-B/up") && strings.Contains(body, `"B"`)
				if status != 200 || a == b {
					t.Errorf("the upstream got a mixture: %d %s", status, body)
				}
				ended.Add(1)
			}
		})
	}
	for i := range reloads {
		if err := s.reload(twoPlaces(string("BA"[i%2]), echo.URL())); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	if served.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d served by A and %d refused by B: the load was not there", served.Load(), refused.Load())
	}
	t.Logf("%d reloads; %d rounds, %d served, %d refused", reloads, ended.Load(), served.Load(), refused.Load())
}

// A bad file changes nothing, is reported as check would, and a good one after
// it counts.
func TestBadFileChangesNothing(t *testing.T) {
	t.Parallel()
	const good = "environment: test\nroutes: [{path: /a, method: get, response: a}]"
	s := serveFile(t, good)
	before := s.app.current.Load()
	for _, test := range []struct{ name, yaml, says string }{
		{"a misspelt key", "environment: test\nruotes: []", `portreeve.yaml:2:1: ruotes: unknown key; did you mean "routes"?`},
		{"no YAML", "environment: [test", "portreeve.yaml:1"},
		{"a missing secret", "environment: test\njwt: {secret: '{{file.none}}'}", "does not exist"},
		{"a missing variable", "environment: test\njwt: {secret: '{{env.NONE}}'}", "NONE is not set"},
		{"two routes of one path", good + "\n" + "sites: [{hosts: [a.example.com], routes: [{path: /x, method: get, data: {}}, {path: /x, method: get, data: {}}]}]", "ties with"},
		{"another environment", strings.Replace(good, "test", "dev", 1), "takes a restart"},
		{"prod", strings.Replace(good, "environment: test", "", 1), "takes a restart"},
		{"an address that is taken", good + "\nprobes: {listen: '" + strings.TrimPrefix(s.url, "http://") + "'}", "cannot listen"},
		{"a log that cannot be", good + "\nlog: {file: none/log}", "the log cannot be opened"},
	} {
		err := s.reload(test.yaml)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
		if s.app.current.Load() != before {
			t.Errorf("%s: something went into service", test.name)
		}
		if !s.log.has("configuration not reloaded") {
			t.Errorf("%s: not reported", test.name)
		}
		if status, _, _ := s.get("/a"); status != 200 {
			t.Errorf("%s: /a answers %d", test.name, status)
		}
	}
	if len(s.app.degraded()) != 1 {
		t.Errorf("degraded: %q", s.app.degraded())
	}
	if err := s.reload(strings.Replace(good, "/a", "/b", 1)); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.get("/b"); status != 200 {
		t.Errorf("/b answers %d", status)
	}
	if len(s.app.degraded()) != 0 {
		t.Errorf("degraded: %q", s.app.degraded())
	}
}

// What weakens a check needs the environment written in the file; a reload
// cannot write it there afterwards.
func TestReloadCannotWriteTheEnvironmentIn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "portreeve.yaml")
	put(t, file, "routes: [{path: /a, method: get, response: a}]")
	a, err := New(Options{Source: Source{Path: file, Getenv: vars(map[string]string{"WORKER_ENV": "dev"})}, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	put(t, file, "environment: dev\nauth: none\nroutes: [{path: /a, method: get, response: a}]")
	if err := a.Reload(); err == nil || !strings.Contains(err.Error(), "takes a restart") {
		t.Errorf("got %v", err)
	}
}

// What only a start takes up is named, and the rest counts.
func TestRestartKeysAreNamed(t *testing.T) {
	t.Parallel()
	const base = "environment: test\nroutes: [{path: /a, method: get, response: a}]\n"
	key := strings.Repeat("A", 43) + "="
	for _, test := range []struct{ name, added, says string }{
		{"store", "store: sqlite:other.db", `store: changed`},
		{"store's migrations", "store: {url: 'sqlite:portreeve.db', migrate: manual}", `store: changed`},
		{"admin", "admin: {listen: 'unix:other.sock'}", `admin: changed`},
		{"masterKey", "masterKey: '" + key + "'", `masterKey: changed`},
		{"masterKeys", "masterKeys: [{id: a, key: '" + key + "'}]", `masterKeys: changed`},
		{"two", "store: sqlite:other.db\nadmin: {listen: 'unix:other.sock'}", `store, admin: changed`},
		{"none", "drain: 1s\ndrainDelay: 1s\nlimits: {headers: 5}\nlog: {user: email}", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serveFile(t, base)
			if err := s.reload(base + test.added); err != nil {
				t.Fatal(err)
			}
			if got := s.log.has("takes effect at a restart"); got != (test.says != "") || !s.log.has(test.says) {
				t.Errorf("the log says:\n%s", s.log)
			}
		})
	}
}
