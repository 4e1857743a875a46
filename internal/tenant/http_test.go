package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const sharedSecret = "0123456789abcdef0123456789abcdef"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// site is the surface behind a gateway, as the application wires them.
type site struct {
	*rig
	t    *testing.T
	gate *gateway.Gate
	snap *gateway.Snapshot
	sign *jws.Signer
}

// serve builds one on each engine. Whoever holds *:* may give every role away.
func serve(t *testing.T, fn func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := &site{rig: newRig(t, db, "main", "acme"), t: t, sign: must(jws.NewSigner("HS256", "", secret.New(sharedSecret)))}
		s.svc.d.Grants = func(c *gateway.Call) Grants {
			return grantsFunc(func(_, after []string) error {
				if len(after) > 0 && !c.Standing.Has("everything:at-all") {
					return fault.New(fault.Forbidden, "grants_more", "")
				}
				return nil
			})
		}
		jwt := must(identity.NewJWT(&identity.JWTConfig{Name: "jwt", Secret: secret.New(sharedSecret)}, identity.Deps{Env: "prod"}))
		id, _ := identity.NewSite([]*identity.Provider{jwt}, identity.SiteOptions{Memory: identity.NewMemory(64)})
		var cfg policy.RBACConfig
		doc := config.Decode([]byte(`{roles: [{name: clerk, permissions: ["users:read", "users:write"]}, {name: reader, permissions: ["users:read"]}, {name: ops, permissions: ["users:read", "platform:*"]}]}`), &cfg, config.Options{Name: "p.yaml"})
		root := doc.Report("")
		built := gateway.BuildSite(gateway.SiteInput{
			Name: "default", Default: true, Tenant: "acme", Identity: id, Book: policy.NewBook(&cfg, root), Surfaces: s.svc.Guard(append(s.svc.Routes(), open())),
			At: root, Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
		})
		s.snap = gateway.NewSnapshot(built, nil)
		s.snap.Tenants = policy.NewTenants(nil, []policy.Provider{{Name: "jwt", Kind: "jwt"}}, root)
		s.snap.Trusted = client.Compile(nil, root)
		s.snap.Directory = s.dir
		if doc.Failed() {
			t.Fatalf("the site has problems: %v", doc.Problems())
		}
		s.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: time.Now}
		fn(t, s)
	})
}

// open is an operation that the anonymous may call.
func open() gateway.SurfaceRoute {
	return gateway.SurfaceRoute{Method: "GET", Path: "/open", Public: true, Op: gateway.Operation{Surface: "tests", Name: "look", Tenant: true,
		Run: func(_ context.Context, c *gateway.Call) (request.Reply, error) {
			return gateway.JSON(200, c.Tenant), nil
		}}}
}

// Whom an operation is about exists, and lets the anonymous in.
func TestTheTenantThatACallIsAbout(t *testing.T) {
	serve(t, func(t *testing.T, s *site) {
		if status, got := s.ask("", "GET /open", ""); status != 200 || got != `"acme"` {
			t.Errorf("the site's tenant: %d %s", status, got)
		}
		s.add(t, "main", NewUser{Bound: Binding{Provider: "jwt", Subject: "ops@main"}, Roles: []string{"ops"}})
		for _, line := range []string{"GET /tenant/users", "GET /tenant/config", "GET /open"} {
			if status, got := s.ask("ops@main", line, "", "X-Tenant-ID: nowhere"); status != 404 {
				t.Errorf("%s of a tenant that does not exist: %d %s", line, status, got)
			}
			if status, got := s.ask("ops@main", line, "", "X-Tenant-ID: acme"); status != 200 {
				t.Errorf("%s of another: %d %s", line, status, got)
			}
		}
		if err := s.svc.SetDisabled(t.Context(), host(), "acme", true); err != nil {
			t.Fatal(err)
		}
		if status, got := s.ask("", "GET /open", ""); status != 403 {
			t.Errorf("the site's tenant, disabled: %d %s", status, got)
		}
		if status, got := s.ask("ops@main", "GET /tenant/users", "", "X-Tenant-ID: acme"); status != 200 {
			t.Errorf("who answers for all tenants, in a disabled one: %d %s", status, got)
		}
	})
}

