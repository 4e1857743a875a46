package std

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
)

// house is an engine with one site: a jwt provider, a directory whose word can
// change, the operations that a test gives it, and an upstream at /up.
type house struct {
	t       *testing.T
	addr    string
	engine  *Engine
	known   atomic.Pointer[policy.Known]
	stale   atomic.Bool
	changes atomic.Uint64
	records chan *Outcome
}

var houseSecret = secret.New("0123456789abcdef0123456789abcdef")

func (h *house) Find(policy.DirectoryAsk) (*policy.Known, *park.Job, *fault.Error) {
	if h.stale.Load() {
		return nil, nil, &fault.Error{Kind: fault.Unavailable, Code: "store_unavailable", RetryAfter: time.Second}
	}
	return h.known.Load(), nil, nil
}

func newHouse(t *testing.T, upstream string, ops ...gateway.SurfaceRoute) *house {
	t.Helper()
	h := &house{t: t, records: make(chan *Outcome, 100)}
	h.known.Store(&policy.Known{Tenant: "acme"})
	doc := config.Decode([]byte(`{}`), &struct{}{}, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	jwt, err := identity.NewJWT(&identity.JWTConfig{Name: "jwt", Secret: houseSecret}, identity.Deps{Env: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	who, _ := identity.NewSite([]*identity.Provider{identity.NewSession("default", lodgers{}), jwt}, identity.SiteOptions{Memory: identity.NewMemory(64)})
	yes, settings := true, map[string]gateway.UpstreamSettings{}
	site := gateway.BuildSite(gateway.SiteInput{
		Name: "default", Default: true, Identity: who, Book: policy.NewBook(nil, nil), At: root,
		Inherited: func(string) *config.Reporter { return root }, Surfaces: ops, Upstreams: settings, SignIn: "jwt", OwnCookies: []string{identity.CookieSession, identity.CookieMFA},
		Routes: []gateway.RouteConfig{{Path: "/up/*", Method: config.List[string]{"any"}, Requirements: policy.Requirements{RequireAuth: &yes},
			Upstream: &gateway.UpstreamConfig{URL: config.URL("http://" + upstream)}}},
	})
	if doc.Failed() {
		t.Fatal(doc.Problems())
	}
	snap := gateway.NewSnapshot(site, nil)
	snap.Directory, snap.Tenants = h, policy.NewTenants(nil, nil, nil)
	rt := &Runtime{Snapshot: snap, Upstreams: map[string]*proxy.Group{}, Concurrent: 100, Changes: h.changes.Load}
	for key := range settings {
		g := proxy.NewGroup(proxy.GroupSettings{Members: []proxy.Settings{{Scheme: "http", Address: upstream}}}, proxy.Deps{})
		t.Cleanup(g.Close)
		rt.Upstreams[key] = g
	}
	var ids atomic.Int64
	e := &Engine{
		Gate:    &gateway.Gate{Limits: limit.NewTable(64), Lot: park.NewLot(park.Options{}), Now: time.Now},
		Runtime: func() *Runtime { return rt }, Now: time.Now, NewID: func() string { return fmt.Sprint("id-", ids.Add(1)) },
		Record: func(o *Outcome) { h.records <- o },
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, o := &http.Server{Handler: e}, ConnOptions{}
	Prepare(srv, o)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(Listen(l, o)) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	h.addr, h.engine = l.Addr().String(), e
	return h
}

// bearer is a credential that expires so much later.
func bearer(t *testing.T, after time.Duration) string {
	t.Helper()
	signer, err := jws.NewSigner("HS256", "", houseSecret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signer.Sign("JWT", map[string]any{"sub": "alice", "exp": time.Now().Add(after).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + raw
}

func (h *house) do(method, path, body string) (*http.Response, string) {
	h.t.Helper()
	req, _ := http.NewRequest(method, "http://"+h.addr+path, strings.NewReader(body))
	req.Header.Set("Authorization", bearer(h.t, time.Hour))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res, string(text)
}

func shouting(f *fault.Error, _, decision string) request.Reply {
	return request.Reply{Status: f.Kind.Status(), Header: gateway.FaultHeaders(f, decision), Body: []byte("SHOUT " + f.Code)}
}

func TestOperationsAreRun(t *testing.T) {
	t.Parallel()
	op := func(path string, most int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: "POST", Path: path, Op: gateway.Operation{Surface: "things", Name: "do " + path, MaxBody: most, Shape: shouting, Run: run}}
	}
	say := func(_ context.Context, c *gateway.Call) (request.Reply, error) {
		return gateway.JSON(201, map[string]any{"body": string(c.Body), "actor": c.Actor().ID}), nil
	}
	fails := func(err error) func(context.Context, *gateway.Call) (request.Reply, error) {
		return func(context.Context, *gateway.Call) (request.Reply, error) { return request.Reply{}, err }
	}
	var decision atomic.Value
	h := newHouse(t, "127.0.0.1:1",
		op("/small", 10, say), op("/none", 0, say), op("/large", -1, say),
		op("/panics", 0, func(context.Context, *gateway.Call) (request.Reply, error) { panic("boom") }),
		op("/forbids", 0, func(_ context.Context, c *gateway.Call) (request.Reply, error) {
			decision.Store(c.Decision)
			return request.Reply{}, fault.New(fault.Forbidden, "not_yours", "Not yours")
		}),
		op("/misses", 0, fails(fault.New(fault.NotFound, "gone", ""))),
		op("/breaks", 0, fails(fmt.Errorf("sql: no such table"))),
		op("/silent", 0, fails(nil)),
		op("/bound", 0, func(ctx context.Context, _ *gateway.Call) (request.Reply, error) {
			end, ok := ctx.Deadline()
			if left := time.Until(end); !ok || left > gateway.OperationTime || left < gateway.OperationTime/2 {
				return request.Reply{}, fmt.Errorf("it may take %v", left)
			}
			return gateway.JSON(200, true), nil
		}),
	)
	for _, c := range []struct {
		path, body string
		status     int
		want       string
		decision   bool
	}{
		{"/small", "0123456789", 201, `{"actor":"alice","body":"0123456789"}` + "\n", false},
		{"/small", "0123456789a", 413, "SHOUT body_too_large", false},
		{"/none", "ignored", 201, `{"actor":"alice","body":""}` + "\n", false},
		{"/large", strings.Repeat("a", 1<<20), 201, strings.Repeat("a", 1<<20), false},
		{"/panics", "", 500, "SHOUT panic", false},
		{"/forbids", "", 403, "SHOUT not_yours", true},
		{"/misses", "", 404, "SHOUT gone", false},
		{"/breaks", "", 500, "SHOUT internal", false},
		{"/silent", "", 500, "SHOUT no_answer", false},
		{"/bound", "", 200, "true\n", false},
	} {
		res, text := h.do("POST", c.path, c.body)
		o := <-h.records
		if res.StatusCode != c.status || !strings.Contains(text, c.want) || len(text) > len(c.want)+100 {
			t.Errorf("%s: %d %.200s", c.path, res.StatusCode, text)
		}
		if id := res.Header.Get("X-Portreeve-Decision"); (id != "") != c.decision || id != o.Decision || c.decision && id != decision.Load() {
			t.Errorf("%s: decision %q, recorded %q, told %v", c.path, id, o.Decision, decision.Load())
		}
		if c.decision && (len(o.Steps) == 0 || o.Steps[len(o.Steps)-1].OK || !strings.Contains(fmt.Sprint(o.Steps), "not_yours")) {
			t.Errorf("%s: trace %v", c.path, o.Steps)
		}
		if o.Status != c.status || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: recorded %d, %v", c.path, o.Status, res.Header)
		}
	}
}

// endless is an upstream whose answer has no end.
func endless(t *testing.T) string {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: first\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(up.Close)
	return up.Listener.Addr().String()
}

// stream opens an endless answer and reports on the channel when it is over.
func (h *house) stream() <-chan struct{} {
	h.t.Helper()
	req, _ := http.NewRequest("GET", "http://"+h.addr+"/up/events", nil)
	req.Header.Set("Authorization", bearer(h.t, time.Hour))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	if res.StatusCode != 200 {
		h.t.Fatal(res.Status)
	}
	h.t.Cleanup(func() { _ = res.Body.Close() })
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || line != "data: first\n" {
		h.t.Fatal(line, err)
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, res.Body)
		close(over)
	}()
	return over
}

func ends(t *testing.T, over <-chan struct{}) {
	t.Helper()
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
}

// What changes in the store ends what runs, within the look and a moment.
func TestAStreamEndsWithWhatIsStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t, endless(t))
	over := h.stream()
	h.changes.Add(1) // something that concerns nobody here
	other := h.stream()
	select {
	case <-over:
		t.Fatal("a change that takes nothing away ended it")
	case <-time.After(2 * lookEvery):
	}
	begun := time.Now()
	h.known.Store(&policy.Known{Refuse: fault.New(fault.Forbidden, "user_disabled", "")})
	h.changes.Add(1)
	ends(t, over)
	ends(t, other)
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	for range 2 {
		if o := <-h.records; o.Fault == nil || o.Fault.Code != "user_disabled" {
			t.Errorf("recorded %v", o.Fault)
		}
	}
}

// A key's secret that ends sooner than before ends what runs sooner.
func TestAStreamEndsWithItsKeysSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t, endless(t))
	h.known.Store(&policy.Known{Tenant: "acme", Expires: time.Now().Add(time.Hour)})
	over := h.stream()
	h.known.Store(&policy.Known{Tenant: "acme", Expires: time.Now().Add(700 * time.Millisecond)})
	h.changes.Add(1)
	ends(t, over)
	if o := <-h.records; o.Fault == nil || o.Fault.Kind != fault.Unauthenticated {
		t.Errorf("recorded %v", o.Fault)
	}
}

// A node that has lost its store is in doubt, which ends nothing at once.
func TestAStreamOutlivesAShortDoubt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, endless(t))
	over := h.stream()
	h.stale.Store(true)
	h.changes.Add(1)
	select {
	case <-over:
		t.Fatal("a moment without the store ended it")
	case <-time.After(3 * lookEvery):
	}
	h.stale.Store(false)
	h.known.Store(&policy.Known{Refuse: fault.New(fault.Forbidden, "user_disabled", "")})
	ends(t, over)
}
