package session

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

func sha512sum(s string) [64]byte { return sha512.Sum512([]byte(s)) }

// kit is a store with a clock, a provider, and as many nodes as a test wants.
type kit struct {
	t     testing.TB
	at    atomic.Int64
	url   string
	rogue *rogue
	cfg   Config
	log   logged
	*node // the first
}

// node is one Portreeve: its services, and a gate with the site "app".
type node struct {
	k    *kit
	db   *store.DB
	s    *Service
	ten  *tenant.Service
	feed *change.Feed
	gate *gateway.Gate
	snap *gateway.Snapshot
	oidc *identity.Provider
	site Site
}

func (k *kit) now() time.Time          { return time.UnixMilli(k.at.Load()).UTC() }
func (k *kit) advance(d time.Duration) { k.at.Add(d.Milliseconds()) }

// both runs fn on either engine.
func both(t *testing.T, fn func(t *testing.T, k *kit)) {
	t.Helper()
	t.Parallel()
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			fn(t, newKit(t, engine.url(t), Config{}))
		})
	}
}

func newKit(t testing.TB, url string, cfg Config) *kit {
	t.Helper()
	k := &kit{t: t, url: url, cfg: cfg}
	k.at.Store(time.Now().UnixMilli())
	k.rogue = newRogue(t, k.now)
	t.Cleanup(k.leaks)
	k.start(k.rogue.URL)
	return k
}