// as is a token with a role in a tenant; "" is nobody.
func (s *site) as(who string) string {
	if who == "" {
		return ""
	}
	role, tenant, _ := strings.Cut(who, "@")
	return must(s.sign.Sign("JWT", map[string]any{"sub": who, "exp": time.Now().Add(time.Hour).Unix(), "role": role, "tenant_id": tenant}))
}

var asked atomic.Int64

// ask sends a request: "POST /tenant/users", as "clerk@acme".
func (s *site) ask(who, line, body string, fields ...string) (int, string) {
	s.t.Helper()
	s.poll(s.t)
	method, target, _ := strings.Cut(line, " ")
	a := gateway.Arrival{ID: fmt.Sprint("req-", asked.Add(1)), Method: method, Target: target, Host: "api.example.com", Received: time.Now(), HasBody: body != "",
		Peer: netip.MustParseAddrPort("203.0.113.9:4711")}
	a.Header = append(a.Header, field("Host: api.example.com"))
	if token := s.as(who); token != "" {
		a.Header = append(a.Header, field("Authorization: Bearer "+token))
	}
	for _, f := range fields {
		a.Header = append(a.Header, field(f))
	}
	x := &gateway.Exchange{}
	v := s.gate.Ask(s.t.Context(), s.snap, x, a)
	f := v.Fault
	if v.Kind == gateway.Allow {
		c, fc := x.Call([]byte(body), time.Now(), "d")
		if f = fc; f == nil {
			reply, err := x.Operation().Run(s.t.Context(), c)
			if err == nil {
				return reply.Status, strings.TrimSpace(string(reply.Body))
			}
			f = gateway.OperationFault(err)
		}
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		s.t.Fatalf("%s: %v", line, f)
	}
	reply := gateway.Flat(f, "req", "d")
	return reply.Status, strings.TrimSpace(string(reply.Body))
}

