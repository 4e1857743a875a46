package rbac

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// fileRoles are those of the configuration in these tests.
const fileRoles = `
roles:
  - {name: manager, description: gives roles away, permissions: ["rbac:read", "rbac:write", "docs:read"]}
  - {name: lead, permissions: ["docs:*"], parentRole: manager}
  - {name: ops, permissions: ["platform:*"]}
`

const sharedSecret = "0123456789abcdef0123456789abcdef"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// house is the service behind a gateway, as the application wires them: a jwt
// with a shared secret, tenants main and other, a store.
type house struct {
	t     testing.TB
	db    *store.DB
	rbac  *Service
	users *tenant.Service
	dir   *tenant.Directory
	feed  *change.Feed
	log   *audit.Log
	book  *policy.Book
	gate  *gateway.Gate
	snap  *gateway.Snapshot
	sign  *jws.Signer
}

func newBook(t testing.TB, text string) *policy.Book {
	t.Helper()
	var cfg policy.RBACConfig
	doc := config.Decode([]byte(text), &cfg, config.Options{Name: "rbac.yaml"})
	b := policy.NewBook(&cfg, doc.Report(""))
	if doc.Failed() {
		t.Fatalf("the roles have problems: %v", doc.Problems())
	}
	return b
}

func newHouse(t testing.TB, db *store.DB, roles string) *house {
	t.Helper()
	h := &house{t: t, db: db, book: newBook(t, roles), feed: change.NewFeed(db, change.Options{}), log: audittest.New(t, db)}
	h.sign = must(jws.NewSigner("HS256", "", secret.New(sharedSecret)))
	h.users = tenant.New(tenant.Deps{DB: db, Audit: h.log, Now: time.Now})
	h.rbac = New(Deps{
		DB: db, Audit: h.log, Book: func() *policy.Book { return h.book }, Users: h.users,
		Known: func(tx *store.Tx, who *principal.Principal, id string) (*policy.Known, error) {
			return h.dir.Now(tx, who, id)
		},
		Issuer: func(_ *gateway.Site, provider string) (string, bool) {
			issuer, ok := map[string]string{"jwt": "", "entra": "https://login.example/v2"}[provider]
			return issuer, ok
		},
		Asked: func() []Asked { return []Asked{{"users:delete", []string{"DELETE /admin/users"}}} },
	})
	h.dir = tenant.NewDirectory(h.users, tenant.DirectoryDeps{Feed: h.feed, Roles: h.rbac})
	if err := h.users.Ensure(t.Context(), "main", "other"); err != nil {
		t.Fatal(err)
	}
	h.poll()
	h.serve()
	return h
}

// serve builds the gateway.
func (h *house) serve() {
	h.t.Helper()
	jwt := must(identity.NewJWT(&identity.JWTConfig{Name: "jwt", Secret: secret.New(sharedSecret)}, identity.Deps{Env: "prod"}))
	id, _ := identity.NewSite([]*identity.Provider{jwt}, identity.SiteOptions{Memory: identity.NewMemory(64)})
	var none struct{}
	doc := config.Decode([]byte("{}"), &none, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	site := gateway.BuildSite(gateway.SiteInput{
		Name: "default", Default: true, Identity: id, Book: h.book, Surfaces: h.rbac.Routes(),
		At: root, Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	})
	if doc.Failed() {
		h.t.Fatalf("the site has problems: %v", doc.Problems())
	}
	h.snap = gateway.NewSnapshot(site, nil)
	h.snap.Tenants = policy.NewTenants(nil, []policy.Provider{{Name: "jwt", Kind: "jwt"}}, root)
	h.snap.Trusted = client.Compile(nil, root)
	h.snap.Directory = h.dir
	h.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: time.Now}
}

// poll takes in what changed.
func (h *house) poll() {
	h.t.Helper()
	if err := h.feed.Poll(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// token is a credential of the jwt provider; claims are "role=admin" and alike.
func (h *house) token(sub string, claims ...string) string {
	c := map[string]any{"sub": sub, "exp": time.Now().Add(time.Hour).Unix()}
	for _, kv := range claims {
		k, v, _ := strings.Cut(kv, "=")
		c[k] = v
	}
	return must(h.sign.Sign("JWT", c))
}

// admin is a token that holds everything in tenant main.
func (h *house) admin() string { return h.token("root", "role=admin") }

// ask sends one request, "POST /rbac/roles", and returns the status and body.
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
	reply, err := gatewaytest.Ask(h.t.Context(), h.gate, h.snap, gatewaytest.Arrival(token, line, body, fields...), body)
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

// user gives a subject of the jwt provider a row with roles, on the host.
func (h *house) user(sub string, roles ...string) tenant.User {
	h.t.Helper()
	by := tenant.By{Actor: audit.Actor{Kind: audit.Host}, Grants: h.rbac.Grants(OfHost())}
	return must(h.users.AddUser(h.t.Context(), by, "main", tenant.NewUser{Bound: tenant.Binding{Provider: "jwt", Subject: sub}, Roles: roles}))
}

// host is a caller at the machine.
func host() Caller { return Caller{Actor: audit.Actor{Kind: audit.Host}, Right: OfHost()} }

// newRole is a draft.
func newRole(name, parent string, permissions ...string) Draft {
	if permissions == nil {
		permissions = []string{}
	}
	return Draft{
		Name: input.Optional[string]{Set: true, Value: name}, Parent: input.Optional[string]{Set: true, Value: parent},
		Permissions: input.Optional[[]string]{Set: true, Value: permissions},
	}
}

// role makes a role on the host.
func (h *house) role(name, parent string, permissions ...string) {
	h.t.Helper()
	if _, err := h.rbac.Create(h.t.Context(), host(), "main", newRole(name, parent, permissions...)); err != nil {
		h.t.Fatal(err)
	}
}

// member picks a member of a JSON object.
func member(t testing.TB, body, name string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return string(m[name])
}