// start makes the first node, whose provider is issuer.
func (k *kit) start(issuer string) {
	t := k.t
	t.Helper()
	k.node = k.newNode(issuer)
	if err := k.ten.Ensure(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
}

// newNode is one more node over the same store.
func (k *kit) newNode(issuer string) *node {
	t := k.t
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: k.url, Now: k.now, UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	n := &node{k: k, db: db}
	log := audittest.New(t, db)
	n.ten = tenant.New(tenant.Deps{DB: db, Audit: log, Now: k.now, Keep: func() []string { return nil }})
	made, err := pages.New()
	if err != nil {
		t.Fatal(err)
	}
	n.s = New(Deps{DB: db, Audit: log, Keys: audittest.Keys(t), Pages: made, Users: n.ten, Env: "test", Now: k.now, Log: slog.New(slog.NewJSONHandler(&k.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	n.feed = change.NewFeed(db, change.Options{Now: k.now})
	dir := tenant.NewDirectory(n.ten, tenant.DirectoryDeps{Feed: n.feed, Sessions: n.s, Entries: 1 << 10})
	deps := identity.Deps{Env: "test", Keys: func(c keyset.Config) *keyset.Set { c.Now = k.now; return keyset.New(c) }}
	rule := config.List[string]{"portreeve-api"}
	n.oidc = identity.NewOIDC(&identity.OIDCConfig{Name: "corp", Issuer: config.URL(issuer), Audience: rule,
		SignInRules: identity.SignInRules{ClientID: "portreeve", ClientSecret: secret.New("s3cret"), Scopes: config.List[string]{"openid", "email", "offline_access"}}}, deps)
	list := []*identity.Provider{n.oidc, identity.NewLink(), identity.NewSession("app", n.s)}
	n.s.Use(list)
	id, problems := identity.NewSite(list, identity.SiteOptions{Memory: identity.NewMemory(1 << 10)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var file struct {
		Routes []gateway.RouteConfig `json:"routes"`
	}
	doc := config.Decode([]byte(`{routes: [{path: /private, method: any, requireAuth: true, data: {ok: true}}]}`), &file, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	tenants := policy.NewTenants(nil, []policy.Provider{{Name: "corp", Kind: "oidc"}}, root)
	n.site = Site{Name: "app", Providers: list, Config: &k.cfg, Directory: dir, Tenants: tenants}
	built := gateway.BuildSite(gateway.SiteInput{
		Name: "app", Default: true, Identity: id, Book: policy.NewBook(nil, root), Surfaces: n.s.Routes(n.site), SignIn: "corp",
		Routes: file.Routes,
		At:     root, Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	})
	if doc.Failed() {
		t.Fatal(doc.Problems())
	}
	n.snap = gateway.NewSnapshot(built, nil)
	n.snap.Tenants, n.snap.Trusted, n.snap.Directory = tenants, client.Compile(nil, root), dir
	n.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: k.now}
	return n
}

// logged is a log that a test reads.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// leaks looks for what the provider handed out in what is logged, whatever the
// test was about.
func (k *kit) leaks() {
	k.log.mu.Lock()
	defer k.log.mu.Unlock()
	for _, secret := range append(k.rogue.handed, "s3cret") {
		if secret != "" && strings.Contains(k.log.b.String(), secret) {
			k.t.Errorf("%q stands in the log", secret)
		}
	}
}

// browser keeps cookies as one does.
type browser struct {
	n    *node
	jar  map[string]string
	sets map[string]string // the last Set-Cookie of each name
	peer string
}

func (n *node) browser() *browser {
	return &browser{n: n, jar: map[string]string{}, sets: map[string]string{}, peer: "203.0.113.9:4711"}
}

// got is an answer.
type got struct {
	status int
	header func(string) string
	body   string
	fault  *fault.Error
}

var asked atomic.Int64

// ask sends a request, "GET /path", with more fields.
func (b *browser) ask(line, body string, fields ...string) got {
	t, n := b.n.k.t, b.n
	t.Helper()
	if err := n.feed.Poll(context.Background()); err != nil {
		t.Fatal(err)
	}
	return b.send(line, body, fields...)
}

func (b *browser) send(line, body string, fields ...string) got {
	n := b.n
	var cookies []string
	for name, value := range b.jar {
		cookies = append(cookies, "Cookie: "+name+"="+value)
	}
	a := gatewaytest.Arrival("", line, body, append(cookies, fields...)...)
	a.ID, a.Host, a.Header[0].Value, a.Received, a.TLS = fmt.Sprint("req-", asked.Add(1)), "app.example", "app.example", n.k.now(), true
	a.Peer = netip.MustParseAddrPort(b.peer)
	reply, x, f := gatewaytest.Answer(context.Background(), n.gate, n.snap, a, body)
	if f != nil {
		if lead, leads := x.Lead(f); leads {
			reply = lead
		} else {
			reply = x.Fault(f, "r", "d")
		}
	}
	h := append(reply.Header, x.AnswerHeaders()...)
	for _, set := range h.Values("Set-Cookie") {
		b.keep(set)
	}
	return got{reply.Status, h.Get, string(reply.Body), f}
}

func (b *browser) keep(set string) {
	name, rest, _ := strings.Cut(set, "=")
	value, _, _ := strings.Cut(rest, ";")
	b.sets[name] = set
	if strings.Contains(set, "Max-Age=0") {
		delete(b.jar, name)
		return
	}
	b.jar[name] = value
}

// tab is another browser with the same cookies, on a node.
func (b *browser) tab(n *node) *browser {
	c := n.browser()
	for k, v := range b.jar {
		c.jar[k] = v
	}
	return c
}

// begin goes to the provider and comes back with its answer.
func (b *browser) begin(back string) url.Values {
	t := b.n.k.t
	t.Helper()
	r := b.ask("GET /.portreeve/login/corp?return="+url.QueryEscape(back), "")
	if r.status != 303 || !strings.HasPrefix(r.header("Location"), b.n.k.rogue.URL+"/authorize?") {
		t.Fatalf("login: %d %s %v", r.status, r.body, r.fault)
	}
	return b.n.k.rogue.authorize(t, r.header("Location"))
}

func (b *browser) callback(q url.Values) got {
	return b.ask("GET /.portreeve/callback/corp?"+q.Encode(), "", "Accept: text/html")
}

// signIn signs in and wants it to work.
func (b *browser) signIn() {
	t := b.n.k.t
	t.Helper()
	if r := b.callback(b.begin("/private")); r.status != 303 || r.header("Location") != "/private" {
		t.Fatalf("callback: %d %s %v", r.status, r.body, r.fault)
	}
}

// who is what whoami says.
func (b *browser) who() map[string]any {
	b.n.k.t.Helper()
	r := b.ask("GET /.portreeve/whoami", "")
	var out map[string]any
	_ = json.Unmarshal([]byte(r.body), &out)
	return out
}

// in reports whether the browser is signed in.
func (b *browser) in() bool {
	b.n.k.t.Helper()
	return b.ask("GET /private", "").status == 200
}

func (n *node) tx(fn func(tx *store.Tx) error) {
	n.k.t.Helper()
	if err := n.db.Tx(context.Background(), fn); err != nil {
		n.k.t.Fatal(err)
	}
}

func (n *node) count(query string, args ...any) (c int) {
	n.k.t.Helper()
	n.tx(func(tx *store.Tx) error { return tx.Row(query, args...).Scan(&c) })
	return c
}

func (n *node) events(action string) int {
	n.k.t.Helper()
	return n.count(`SELECT COUNT(*) FROM audit_events WHERE action = $1`, action)
}

func host() By { return By{Actor: audit.Actor{Kind: audit.Host, ID: "root"}} }

// arrive makes a session without a provider.
func (n *node) arrive(subject string) (string, error) {
	who := &principal.Principal{Provider: "corp", Issuer: "x", Subject: subject}
	return n.s.startSession(context.Background(), host(), &n.site, arrival{who: who, facts: facts{Issuer: "x", Subject: subject, Claims: []byte(`{}`)}})
}