func TestUsersByHTTP(t *testing.T) {
	serve(t, func(t *testing.T, s *site) {
		status, body := s.ask("admin@acme", "POST /tenant/users", `{"email":"Alice@Example.com","role":"clerk","name":"Alice"}`)
		var u UserView
		if err := json.Unmarshal([]byte(body), &u); status != 201 || err != nil || u.Email != "Alice@Example.com" || u.Role != "clerk" || !strings.HasPrefix(u.ID, "usr_") {
			t.Fatalf("%d %s %v", status, body, err)
		}
		one := "/tenant/users/" + u.ID
		for _, c := range []struct {
			who, line, body string
			status          int
			has             string
		}{
			{"", "GET /tenant/users", "", 401, ""},
			{"user@acme", "GET /tenant/users", "", 403, ""},
			{"reader@acme", "GET /tenant/users", "", 200, `"pagination":{"limit":20,"offset":0,"total":1}`},
			{"reader@acme", "GET /tenant/users?limit=1&offset=1", "", 200, `{"data":[],"pagination":{"limit":1,"offset":1,"total":1}}`},
			{"reader@acme", "GET /tenant/users?limit=101", "", 400, "limit"},
			{"reader@main", "GET /tenant/users", "", 200, `{"data":[],`},
			{"reader@acme", "GET " + one, "", 200, `"roles":["clerk"]`},
			{"admin@main", "GET " + one, "", 404, "User not found"},
			{"admin@main", "PATCH " + one, `{"name":"x"}`, 404, "User not found"},
			{"admin@main", "DELETE " + one, "", 404, "User not found"},
			{"reader@acme", "PATCH " + one, `{"name":"x"}`, 403, ""},
			{"reader@acme", "POST /tenant/users", `{"email":"b@example.com"}`, 403, ""},
			{"clerk@acme", "POST /tenant/users", `{"email":"alice@example.COM"}`, 409, "e-mail"},
			{"clerk@acme", "POST /tenant/users", `{"email":"x"}`, 400, `"field":"email"`},
			{"clerk@acme", "POST /tenant/users", `{}`, 400, `"field":"email"`},
			{"clerk@acme", "POST /tenant/users", `{"email":"a@example.com","email":"b@example.com"}`, 400, "email"},
			{"clerk@acme", "POST /tenant/users", `{"email":"b@example.com","role":"admin"}`, 403, ""},
			{"clerk@acme", "POST /tenant/users", `{"serviceToken":"ci.access"}`, 201, `"roles":[]`},
			{"clerk@acme", "PATCH " + one, `{"roles":["admin"]}`, 403, ""},
			{"clerk@acme", "PATCH " + one, `{"email":"clerk@example.com"}`, 403, ""},
			{"clerk@acme", "PATCH " + one, `{"name":"A."}`, 200, `"name":"A."`},
			{"clerk@acme", "PATCH " + one, `{"disabled":true}`, 200, `"disabled":true`},
			{"admin@acme", "PATCH " + one, `{"disabled":false,"role":""}`, 200, `"roles":[]`},
			{"clerk@acme", "PATCH " + one, `{"tenant":"main","id":"usr_x"}`, 200, u.ID},
			{"clerk@acme", "DELETE " + one, "", 204, ""},
			{"clerk@acme", "DELETE " + one, "", 404, "User not found"},
		} {
			if status, body := s.ask(c.who, c.line, c.body); status != c.status || !strings.Contains(body, c.has) {
				t.Errorf("%s: %s %s: %d %s; want %d with %s", c.who, c.line, c.body, status, body, c.status, c.has)
			}
		}
		if status, _ := s.ask("admin@acme", "GET /tenant/users", "", "X-Tenant-ID: main"); status != 403 {
			t.Errorf("another tenant by header: %d", status)
		}
		if status, body := s.ask("admin@nowhere", "GET /tenant/users", ""); status != 403 {
			t.Errorf("a tenant that does not exist: %d %s", status, body)
		}
	})
}

func TestTheTenantsOwnLimitCounts(t *testing.T) {
	serve(t, func(t *testing.T, s *site) {
		for _, c := range []struct {
			who, line, body string
			status          int
			has             string
		}{
			{"reader@acme", "GET /tenant/config", "", 200, `{"rateLimit":null}`},
			{"reader@acme", "POST /tenant/config", `{"rateLimit":null}`, 403, ""},
			{"clerk@acme", "POST /tenant/config", `{"routes":[],"rateLimit":null,"credentials":{}}`, 400, `"field":"credentials"`},
			{"clerk@acme", "POST /tenant/config", `{"routes":[]}`, 400, `"field":"routes"`},
			{"clerk@acme", "POST /tenant/config", `{}`, 400, `"field":"rateLimit"`},
			{"clerk@acme", "POST /tenant/config", `{"rateLimit":5}`, 400, `"field":"rateLimit"`},
			{"clerk@acme", "POST /tenant/config", `{"rateLimit":{"max":5}}`, 400, `rateLimit.windowMs`},
			{"clerk@acme", "POST /tenant/config", `{"rateLimit":{"max":0,"windowMs":1000}}`, 400, `rateLimit.max`},
			{"clerk@acme", "POST /tenant/config", `{"rateLimit":{"max":1,"windowMs":1000,"by":"ip"}}`, 400, `rateLimit.by`},
			{"clerk@acme", "POST /tenant/config", `{"rateLimit":{"max":3,"windowMs":60000}}`, 200, `"success":true`},
			{"reader@acme", "GET /tenant/config", "", 200, `{"rateLimit":{"windowMs":60000,"max":3}}`},
			{"clerk@acme", "GET /tenant/users", "", 200, ""},
			{"admin@acme", "GET /tenant/users", "", 200, ""},
			{"reader@acme", "GET /tenant/users", "", 429, ""},
			{"reader@main", "GET /tenant/users", "", 200, ""},
		} {
			if status, body := s.ask(c.who, c.line, c.body); status != c.status || !strings.Contains(body, c.has) {
				t.Errorf("%s: %s %s: %d %s; want %d with %s", c.who, c.line, c.body, status, body, c.status, c.has)
			}
		}
	})
}

