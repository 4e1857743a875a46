package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

// ring is a store of keys: prk_NAME-TENANT, tok_NAME-TENANT; a name of "none"
// is nobody's.
type ring struct{ looked atomic.Int32 }

func (k *ring) Parse(token string) (string, error) {
	switch {
	case strings.HasPrefix(token, "prk_"):
		return identity.KindAPIKey, nil
	case strings.HasPrefix(token, "tok_"):
		return identity.KindMachine, nil
	}
	return "", errors.New("not a key")
}

func (k *ring) Verify(_ context.Context, token string) (*principal.Principal, error) {
	k.looked.Add(1)
	name, tenant, _ := strings.Cut(token[4:], "-")
	if strings.HasPrefix(name, "none") {
		return nil, fault.New(fault.Unauthenticated, "invalid_key", "")
	}
	return &principal.Principal{Subject: "key:" + name, CredentialID: name, Tenant: tenant}, nil
}

// people is a directory in memory, by subject. What it knows it says after one
// job, as a store does.
type people struct {
	known map[string]*policy.Known
	asked atomic.Pointer[policy.DirectoryAsk]
	stale atomic.Bool
	ready atomic.Bool // no job is needed
}

func (p *people) Find(a policy.DirectoryAsk) (*policy.Known, *park.Job, *fault.Error) {
	if p.stale.Load() {
		return nil, nil, &fault.Error{Kind: fault.Unavailable, Code: "store_unavailable", RetryAfter: 5 * time.Second}
	}
	if !p.ready.Load() {
		copied := a // or asking would allocate always
		p.asked.Store(&copied)
		key := park.Key{1}
		copy(key[1:], a.Who.ID())
		if _, ok := park.Find(a.Settled, key); !ok {
			return nil, &park.Job{Kind: "directory", Key: key, Waits: true, Run: func(context.Context) (any, error) { return nil, nil }}, nil
		}
	}
	if k := p.known[a.Who.ID()]; k != nil {
		return k, nil, nil
	}
	tenant := a.Claim
	if tenant == "" {
		tenant = a.Default
	}
	return &policy.Known{Tenant: tenant}, nil, nil
}

// stocked is a rig with keys, machines and a directory.
func stocked(t testing.TB, text string, known map[string]*policy.Known) (*rig, *people) {
	t.Helper()
	keys, dir := &ring{}, &people{known: known}
	g := loadWith(t, text, func(in *SiteInput) {
		list := append([]*identity.Provider{identity.NewAPIKey("", keys), identity.NewMachine(keys)}, in.Identity.Providers()...)
		in.Identity, _ = identity.NewSite(list, identity.SiteOptions{Memory: identity.NewMemory(64)})
	})
	if !strings.HasPrefix(g.problems, "warnings only:") {
		t.Fatalf("the configuration has problems:\n%s", g.problems)
	}
	g.snap.Directory = dir
	return g, dir
}

const guardedRoutes = `
rbac: {roles: [{name: editor, permissions: ["docs:*"]}]}
routes:
  - {path: /docs, method: get, requiredPermissions: ["docs:read"], data: {sub: "{{auth.sub}}", tenant: "{{auth.tenant_id}}", roles: "{{auth.roles}}", scopes: "{{auth.scopes}}"}}
  - {path: /open, method: get, response: open}
  - {path: /left, method: get, identify: none, response: left}
  - {path: /in, method: get, authProvider: machine, requiredPermissions: ["machine:ingest"], response: taken}
  - {path: /up, method: get, requireAuth: true, upstream: "http://app"}
`

