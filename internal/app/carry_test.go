package app

import (
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
)

func newIssuer(t *testing.T) *standin.Issuer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i, err := standin.NewIssuer(l, standin.IssuerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// What did not change is carried over a reload: key sets, upstreams with their
// connections, remembered tokens, counters of limits. What changed is not.
func TestReloadCarriesOver(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo := standin.NewEcho(l, standin.EchoOptions{})
	defer echo.Close()
	file := func(audience, more string, max int) string {
		return strings.NewReplacer("ISSUER", issuer.URL(), "ECHO", echo.URL(), "AUD", audience, "MAX", strconv.Itoa(max), "MORE", more).Replace(`
environment: test
oidc: [{name: one, issuer: "ISSUER", audience: AUD}]
routes:
MORE
  - {path: /me, method: get, requireAuth: true, upstream: "ECHO"}
  - {path: /few, method: get, rateLimit: {windowMs: 3600000, max: MAX}, data: {}}
`)
	}
	s := serveFile(t, file("api", "", 3))
	token, err := issuer.Mint(map[string]any{"sub": "alice", "aud": "api"})
	if err != nil {
		t.Fatal(err)
	}
	me := func() int { status, _, _ := s.get("/me", "Authorization", "Bearer "+token); return status }
	few := func() int { status, _, _ := s.get("/few"); return status }
	if got := me(); got != 200 {
		t.Fatalf("/me answers %d", got)
	}
	few()
	few()
	before := s.app.current.Load()
	jobs, fetched := s.app.gate.Lot.Stats().Done, issuer.Fetched()

	if err := s.reload(file("api", "  - {path: /new, method: get, data: {}}", 3)); err != nil {
		t.Fatal(err)
	}
	after := s.app.current.Load()
	if after.KeySets[0] != before.KeySets[0] {
		t.Error("the key set is another")
	}
	for key, u := range before.runtime.Upstreams {
		if after.runtime.Upstreams[key] != u {
			t.Error("the upstream is another")
		}
	}
	if got := me(); got != 200 || s.app.gate.Lot.Stats().Done != jobs || issuer.Fetched() != fetched {
		t.Errorf("/me answers %d after %d jobs more and %d fetches more", got, s.app.gate.Lot.Stats().Done-jobs, issuer.Fetched()-fetched)
	}
	if a, b := few(), few(); a != 200 || b != 429 {
		t.Errorf("a route added before it set the counter back: %d, %d", a, b)
	}

	if err := s.reload(file("other", "", 4)); err != nil {
		t.Fatal(err)
	}
	if got := me(); got != 401 {
		t.Errorf("a token of the former audience gets %d: it was remembered", got)
	}
	if got := few(); got != 200 {
		t.Errorf("another limit began with %d", got)
	}
	if s.app.current.Load().KeySets[0] != before.KeySets[0] {
		t.Error("another audience made another key set of one issuer")
	}
}

// A thousand reloads, of which each brings a new issuer and a new upstream and
// retires the old: nothing of them is left.
func TestReloadsLeakNothing(t *testing.T) { // not parallel: it counts goroutines and descriptors of the process
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	file := func(i int) string {
		if i%10 == 9 {
			return "environment: test\nruotes: []"
		}
		return strings.NewReplacer("ADDR", dead.Addr().String(), "N", strconv.Itoa(i)).Replace(`
environment: test
watch: true
oidc: [{name: one, issuer: "http://ADDR/N", audience: a}]
log: {file: log}
routes: [{path: /a, method: get, upstream: {url: "http://127.0.0.1:9", timeout: 1Nms}}]
`)
	}
	s := serveFile(t, file(0))
	for i := range 20 {
		_ = s.reload(file(i))
	}
	goroutines, descriptors := runtime.NumGoroutine(), openFiles()
	for i := range 250 { // of which every tenth, left over, would be far more than five
		_ = s.reload(file(i))
	}
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
	eventually(t, "as many descriptors as before", func() bool { return openFiles() <= descriptors+5 })
	s.app.kept.mu.Lock()
	defer s.app.kept.mu.Unlock()
	if len(s.app.kept.sets) != 1 || len(s.app.kept.upstreams) != 1 {
		t.Errorf("%d key sets and %d upstreams are kept", len(s.app.kept.sets), len(s.app.kept.upstreams))
	}
}

// openFiles counts the process's descriptors, 0 where that cannot be known.
func openFiles() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}