// No answer says what only the log may know.
func TestBadInputTellsNothing(t *testing.T) {
	serve(t, func(t *testing.T, s *site) {
		for _, line := range []string{"GET /tenant/users/%27%3B--", "PATCH /tenant/users/a%00b", "DELETE /tenant/users/" + strings.Repeat("x", 5000), "POST /tenant/users", "POST /tenant/config"} {
			for _, body := range []string{"", "{", "[]", `{"email":"\u0000@x"}`, `{"email":7}`, `{"roles":"admin"}`, `{"name":"` + strings.Repeat("x", 300) + `"}`} {
				status, text := s.ask("admin@acme", line, body)
				for _, leak := range []string{"sql", ".go:", "goroutine", "SQLSTATE", sharedSecret} {
					if strings.Contains(strings.ToLower(text), leak) || status >= 500 {
						t.Errorf("%s %q: %d %s", line, body, status, text)
					}
				}
			}
		}
	})
}

func field(s string) request.Field {
	name, value, _ := strings.Cut(s, ": ")
	return request.Field{Name: name, Value: value}
}

func TestUsersAreSoughtByHTTP(t *testing.T) {
	serve(t, func(t *testing.T, s *site) {
		s.add(t, "acme", NewUser{ID: "u1", Email: "Alice@Example.com", Name: "Alice of 100%", Roles: []string{"clerk", "reader"}})
		s.add(t, "acme", NewUser{ID: "u2", Email: "bob_b@example.com", Roles: []string{"reader"}, Disabled: true})
		s.add(t, "acme", NewUser{ID: "u3", ServiceToken: "CI.access"})
		s.add(t, "acme", NewUser{ID: "u4", Bound: Binding{Provider: "jwt", Subject: "carol"}, Roles: []string{"clerk"}})
		s.add(t, "main", NewUser{ID: "u5", Email: "alice@example.com", Roles: []string{"clerk"}})
		for query, want := range map[string]string{
			"": "u1 u2 u3 u4", "search=EXAMPLE": "u1 u2", "search=alice": "u1", "search=100%25": "u1", "search=_b%40": "u2", "search=%25": "u1", "search=ci.": "u3",
			"search=carol": "u4", "search=u3": "u3", "search=nobody": "", "role=clerk": "u1 u4", "role=reader": "u1 u2", "role=none": "", "state=disabled": "u2",
			"state=active": "u1 u3 u4", "role=reader&state=active": "u1", "role=clerk&search=car": "u4", "search=%27%3B--": "",
		} {
			status, body := s.ask("reader@acme", "GET /tenant/users?"+query, "")
			var list struct {
				Data       []UserView
				Pagination struct{ Total int }
			}
			if err := json.Unmarshal([]byte(body), &list); status != 200 || err != nil {
				t.Fatalf("%s: %d %s", query, status, body)
			}
			var got []string
			for _, u := range list.Data {
				got = append(got, u.ID)
				if u.ID == "u1" && strings.Join(u.Roles, " ") != "clerk reader" {
					t.Errorf("%q: roles %v", query, u.Roles)
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want || list.Pagination.Total != len(got) {
				t.Errorf("%q lists %v of %d, want %s", query, got, list.Pagination.Total, want)
			}
		}
		for _, query := range []string{"state=lost", "search=a&search=b", "search=" + strings.Repeat("x", 201)} {
			if status, _ := s.ask("reader@acme", "GET /tenant/users?"+query, ""); status != 400 {
				t.Errorf("%s: %d", query, status)
			}
		}
	})
}