func TestWhatIsStoredAboutACallerDecides(t *testing.T) {
	t.Parallel()
	g, _ := stocked(t, guardedRoutes, map[string]*policy.Known{
		"alice":       {Tenant: "acme", UserID: "u1", Roles: []string{"clerk"}, TenantRoles: policy.NewStoredRoles([]policy.RoleDef{{Name: "clerk", Permissions: []string{"docs:read"}}})},
		"bob":         {Tenant: "acme"},
		"eve":         {Refuse: fault.New(fault.Forbidden, "user_disabled", ""), Why: "a user who is not disabled", Tenant: "acme", Roles: []string{"admin"}},
		"key:good":    {Tenant: "acme", Key: &policy.KeyGrant{ID: "good", Scopes: []string{"docs:read"}, ByHost: true}, Expires: clock.Add(time.Hour)},
		"key:narrow":  {Tenant: "acme", Key: &policy.KeyGrant{ID: "narrow", Scopes: []string{"other:read"}, ByHost: true}},
		"key:revoked": {Refuse: fault.New(fault.Unauthenticated, "key_revoked", ""), Why: "a key that is not revoked"},
		"key:old":     {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"*"}, ByHost: true}, Expires: clock},
		"key:away":    {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"*"}, ByHost: true, AllowedIPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}},
		"key:home":    {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"*"}, ByHost: true, AllowedIPs: []netip.Prefix{netip.MustParsePrefix("203.0.113.9/32")}}},
		"key:m1":      {Tenant: "acme", Key: &policy.KeyGrant{Machine: true}},
	})
	key := func(s string) string { return "X-Api-Key: prk_" + s + "-acme" }
	plain := alice.with("role", nil)
	for _, c := range []struct {
		name, line, credential string
		status                 int
		code, want             string // want: in the body, or in the trace's "enough"
	}{
		{"a stored role", "GET /docs", bearer(plain), 200, "", `{"sub":"alice","tenant":"acme","roles":["clerk"],"scopes":null}`},
		{"no role", "GET /docs", bearer(plain.with("sub", "bob")), 403, "missing_permission", "assigned to the caller"},
		{"a disabled user where something is asked", "GET /docs", bearer(plain.with("sub", "eve")), 403, "user_disabled", "a user who is not disabled"},
		{"and where nothing is", "GET /open", bearer(plain.with("sub", "eve")), 403, "user_disabled", "a user who is not disabled"},
		{"and at whoami", "GET /.portreeve/whoami", bearer(plain.with("sub", "eve")), 403, "user_disabled", "a user who is not disabled"},
		{"but not where nobody looks", "GET /left", bearer(plain.with("sub", "eve")), 200, "", "left"},
		{"a claim that is no name", "GET /open", bearer(plain.with("tenant_id", "a/b")), 403, "unknown_tenant", "a token whose tenant claim names a tenant"},
		{"a key", "GET /docs", key("good"), 200, "", `{"sub":"key:good","tenant":"acme","roles":[],"scopes":["docs:read"]}`},
		{"a key without the scope", "GET /docs", key("narrow"), 403, "missing_permission", "a key with scope docs:read"},
		{"a revoked key", "GET /open", key("revoked"), 401, "key_revoked", "a key that is not revoked"},
		{"a key that has expired", "GET /open", key("old"), 401, "key_expired", "a key that has not expired"},
		{"from elsewhere", "GET /docs", key("away"), 403, "address_not_allowed", "a call from one of them"},
		{"from its place", "GET /docs", key("home"), 200, "", "key:home"},
		{"a machine", "GET /in", "Authorization: Bearer tok_m1-acme", 200, "", "taken"},
		{"a machine elsewhere", "GET /docs", "Authorization: Bearer tok_m1-acme", 401, "unauthenticated", "a valid credential"},
		{"a key for machines", "GET /in", key("good"), 401, "unauthenticated", "a valid credential of machine"},
		{"a machine on a public route is nobody", "GET /open", "Authorization: Bearer tok_m1-acme", 200, "", "open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.ask(c.line, c.credential)
			text := got.body
			if got.status >= 400 {
				text = fmt.Sprint(got.steps)
			}
			if got.status != c.status || got.code != c.code || !strings.Contains(text, c.want) {
				t.Errorf("%d %s %s", got.status, got.code, text)
			}
		})
	}
	if got := g.ask("GET /up", key("good")); got.forward.Header.Get("X-Portreeve-Subject") != "key:good" || got.forward.Header.Get("X-Portreeve-Tenant") != "acme" ||
		got.forward.Header.Has("X-Api-Key") || got.forward.Header.Get("X-Portreeve-Roles") != "" {
		t.Errorf("the upstream gets %v", got.forward.Header)
	}
	if got := g.ask("GET /up", key("good"), "X_Api_Key: prk_other"); got.forward.Header.Has("X_Api_Key") {
		t.Errorf("an alias of the key's header goes on: %v", got.forward.Header)
	}
}

// A change that comes between a refusal and its record takes nothing from the record.
func TestARefusalIsExplainedByWhatDecidedIt(t *testing.T) {
	t.Parallel()
	g, dir := stocked(t, guardedRoutes, map[string]*policy.Known{"bob": {Tenant: "acme"}})
	dir.ready.Store(true)
	a := arrival("GET /docs", bearer(alice.with("role", nil).with("sub", "bob")))
	x := &Exchange{}
	if v := g.gate.Ask(t.Context(), g.snap, x, a); v.Kind != Refuse {
		t.Fatalf("%+v", v)
	}
	dir.ready.Store(false) // it is not at hand any more
	if steps := fmt.Sprint(x.Explain(a, g.now)); !strings.Contains(steps, "missing: docs:read") {
		t.Errorf("%s", steps)
	}
}

