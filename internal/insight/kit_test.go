package insight

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

const sharedSecret = "0123456789abcdef0123456789abcdef"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// house is the service behind a gateway with routes of a file, with a store: a jwt
// with a shared secret for people, and API keys; tenants main and other.
type house struct {
	t     testing.TB
	db    *store.DB
	ring  *explain.Ring
	users *tenant.Service
	roles *rbac.Service
	keys  *apikey.Service
	dir   *tenant.Directory
	feed  *change.Feed
	book  *policy.Book
	gate  *gateway.Gate
	snap  *gateway.Snapshot
	sign  *jws.Signer
	s     *Service
}

// siteFile is as much of a configuration as these tests write.
type siteFile struct {
	RBAC   *policy.RBACConfig    `json:"rbac"`
	Routes []gateway.RouteConfig `json:"routes"`
}

func newHouse(t testing.TB, db *store.DB, text string, jwt ...func(*identity.JWTConfig)) *house {
	t.Helper()
	var f siteFile
	doc := config.Decode([]byte(text), &f, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	log := audittest.New(t, db)
	h := &house{t: t, db: db, ring: explain.NewRing(), book: policy.NewBook(f.RBAC, doc.Report("rbac")), feed: change.NewFeed(db, change.Options{})}
	h.sign = must(jws.NewSigner("HS256", "", secret.New(sharedSecret)))
	h.users = tenant.New(tenant.Deps{DB: db, Audit: log, Now: time.Now})
	h.roles = rbac.New(rbac.Deps{DB: db, Audit: log, Book: func() *policy.Book { return h.book }, Users: h.users,
		Known: func(tx *store.Tx, who *principal.Principal, id string) (*policy.Known, error) {
			return h.dir.Now(tx, who, id)
		}})
	h.keys = apikey.New(apikey.Deps{DB: db, Audit: log, Rights: h.roles, Env: "prod"})
	h.dir = tenant.NewDirectory(h.users, tenant.DirectoryDeps{Feed: h.feed, Keys: h.keys, Roles: h.roles})
	h.s = New(Deps{Now: time.Now, Snapshot: func() *gateway.Snapshot { return h.snap }, Refusals: h.ring, People: func() *People {
		return &People{DB: db, Users: h.users, Keys: h.keys, Roles: h.roles, Known: h.dir.Now}
	}})
	if err := h.users.Ensure(t.Context(), "main", "other"); err != nil {
		t.Fatal(err)
	}
	c := &identity.JWTConfig{Name: "jwt", Secret: secret.New(sharedSecret)}
	for _, change := range jwt {
		change(c)
	}
	providers := []*identity.Provider{must(identity.NewJWT(c, identity.Deps{Env: "prod"})),
		identity.NewAPIKey("X-API-Key", h.keys), identity.NewMachine(h.keys)}
	id, problems := identity.NewSite(providers, identity.SiteOptions{Memory: identity.NewMemory(64)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	h.snap = gateway.NewSnapshot(gateway.BuildSite(gateway.SiteInput{
		Name: "default", Default: true, Identity: id, Book: h.book, Routes: f.Routes, Surfaces: h.s.Routes(),
		At: root, Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	}), nil)
	h.snap.Tenants = policy.NewTenants(nil, []policy.Provider{{Name: "jwt", Kind: "jwt"}}, root)
	if doc.Failed() {
		t.Fatalf("the file has problems: %v", doc.Problems())
	}
	h.snap.Trusted = client.Compile(nil, root)
	h.snap.Directory = h.dir
	h.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: time.Now}
	return h
}

// token is somebody's by the jwt provider.
func (h *house) token(sub string, claims ...string) string {
	c := map[string]any{"sub": sub, "exp": time.Now().Add(time.Hour).Unix()}
	for i := 0; i+1 < len(claims); i += 2 {
		c[claims[i]] = claims[i+1]
	}
	return must(h.sign.Sign("JWT", c))
}

// try asks without a body, and returns the reply, or the code of the refusal.
func (h *house) try(token, method, target string) (reply request.Reply, code string) {
	h.t.Helper()
	if err := h.feed.Poll(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	reply, _, f := gatewaytest.Answer(h.t.Context(), h.gate, h.snap, gatewaytest.Arrival(token, method+" "+target, ""), "")
	if f != nil {
		return reply, f.Code
	}
	return reply, ""
}

// asked asks an operation and reads its answer.
func asked[T any](h *house, token, path string, query ...string) (out T) {
	h.t.Helper()
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	reply, code := h.try(token, "GET", "/.portreeve/insight"+path+"?"+q.Encode())
	if code != "" || reply.Status != 200 {
		h.t.Fatalf("%s %v: %d %s", path, query, reply.Status, code)
	}
	if err := json.Unmarshal(reply.Body, &out); err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *house) host() tenant.By {
	return tenant.By{Actor: audit.Actor{Kind: audit.Host}, Grants: h.roles.Grants(rbac.OfHost()), Host: true}
}

// user gives a subject of the jwt provider a row of main with roles.
func (h *house) user(sub string, roles ...string) tenant.User {
	h.t.Helper()
	return must(h.users.AddUser(h.t.Context(), h.host(), "main", tenant.NewUser{ID: "u-" + sub, Bound: tenant.Binding{Provider: "jwt", Subject: sub},
		Email: sub + "@example.com", Roles: roles}))
}

// key makes a key of main, on the host.
func (h *house) key(d apikey.Draft, scopes ...string) apikey.Made {
	h.t.Helper()
	d.Name = input.Optional[string]{Set: true, Value: "a key"}
	if len(scopes) > 0 {
		d.Scopes = input.Optional[[]string]{Set: true, Value: scopes}
	}
	return must(h.keys.Create(h.t.Context(), apikey.By{Actor: audit.Actor{Kind: audit.Host}, Host: true}, "main", d))
}
