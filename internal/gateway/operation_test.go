package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// echo answers with what the call is about.
func echo(_ context.Context, c *Call) (request.Reply, error) {
	id, _ := c.Params.Get("id")
	return JSON(200, map[string]any{"tenant": c.Tenant, "id": id, "body": string(c.Body), "by": c.Actor().ID}), nil
}

func shouting(f *fault.Error, id, decision string) request.Reply {
	return request.Reply{Status: f.Kind.Status(), Header: FaultHeaders(f, decision), Body: []byte("SHOUT " + f.Code)}
}

// things is a surface with operations of every sort.
func things() []SurfaceRoute {
	needs := func(p string) policy.Requirements {
		return policy.Requirements{RequiredPermissions: config.List[string]{p}}
	}
	op := func(name string) Operation {
		return Operation{Surface: "things", Name: name, Tenant: true, MaxBody: 100, Run: echo}
	}
	list, make_, open, ingest, rude := op("list things"), op("make a thing"), op("see what is public"), op("take in"), op("be rude")
	open.Tenant = false
	rude.Shape = shouting
	rude.Run = func(context.Context, *Call) (request.Reply, error) {
		return request.Reply{}, fmt.Errorf("what was tried: %w", fault.New(fault.Forbidden, "rude", "No"))
	}
	return []SurfaceRoute{
		{Method: "GET", Path: "/things", Require: needs("things:read"), Op: list},
		{Method: "post", Path: "/things/:id", Require: needs("things:write"), Op: make_},
		{Method: "GET", Path: "/public", Public: true, Op: open},
		{Method: "POST", Path: "/ingest", Require: policy.Requirements{AuthProvider: config.List[string]{"machine"}, RequiredPermissions: config.List[string]{"machine:ingest"}}, Op: ingest},
		{Method: "GET", Path: "/rude", Op: rude},
	}
}

// surfaced is a rig whose sites have the surface.
func surfaced(t testing.TB, text string) *rig {
	t.Helper()
	return loadWith(t, text, func(in *SiteInput) { in.Surfaces = things() })
}

const withThings = `
tenant: front
cors: {origins: ["https://app.example.com"]}
rateLimit: {perEndpoint: {"/rude": {windowMs: 60000, max: 1}}}
rbac: {enabled: false, roles: [{name: editor, permissions: ["things:*"]}, {name: super, permissions: ["things:*", "platform:*"]}]}
routes: [{path: /*, method: any, response: file}]`

func TestOperationsOfASurface(t *testing.T) {
	t.Parallel()
	g := surfaced(t, withThings)
	g.snap.Directory = &people{known: map[string]*policy.Known{
		"root":    {Tenant: "acme", Roles: []string{"super"}},
		"roaming": {Roles: []string{"super"}},
		"nobody":  {Roles: []string{"editor"}, Why: "no row"},
	}}
	as := func(sub string) string { return bearer(alice.with("sub", sub)) }
	for _, c := range []struct {
		name, line string
		fields     []string
		status     int
		want       string // in the body
	}{
		{"allowed", "GET /things", []string{as("alice")}, 200, `{"body":"in","by":"alice","id":"","tenant":"main"}`},
		{"HEAD under GET's requirement", "HEAD /things", []string{as("alice")}, 200, ""},
		{"with a parameter", "POST /things/7", []string{as("alice")}, 200, `"id":"7"`},
		{"nobody", "GET /things", nil, 401, `"error":"Unauthorized"`},
		{"without the permission", "GET /things", []string{bearer(alice.with("role", "viewer"))}, 403, "Insufficient permissions"},
		{"another method", "DELETE /things", []string{as("alice")}, 405, "Method Not Allowed"},
		{"a path beside it is the file's", "GET /things/7/x", nil, 200, "file"},
		{"public, anonymous: the site's tenant", "GET /public", nil, 200, `"tenant":"front"`},
		{"public, with a bad credential", "GET /public", []string{"Authorization: Bearer x"}, 401, ""},
		{"for machines on a site without", "POST /ingest", []string{as("alice")}, 401, ""},
		{"no tenant", "GET /things", []string{as("nobody")}, 403, "Insufficient permissions"},
		{"its own tenant by name", "GET /things", []string{as("alice"), "X-Tenant-ID: main"}, 200, `"tenant":"main"`},
		{"another's", "GET /things", []string{as("alice"), "X-Tenant-ID: acme"}, 403, "Insufficient permissions"},
		{"another's, in other letters", "GET /things", []string{as("alice"), "x-tenant-id: Main"}, 403, ""},
		{"an empty one", "GET /things", []string{as("alice"), "X-Tenant-ID: "}, 403, ""},
		{"twice", "GET /things", []string{as("alice"), "X-Tenant-ID: main", "x-tenant-id: main"}, 400, "More than one X-Tenant-ID"},
		{"an operator's choice", "GET /things", []string{as("root"), "X-Tenant-ID: other"}, 200, `"tenant":"other"`},
		{"an operator's own", "GET /things", []string{as("root")}, 200, `"tenant":"acme"`},
		{"an operator without tenant", "GET /things", []string{as("roaming")}, 403, ""},
		{"who names one", "GET /things", []string{as("roaming"), "X-Tenant-ID: other"}, 200, `"tenant":"other"`},
		{"anonymous, another's", "GET /public", []string{"X-Tenant-ID: acme"}, 403, ""},
		{"multipart", "POST /things/7", []string{as("alice"), "Content-Type: multipart/form-data; boundary=x"}, 400, "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.send(arrival(c.line, c.fields...), "in")
			if got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("%d %s %s %v", got.status, got.code, got.body, got.steps)
			}
			if got.status == 200 && got.body != "file" && got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
	if steps := fmt.Sprint(g.ask("GET /things", as("nobody")).steps); !strings.Contains(steps, "no row") || !strings.Contains(steps, "tenants.defaultFor") {
		t.Errorf("the trace does not say why there is no tenant: %s", steps)
	}
	if got := g.ask("GET /things", as("alice"), "Origin: https://app.example.com"); got.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("CORS of the site: %v", got.header)
	}
	if got := g.ask("OPTIONS /things", "Origin: https://app.example.com", "Access-Control-Request-Method: GET"); got.status != 204 || got.header.Get("Access-Control-Allow-Methods") != "GET, HEAD" {
		t.Errorf("a preflight: %d %v", got.status, got.header)
	}
}