func TestWhatTheDirectoryIsAsked(t *testing.T) {
	t.Parallel()
	g, dir := stocked(t, guardedRoutes, nil)
	for _, c := range []struct{ credential, who, claim, standard string }{
		{bearer(alice.with("tenant_id", "acme")), "alice", "acme", "main"},
		{bearer(alice), "alice", "", "main"},
		{"X-Api-Key: prk_k1-acme", "key:k1", "acme", ""},
		{"Cf-Access-Jwt-Assertion: " + accessToken(), "alice", "", ""},
	} {
		dir.asked.Store(nil)
		if got := g.ask("GET /open", c.credential); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		a := dir.asked.Load()
		if a == nil || a.Who.ID() != c.who || a.Claim != c.claim || a.Default != c.standard || !a.Now.Equal(clock) {
			t.Errorf("asked %+v", a)
		}
	}
	dir.asked.Store(nil)
	g.ask("GET /open")
	g.ask("GET /left", bearer(alice))
	if dir.asked.Load() != nil {
		t.Error("the directory is asked about nobody")
	}
}

// Freshness: a node that does not know what is stored decides nothing.
func TestAStaleNodeRefuses(t *testing.T) {
	t.Parallel()
	g, dir := stocked(t, guardedRoutes, nil)
	dir.stale.Store(true)
	got := g.ask("GET /open", bearer(alice))
	if got.status != 503 || got.code != "store_unavailable" || got.header.Get("Retry-After") != "5" {
		t.Errorf("%d %s %v", got.status, got.code, got.header)
	}
	if got := g.ask("GET /open"); got.status != 200 {
		t.Errorf("who is nobody is refused: %d", got.status)
	}
}

func TestAKeysOwnLimitCountsBesides(t *testing.T) {
	t.Parallel()
	g, _ := stocked(t, guardedRoutes+"rateLimit: {default: {windowMs: 60000, max: 5, by: key}}", map[string]*policy.Known{
		"key:few":  {Tenant: "acme", Key: &policy.KeyGrant{ID: "few", Scopes: []string{"*"}, ByHost: true, Limit: &limit.RuleConfig{WindowMs: 60000, Max: 2}}},
		"key:many": {Tenant: "acme", Key: &policy.KeyGrant{ID: "many", Scopes: []string{"*"}, ByHost: true}},
		// Imported ids are unique within their tenant alone.
		"key:same": {Tenant: "beta", Key: &policy.KeyGrant{ID: "few", Scopes: []string{"*"}, ByHost: true, Limit: &limit.RuleConfig{WindowMs: 60000, Max: 2}}},
	})
	for i, want := range []int{200, 200, 429} {
		got := g.ask("GET /docs", "X-Api-Key: prk_few-acme")
		if got.status != want {
			t.Errorf("request %d: %d", i, got.status)
		}
		if got.header.Get("X-RateLimit-Limit") != "2" {
			t.Errorf("the tightest limit is %s", got.header.Get("X-RateLimit-Limit"))
		}
		if want == 429 && !strings.Contains(fmt.Sprint(got.steps), "rateLimit of the key") {
			t.Errorf("%v", got.steps)
		}
	}
	if got := g.ask("GET /docs", "X-Api-Key: prk_same-beta"); got.status != 200 {
		t.Errorf("a key of the same id in another tenant: %d", got.status)
	}
	for i := range 6 {
		if got := g.ask("GET /docs", "X-Api-Key: prk_many-acme"); (got.status == 200) != (i < 5) {
			t.Errorf("another key's request %d: %d", i, got.status)
		}
	}
}

