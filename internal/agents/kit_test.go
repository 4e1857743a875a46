package agents

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
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
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

const sharedSecret = "0123456789abcdef0123456789abcdef"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// house is the surface behind a gateway, as the application wires it: a jwt with
// a shared secret and another without e-mail trust, tenants main and other.
type house struct {
	t      testing.TB
	db     *store.DB
	s      *Service
	users  *tenant.Service
	dir    *tenant.Directory
	feed   *change.Feed
	gate   *gateway.Gate
	snap   *gateway.Snapshot
	sign   *jws.Signer
	second *jws.Signer
	asked  atomic.Int64
	peer   string
}

// on is how a house is built.
type on struct {
	Tenant string // of the site's anonymous requests
	NoAuth bool
	Limits string // rateLimit of the site
	Routes string // of the file
	Config Config
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	eachOn(t, on{Tenant: "main", Config: Config{Collections: config.List[string]{"projects"}}}, fn)
}

func eachOn(t *testing.T, o on, fn func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, newHouse(t, db, o)) })
}

func newHouse(t testing.TB, db *store.DB, o on) *house {
	t.Helper()
	h := &house{t: t, db: db, feed: change.NewFeed(db, change.Options{MaxStale: time.Hour}), peer: "203.0.113.9"}
	log := audittest.New(t, db)
	h.users = tenant.New(tenant.Deps{DB: db, Audit: log, Now: time.Now})
	h.s = New(Deps{DB: db, Audit: log, Feed: h.feed, Entries: 1 << 10})
	h.dir = tenant.NewDirectory(h.users, tenant.DirectoryDeps{Feed: h.feed})
	if err := h.users.Ensure(t.Context(), "main", "other"); err != nil {
		t.Fatal(err)
	}
	h.poll()
	h.sign = must(jws.NewSigner("HS256", "", secret.New(sharedSecret)))
	h.second = must(jws.NewSigner("HS256", "", secret.New(strings.ToUpper(sharedSecret))))
	jwt := must(identity.NewJWT(&identity.JWTConfig{Name: "first", Secret: secret.New(sharedSecret)}, identity.Deps{Env: "prod"}))
	other := must(identity.NewJWT(&identity.JWTConfig{Name: "second", Secret: secret.New(strings.ToUpper(sharedSecret)), Issuer: "https://second.example"}, identity.Deps{Env: "prod"}))
	id, _ := identity.NewSite([]*identity.Provider{jwt, other}, identity.SiteOptions{Memory: identity.NewMemory(64)})
	var file struct {
		Routes    []gateway.RouteConfig `json:"routes"`
		RateLimit *limit.Config         `json:"rateLimit"`
	}
	if o.Limits == "" {
		o.Limits = "{enabled: false}" // many requests, one address
	}
	doc := config.Decode([]byte("rateLimit: "+o.Limits+"\n"+o.Routes), &file, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	place := Place{NoAuth: o.NoAuth, Tenant: "main"}
	if strings.Contains(o.Limits, "absent") {
		file.RateLimit = nil
	}
	site := gateway.BuildSite(gateway.SiteInput{
		Name: "default", Default: true, Tenant: o.Tenant, Identity: id, NoAuth: o.NoAuth, Book: policy.NewBook(nil, root), Surfaces: h.s.Routes(&o.Config, place),
		RateLimit: file.RateLimit, Routes: file.Routes,
		At: root, Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	})
	if doc.Failed() {
		t.Fatalf("the site has problems: %v", doc.Problems())
	}
	h.snap = gateway.NewSnapshot(site, nil)
	h.snap.Tenants = policy.NewTenants(&policy.TenantsConfig{DefaultFor: []string{"first"}}, []policy.Provider{{Name: "first", Kind: "jwt"}, {Name: "second", Kind: "jwt"}}, root)
	h.snap.Trusted = client.Compile(nil, root)
	h.snap.Directory, h.snap.Resources = h.dir, h.s
	h.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: time.Now}
	return h
}

// poll takes in what changed.
func (h *house) poll() {
	h.t.Helper()
	if err := h.feed.Poll(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// token is a credential of the first jwt provider. who is "alice@example.com" for
// an e-mail, "sub:alice" for a subject alone; behind it " role", "@tenant".
func (h *house) token(who string, claims ...string) string {
	c := map[string]any{"sub": who, "email": who, "role": "member", "exp": time.Now().Add(time.Hour).Unix()}
	if sub, alone := strings.CutPrefix(who, "sub:"); alone {
		c["sub"] = sub
		delete(c, "email")
	}
	sign := h.sign
	for _, kv := range claims {
		k, v, _ := strings.Cut(kv, "=")
		if c[k] = v; k == "iss" {
			sign = h.second
		}
		if k == "exp" {
			c[k] = time.Now().Add(-time.Hour).Unix()
		}
	}
	return must(sign.Sign("JWT", c))
}

// ask sends one request, "POST /api/agents", and returns the status and body.
func (h *house) ask(token, line, body string, fields ...string) (int, string) {
	h.t.Helper()
	h.poll()
	status, text, err := h.try(token, line, body, fields...)
	if err != nil {
		h.t.Fatal(err)
	}
	return status, text
}

func (h *house) try(token, line, body string, fields ...string) (int, string, error) {
	a := gatewaytest.Arrival(token, line, body, fields...)
	a.ID, a.Peer = fmt.Sprint("req-", h.asked.Add(1)), netip.AddrPortFrom(netip.MustParseAddr(h.peer), 4711)
	reply, err := gatewaytest.Ask(h.t.Context(), h.gate, h.snap, a, body)
	return reply.Status, strings.TrimSuffix(string(reply.Body), "\n"), err
}

// want asks and compares the status; the body is returned.
func (h *house) want(status int, token, line, body string) string {
	h.t.Helper()
	got, text := h.ask(token, line, body)
	if got != status {
		h.t.Fatalf("%s %s: %d %s, want %d", line, body, got, text, status)
	}
	return text
}

// data picks the data of an answer.
func data[T any](t testing.TB, body string) T {
	t.Helper()
	var out struct {
		Data T `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return out.Data
}

// add gives somebody a role, asked for by an owner, and returns the member's id.
func (h *house) add(owner, agent, email, role string) string {
	h.t.Helper()
	return data[MemberView](h.t, h.want(201, owner, "POST /api/agents/"+agent+"/admins", `{"email":"`+email+`","role":"`+role+`"}`)).ID
}

// person is a caller of tenant main with a verified e-mail.
func person(email string) By {
	p := &principal.Principal{Kind: principal.User, Provider: "first", ProviderKind: "jwt", Subject: email, IssuerFree: true, Email: email}
	p.EmailFolded, p.EmailDomain, p.EmailVerified = principal.FoldEmail(email)
	return By{Actor: audit.Actor{Kind: audit.User, ID: email}, Who: p, Tenant: "main"}
}

func draft(name string) Draft { return Draft{Name: some(name)} }

func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f != nil {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// owners is how many own a thing of tenant main.
func (h *house) owners(id string) (n int) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(tx *store.Tx) (err error) {
		_, n, err = counts(tx, Agent{Tenant: "main", Collection: First, ID: id})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return n
}

const denied = `{"error":{"code":"FORBIDDEN","message":"Access denied to this agent"}}`
const anonymous = `{"error":{"code":"UNAUTHORIZED","message":"Authentication required"}}`

func storeOf(t testing.TB) *store.DB { t.Helper(); return storetest.SQLite(t) }