// A body that names a tenant means the one that the call acts in, or is refused.
func TestATenantNamedByABody(t *testing.T) {
	t.Parallel()
	g := surfaced(t, withThings)
	g.snap.Directory = &people{known: map[string]*policy.Known{"alice": {Tenant: "acme", Roles: []string{"editor"}}}}
	x := g.ask("POST /things/7", bearer(alice)).x
	for body, want := range map[string]string{
		`{"tenantId":"acme"}`:                       "",
		`{"tenant_id":"acme","tenantId":"acme"}`:    "",
		`{"name":"tenantId","in":{"tenantId":"x"}}`: "",
		`{"tenantId":7}`:                            "",
		`{"tenantId":`:                              "",
		`{"tenantId":"other"}`:                      "tenant_mismatch",
		`{"tenant_id":""}`:                          "tenant_mismatch",
		`{"tenant_id":"acme","tenantId":"other"}`:   "tenant_mismatch",
	} {
		_, f := x.Call([]byte(body), clock, "d")
		got := ""
		if f != nil {
			got = f.Code
		}
		if got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}

func TestAnOperationsOwnRefusalAndShape(t *testing.T) {
	t.Parallel()
	g := surfaced(t, withThings)
	for i, want := range []string{"403 SHOUT rude", "429 SHOUT rate_limited"} {
		if got := g.ask("GET /rude", bearer(alice)); fmt.Sprint(got.status, " ", got.body) != want {
			t.Errorf("request %d: %d %s", i, got.status, got.body)
		}
	}
	for line, want := range map[string]string{"GET /rude": "401 SHOUT token_expired", "DELETE /rude": "405 SHOUT method_not_allowed"} {
		got := g.send(fromAnother(arrival(line, bearer(alice.with("exp", clock.Unix()-1000)))), "")
		if fmt.Sprint(got.status, " ", got.body) != want {
			t.Errorf("%s: %d %s", line, got.status, got.body)
		}
	}
}

func fromAnother(a Arrival) Arrival {
	a.Peer = addrPort("198.51.100.1:1")
	return a
}

func TestWhoActs(t *testing.T) {
	t.Parallel()
	g := surfaced(t, withThings)
	g.snap.Directory = &people{known: map[string]*policy.Known{"alice": {Tenant: "acme", UserID: "u1"}}}
	ip := netip.MustParseAddr("203.0.113.9")
	for name, c := range map[string]struct {
		credential string
		want       audit.Actor
	}{
		"a user": {bearer(alice.with("email", "Alice@Example.com")), audit.Actor{Kind: "user", Provider: "jwt", ID: "alice", UserID: "u1", Email: "alice@example.com", IP: ip}},
		"nobody": {"Accept: */*", audit.Actor{Kind: "anonymous", IP: ip}},
	} {
		call, f := g.ask("GET /public", c.credential).x.Call(nil, clock, "d")
		if f != nil {
			t.Fatal(f)
		}
		if d := cmp.Diff(c.want, call.Actor(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestFaultsOfOperations(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"operation_time": fmt.Errorf("read: %w", context.DeadlineExceeded),
		"internal":       errors.New("sql: boom"),
		"taken":          fmt.Errorf("make: %w", fault.New(fault.Conflict, "taken", "")),
		"known":          fault.Wrap(fault.BadRequest, "known", "", context.DeadlineExceeded),
	} {
		if got := OperationFault(err); got.Code != want {
			t.Errorf("%v is %s", err, got.Code)
		}
	}
}

// One path pattern is one's alone.
func TestTwoClaimsOnOnePath(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		change func(*SiteInput)
		want   string // in the problems; "": it loads
	}{
		"the file's beside it":         {`routes: [{path: /things/a, method: get, response: x}]`, nil, ""},
		"the same path and method":     {`routes: [{path: /things, method: get, response: x}]`, nil, "routes[0].path: GET things (/things) and routes[0] (/things) claim one path pattern"},
		"another method":               {`routes: [{path: /ok, method: get, response: x}, {path: /things, method: delete, response: x}]`, nil, "routes[1].path: GET things (/things) and routes[1] (/things)"},
		"another name for a parameter": {`routes: [{path: "/things/:name", method: get, response: x}]`, nil, "POST things (/things/:id) and routes[0] (/things/:name)"},
		"of a site": {`sites: [{hosts: [a.example.com], routes: [{path: /public, method: any, response: x}]}]`, nil,
			"sites[0].routes[0].path: GET things (/public) and a.example.com routes[0] (/public)"},
		"two surfaces": {`{}`, func(in *SiteInput) {
			in.Surfaces = append(in.Surfaces, SurfaceRoute{Method: "PUT", Path: "/things", Op: Operation{Surface: "others", Run: echo}})
		}, "PUT others (/things) and things (/things)"},
		"one surface twice": {`{}`, func(in *SiteInput) { in.Surfaces = append(in.Surfaces, in.Surfaces[0]) }, "things (/things): ties with things (/things)"},
		"a path that is none": {`{}`, func(in *SiteInput) {
			in.Surfaces = append(in.Surfaces, SurfaceRoute{Method: "PUT", Path: "things", Op: Operation{Surface: "others", Run: echo}})
		}, "others: things: a path begins with"},
		"an unknown permission": {`{}`, func(in *SiteInput) { in.Surfaces[0].Require.RequiredPermissions = config.List[string]{"x"} }, "not a permission"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := loadWith(t, c.text, func(in *SiteInput) {
				in.Surfaces = things()
				if c.change != nil {
					c.change(in)
				}
			})
			if ok := strings.HasPrefix(g.problems, "warnings only:"); ok != (c.want == "") || !strings.Contains(g.problems, c.want) {
				t.Errorf("got\n%s\nwant %s", g.problems, c.want)
			}
		})
	}
}

func TestTheInventoryOfASurface(t *testing.T) {
	t.Parallel()
	g := surfaced(t, `{}`)
	var got []string
	for _, r := range g.snap.standard.Table.Sorted() {
		if op, ok := r.Answer.(*Operation); ok {
			got = append(got, fmt.Sprint(r.Methods[0], " ", r.Pattern.Text, " ", op.Surface, ": ", strings.Join(r.Requirement.Describe(), "; ")))
		}
	}
	want := []string{
		"POST /ingest things: signed in by machine; permission machine:ingest", "GET /public things: ", "GET /rude things: signed in",
		"GET /things things: signed in; permission things:read", "POST /things/:id things: signed in; permission things:write",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s := g.snap.standard; s.Empty || !cmp.Equal(s.Surfaces(), []string{"things"}) {
		t.Errorf("empty %v, surfaces %v", s.Empty, s.Surfaces())
	}
}

// With auth: none a surface that asks refuses everybody, and a public one is open.
func TestASurfaceWithoutAuthentication(t *testing.T) {
	t.Parallel()
	g := surfaced(t, `auth: none`)
	for line, want := range map[string]int{"GET /things": 401, "GET /public": 200} {
		if got := g.ask(line, bearer(alice)); got.status != want {
			t.Errorf("%s: %d", line, got.status)
		}
	}
}