// Whoever tries keys costs the store thirty look-ups a minute and no more.
func TestGuessesAreFewForEachAddress(t *testing.T) {
	t.Parallel()
	keys := &ring{}
	g := loadWith(t, guardedRoutes, func(in *SiteInput) {
		in.Identity, _ = identity.NewSite([]*identity.Provider{identity.NewAPIKey("", keys)}, identity.SiteOptions{Memory: identity.NewMemory(64)})
		in.Routes = in.Routes[1:2]
	})
	from := func(peer, key string) answer {
		a := arrival("GET /open", "X-Api-Key: prk_"+key+"-acme")
		a.Peer = netip.MustParseAddrPort(peer)
		return g.send(a, "")
	}
	if got := from("[2001:db8::1]:1", "good"); got.status != 200 {
		t.Fatal(got.status, got.body)
	}
	for i := range 40 {
		got := from(fmt.Sprintf("[2001:db8::%x]:1", i+2), fmt.Sprint("none", i))
		if want := map[bool]int{true: 401, false: 429}[i < 30]; got.status != want {
			t.Fatalf("guess %d: %d %s", i, got.status, got.code)
		}
	}
	if n := keys.looked.Load(); n != 31 {
		t.Errorf("%d look-ups", n)
	}
	got := from("[2001:db8::1]:1", "new")
	if got.status != 429 || got.header.Get("Retry-After") == "" || !strings.Contains(fmt.Sprint(got.steps), "credentials that fail") {
		t.Errorf("a key that is not remembered: %d %v %v", got.status, got.header, got.steps)
	}
	if got := from("[2001:db8::1]:1", "good"); got.status != 200 {
		t.Errorf("a remembered key of the same network: %d", got.status)
	}
	if got := from("[2001:db8:0:1::1]:1", "new"); got.status != 200 {
		t.Errorf("another network: %d", got.status)
	}
	g.now = g.now.Add(time.Minute)
	if got := from("[2001:db8::1]:1", "newer"); got.status != 200 {
		t.Errorf("a minute later: %d", got.status)
	}
}

func TestWhoamiOfStoredCallers(t *testing.T) {
	t.Parallel()
	g, _ := stocked(t, guardedRoutes, map[string]*policy.Known{
		"key:k1": {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"*", "users:read"}, CreatorRoles: []string{"editor"}}, Expires: clock.Add(time.Hour)},
		"key:m1": {Tenant: "acme", Key: &policy.KeyGrant{Machine: true}},
	})
	for credential, want := range map[string]string{
		"X-Api-Key: prk_k1-acme":            `{"authenticated":true,"kind":"service","provider":"apiKey","subject":"key:k1","emailVerified":false,"tenant":"acme","roles":[],"scopes":["docs:*"],"permissions":["docs:*"],"expiresAt":"2026-03-01T13:00:00Z"}`,
		"Authorization: Bearer tok_m1-acme": `{"authenticated":true,"kind":"machine","provider":"machine","subject":"key:m1","emailVerified":false,"tenant":"acme","roles":[],"scopes":[],"permissions":["machine:ingest"]}`,
	} {
		got := g.ask("GET /.portreeve/whoami", credential)
		var a, b any
		_ = json.Unmarshal([]byte(got.body), &a)
		_ = json.Unmarshal([]byte(want), &b)
		if d := cmp.Diff(b, a); d != "" {
			t.Errorf("%s: %s", credential, d)
		}
	}
}

// Until when a running exchange may go on: the earliest of what its credential
// and the store say.
func TestWhenACallerExpires(t *testing.T) {
	t.Parallel()
	g, _ := stocked(t, guardedRoutes, map[string]*policy.Known{
		"key:k1": {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"*"}, ByHost: true}, Expires: clock.Add(time.Minute)},
		"key:k2": {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"*"}, ByHost: true}},
		"bob":    {Tenant: "acme", Expires: clock.Add(time.Minute)},
	})
	for credential, want := range map[string]time.Time{
		"X-Api-Key: prk_k1-acme":         clock.Add(time.Minute),
		"X-Api-Key: prk_k2-acme":         {},
		bearer(alice):                    clock.Add(time.Hour + time.Minute),
		bearer(alice.with("sub", "bob")): clock.Add(time.Minute),
		"Accept: */*":                    {},
	} {
		if got := g.ask("GET /open", credential).x.Expires(); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", credential[:12], got, want)
		}
	}
}

func TestDecisionsAboutStoredCallersCostNoAllocation(t *testing.T) { // not parallel: it counts
	g, dir := stocked(t, guardedRoutes, map[string]*policy.Known{
		"alice":  {Tenant: "acme", Roles: []string{"editor", "clerk"}, TenantRoles: policy.NewStoredRoles([]policy.RoleDef{{Name: "clerk", Parent: "editor"}})},
		"key:k1": {Tenant: "acme", Key: &policy.KeyGrant{Scopes: []string{"docs:read"}, CreatorRoles: []string{"editor"}}},
	})
	for _, credential := range []string{bearer(alice), "X-Api-Key: prk_k1-acme"} {
		dir.ready.Store(false)
		a := arrival("GET /docs", credential, "Accept: */*")
		if got := g.send(a, ""); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		dir.ready.Store(true)
		x := &Exchange{}
		if n := testing.AllocsPerRun(100, func() {
			if v, f := decide(g, x, a); v.Kind != Allow || f != nil {
				t.Fatalf("%+v %v", v, f)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", credential[:10], n)
		}
	}
}
