package gateway

import (
	"context"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// curt tells faults by their code alone, and forgets the decision's id.
func curt(f *fault.Error, _, _ string) request.Reply {
	return request.Reply{Status: f.Kind.Status(), Header: request.Header{{Name: "Content-Type", Value: "text/plain"}}, Body: []byte(f.Code)}
}

// bought is the surface of an owned site.
func bought() []SurfaceRoute {
	op := func(name string) Operation {
		return Operation{Surface: "shop", Name: name, MaxBody: 100, Run: func(_ context.Context, c *Call) (request.Reply, error) {
			rest, _ := c.Params.Get("*")
			return request.Reply{Status: 200, Body: []byte(c.View.Method + " " + rest + " " + string(c.Body) + " " + c.View.Client.String())}, nil
		}}
	}
	broken := op("broken")
	broken.Run = func(context.Context, *Call) (request.Reply, error) {
		return request.Reply{}, fault.New(fault.Forbidden, "sold_out", "")
	}
	return []SurfaceRoute{
		{Method: "POST", Path: "/buy", Anonymous: true, OtherSites: true, Op: op("buy")},
		{Method: "GET", Path: "/look", Anonymous: true, OtherSites: true, Op: op("look")},
		{Method: "GET", Path: "/same", Anonymous: true, Op: op("look from here")},
		{Method: "POST", Path: "/here", Anonymous: true, Op: op("buy from here")},
		{Method: "GET", Path: "/broken", Anonymous: true, OtherSites: true, Op: broken},
		{Method: "any", Path: "/all/*", Anonymous: true, OtherSites: true, Op: op("whatever")},
	}
}

func owned(t testing.TB, text string, o Owner) *rig {
	t.Helper()
	o.Surface, o.Shape = "shop", curt
	return loadWith(t, text, func(in *SiteInput) {
		if in.Name != "default" {
			in.Owner, in.Surfaces = &o, bought()
			in.Pages = &Pages{Paths: []string{"/docs"}}
		}
	})
}

const shopFile = `
strictness: report
pathCase: fold
rateLimit: {perEndpoint: {"/look": {windowMs: 60000, max: 2}}}
routes: [{path: /free, method: get, response: file}]
sites:
- {hosts: [shop.example.com], strictness: report, dotSegments: resolve, pathCase: fold, rateLimit: {perEndpoint: {"/look": {windowMs: 60000, max: 2}}}, routes: [{path: /mine, method: get, response: file}]}`

func TestASiteThatASurfaceOwns(t *testing.T) {
	t.Parallel()
	g := owned(t, shopFile, Owner{ExactMethods: true})
	const foreign = "Origin: https://evil.example"
	for _, c := range []struct {
		name, line, body string
		fields           []string
		status           int
		want             string
	}{
		{"its operation", "POST shop.example.com/buy", "x", nil, 200, "POST  x 203.0.113.9"},
		{"a body that names a tenant", "POST shop.example.com/buy", `{"tenantId":"acme"}`, nil, 200, `{"tenantId":"acme"}`},
		{"a body that says multipart", "POST shop.example.com/buy", `{}`, []string{"Content-Type: multipart/form-data; boundary=x"}, 200, `{}`},
		{"a tenant in the head", "POST shop.example.com/buy", "", []string{"X-Tenant-ID: a", "X-Tenant-ID: b"}, 200, "POST"},
		{"a page of another site, with a cookie", "POST shop.example.com/buy", "", []string{foreign, "Cookie: __Host-portreeve=x", "Sec-Fetch-Site: cross-site"}, 200, "POST"},
		{"where that matters", "POST shop.example.com/here", "", []string{foreign, "Cookie: CF_Authorization=" + accessToken(), "Sec-Fetch-Site: cross-site"}, 403, "cross_site"},
		{"any method", "PUT shop.example.com/all/a/b", "", nil, 200, "PUT a/b"},
		{"a preflight that nobody answers for it", "OPTIONS shop.example.com/all/x", "", []string{foreign, "Access-Control-Request-Method: GET"}, 200, "OPTIONS"},
		{"but TRACE", "TRACE shop.example.com/all/a", "", nil, 405, "method_not_allowed"},
		{"HEAD is no GET", "HEAD shop.example.com/same", "", nil, 405, "method_not_allowed"},
		{"an unknown path", "GET shop.example.com/", "", nil, 404, "no_route"},
		{"a path is exact", "POST shop.example.com/buy/", "", nil, 404, "no_route"},
		{"and its case", "POST shop.example.com/BUY", "", nil, 404, "no_route"},
		{"health", "GET shop.example.com/health", "", nil, 404, "no_route"},
		{"whoami", "GET shop.example.com/.portreeve/whoami", "", nil, 404, "no_route"},
		{"documentation", "GET shop.example.com/docs", "", nil, 404, "no_route"},
		{"a route of the file", "GET shop.example.com/mine", "", nil, 404, "no_route"},
		{"a path with two readings", "POST shop.example.com//buy", "", nil, 404, "bad_path"},
		{"dots", "POST shop.example.com/a/../buy", "", nil, 404, "bad_path"},
		{"an encoded slash", "PUT shop.example.com/all/a%2Fb", "", nil, 404, "bad_path"},
		{"a broken escape", "GET shop.example.com/%zz", "", nil, 404, "bad_path"},
		{"a refusal of its own, to a browser", "GET shop.example.com/broken", "", []string{"Accept: text/html", "Sec-Fetch-Mode: navigate"}, 403, "sold_out"},
		{"the site beside it", "GET /free", "", nil, 200, "file"},
		{"in its own shape", "GET /other", "", nil, 404, `"error":"Not Found"`},
		{"a host that is none", "GET bad host/", "", nil, 400, `"error"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.send(arrival(c.line, c.fields...), c.body)
			if got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("%d %s %v", got.status, got.body, got.steps)
			}
			if strings.Contains(c.line, "shop.") && got.status >= 400 && (got.body != c.want || got.header.Get("X-Portreeve-Decision") != "decision-1") {
				t.Errorf("not in the owner's shape, or without the decision: %q %v", got.body, got.header)
			}
		})
	}
	for range 2 {
		g.ask("GET shop.example.com/look")
	}
	if got := g.ask("GET shop.example.com/look"); got.status != 429 || got.body != "rate_limited" {
		t.Errorf("over a limit: %d %s", got.status, got.body)
	}
	if f := g.ask("GET shop.example.com/buy"); f.status != 405 || f.code != "method_not_allowed" {
		t.Errorf("another method: %d %s", f.status, f.code)
	}
	if e := g.snap.named[0].Table.Find(request.ParseTarget("/look", request.PathRules{}, nil).Path, &Params{}); strings.Join(e.Allow(), " ") != "GET" {
		t.Errorf("Allow lists %v", e.Allow())
	}
}

func TestAnOwnedSiteThatAnswersHEADAndTakesEncodedSlashes(t *testing.T) {
	t.Parallel()
	g := owned(t, shopFile, Owner{EncodedSlash: true})
	for line, want := range map[string]int{"HEAD shop.example.com/same": 200, "GET shop.example.com/all/a%2Fb": 200, "GET shop.example.com/all/a;b": 404} {
		if got := g.ask(line); got.status != want {
			t.Errorf("%s: %d", line, got.status)
		}
	}
}

func TestWhoeverIsTurnedAwayAtTheDoorHearsTheOwner(t *testing.T) {
	t.Parallel()
	g := owned(t, shopFile, Owner{})
	told := func(host, serverName string) string {
		x := &Exchange{}
		g.snap.Greet(x, host, serverName)
		return string(x.Fault(fault.New(fault.Unavailable, "busy", ""), "id", "").Body)
	}
	for _, c := range [][3]string{
		{"shop.example.com", "", "busy"}, {"", "shop.example.com", "busy"}, {"SHOP.example.com:443", "other", "busy"},
		{"other", "shop.example.com", "Service Unavailable"}, {"", "", "Service Unavailable"},
	} {
		if got := told(c[0], c[1]); !strings.Contains(got, c[2]) {
			t.Errorf("host %q, server name %q: %s", c[0], c[1], got)
		}
	}
	alone := loadWith(t, `{}`, func(in *SiteInput) { in.Owner, in.Surfaces = &Owner{Surface: "shop", Shape: curt}, bought() })
	x := &Exchange{}
	alone.snap.Greet(x, "", "")
	if got := string(x.Fault(fault.New(fault.HeadTooLarge, "bad_head", ""), "id", "").Body); got != "bad_head" {
		t.Errorf("the only site there is: %s", got)
	}
	if got := alone.ask("GET a b/"); got.body != "bad_host" {
		t.Errorf("a host that is none: %s", got.body)
	}
}

func TestAMethodCalledAnyIsOneForAll(t *testing.T) {
	t.Parallel()
	g := loadWith(t, `{}`, func(in *SiteInput) {
		in.Surfaces = []SurfaceRoute{{Method: "Any", Path: "/x", Public: true, Require: policy.Requirements{}, Op: Operation{Surface: "s", Run: echo}}}
	})
	for _, m := range []string{"GET", "HEAD", "POST", "PATCH", "OPTIONS"} {
		if got := g.ask(m + " /x"); got.status != 200 {
			t.Errorf("%s: %d", m, got.status)
		}
	}
}

func TestAnOwnersFieldsGoWithEveryAnswer(t *testing.T) {
	t.Parallel()
	g := owned(t, "cors: {origins: [https://app.example.com]}\n"+shopFile, Owner{Headers: func(v *request.View) request.Header {
		return request.Header{{Name: "X-Shop", Value: v.Header.Get("Origin")}}
	}})
	const origin = "Origin: https://app.example.com"
	for line, want := range map[string]int{"POST shop.example.com/buy": 200, "GET shop.example.com/broken": 403, "GET shop.example.com/": 404, "PUT shop.example.com/all/a%2Fb": 404,
		"PATCH shop.example.com/buy": 405, "OPTIONS shop.example.com/all/a": 200} {
		got := g.ask(line, origin, "Access-Control-Request-Method: POST")
		if got.status != want || got.header.Get("X-Shop") != "https://app.example.com" || got.header.Has("Access-Control-Allow-Origin") || got.header.Has("Vary") {
			t.Errorf("%s: %d %v", line, got.status, got.header)
		}
	}
}
