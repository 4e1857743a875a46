package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// asking is what a page does with its call.
type asking func(ctx context.Context, c *Call)

// readers are pages that do what a test says, and operations beside those of
// things that they may ask.
func readers(do *asking) []SurfaceRoute {
	page := Operation{Surface: "portal", Name: "a page", HTML: true, MaxBody: 100, Run: func(ctx context.Context, c *Call) (request.Reply, error) {
		(*do)(ctx, c)
		return request.Reply{Status: 200, Body: []byte("page")}, nil
	}}
	op := func(name string, most int64, run func(context.Context, *Call) (request.Reply, error)) Operation {
		return Operation{Surface: "desk", Name: name, MaxBody: most, Run: run}
	}
	show := func(_ context.Context, c *Call) (request.Reply, error) {
		h := c.View.Header
		return JSON(200, map[string]any{"method": c.View.Method, "path": c.View.Path.String(), "query": c.View.Query, "host": h.Get("Host"), "body": string(c.Body),
			"has": c.View.HasBody, "type": h.Values("Content-Type"), "length": h.Get("Content-Length"), "range": h.Get("Range"), "if": h.Get("If-None-Match"), "match": h.Values("If-Match"),
			"mfa": h.Values("X-Portreeve-MFA"), "tenant": c.Tenant, "by": c.Actor().ID, "id": c.View.ID, "decision": c.Decision}), nil
	}
	says := func(reply request.Reply, err error) func(context.Context, *Call) (request.Reply, error) {
		return func(context.Context, *Call) (request.Reply, error) { return reply, err }
	}
	needs := policy.Requirements{RequiredPermissions: config.List[string]{"things:write", "desk:write"}}
	row := template.Parse("{{params.id}}")
	factor := policy.Requirements{RequireMFA: &policy.MFAConfig{}}
	return []SurfaceRoute{
		{Method: "GET", Path: "/.portreeve/page", Op: page},
		{Method: "POST", Path: "/.portreeve/page", Op: page},
		{Method: "POST", Path: "/.portreeve/open-page", OtherSites: true, Anonymous: true, Op: page},
		{Method: "any", Path: "/.portreeve/show", Op: op("show", 100, show)},
		{Method: "POST", Path: "/.portreeve/unread", Op: op("read nothing", 0, show)},
		{Method: "POST", Path: "/.portreeve/both", Require: needs, Op: op("do both", 0, show)},
		{Method: "POST", Path: "/.portreeve/factor", Require: factor, Op: op("ask for a factor", 0, show)},
		{Method: "POST", Path: "/.portreeve/own-factor", Op: op("ask by itself", 0, says(request.Reply{}, fault.New(fault.Forbidden, policy.CodeMFA, "")))},
		{Method: "GET", Path: "/.portreeve/row/:id", Require: policy.Requirements{Resource: &policy.ResourceConfig{Collection: "agents", ID: &row, Role: "admin"}}, Op: op("see a row", 0, show)},
		{Method: "GET", Path: "/.portreeve/limited", Limit: &limit.RuleConfig{WindowMs: 60000, Max: 2}, LimitOf: "desk limit", Op: op("count", 0, show)},
		{Method: "GET", Path: "/.portreeve/hidden/:token", Require: needs, Op: Operation{Surface: "desk", Name: "use a link", SecretPath: true, Run: show}},
		{Method: "GET", Path: "/.portreeve/told", Op: op("tell by itself", 0, says(JSON(409, map[string]any{"message": "Taken", "details": []fault.Detail{{Field: "name", Issue: "taken"}}}), nil))},
		{Method: "GET", Path: "/.portreeve/broken", Op: op("break", 0, says(JSON(502, map[string]any{"message": "secret host"}), nil))},
		{Method: "GET", Path: "/.portreeve/silent", Op: op("say nothing", 0, says(request.Reply{}, nil))},
		{Method: "GET", Path: "/.portreeve/fails", Op: op("fail", 0, says(request.Reply{}, errBroken))},
		{Method: "GET", Path: "/.portreeve/away", Op: op("send away", 0, says(request.Reply{Status: 303, Header: request.Header{{Name: "Location", Value: "/x"}}}, nil))},
		{Method: "GET", Path: "/.portreeve/panics", Op: op("panic", 0, func(context.Context, *Call) (request.Reply, error) { panic("boom") })},
		{Method: "GET", Path: "/.portreeve/nested", Op: op("ask on", 0, func(ctx context.Context, c *Call) (request.Reply, error) {
			_, r := c.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/show"})
			return request.Reply{}, r.Fault
		})},
		{Method: "GET", Path: "/.portreeve/page-refuses", Op: op("refuse by a page", 0, func(_ context.Context, c *Call) (request.Reply, error) {
			c.Refused = fault.New(fault.Forbidden, "not_you", "Not you")
			return request.Reply{Status: 403}, nil
		})},
	}
}

const withPages = `
cors: {origins: ["https://app.example.com"]}
rbac: {enabled: false, roles: [{name: editor, permissions: ["things:*"]}]}
routes:
  - {path: /file, method: any, response: file}
  - {path: /up, method: any, upstream: "http://app"}
  - {path: /to, method: any, redirect: {to: "/file", status: 302}}`

// desk is a rig with pages; do is what they do.
func desk(t testing.TB, text string) (g *rig, f *factors, dir *people, do *asking) {
	t.Helper()
	do = new(asking)
	g, f, dir = hosting(t, text, olgas(), func(in *SiteInput) { in.Surfaces = append(in.Surfaces, readers(do)...) })
	return g, f, dir, do
}

// fromHere are the lines of a form that one of our own pages sent.
func fromHere(fields ...string) []string { return with(fields, "Sec-Fetch-Site: same-origin") }

func TestAPageAsksAsItsReader(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	for _, c := range []struct {
		name   string
		q      Question
		fields []string
		want   string // "" for a refusal
		code   string
	}{
		{"a look", Question{Method: "GET", Target: "/.portreeve/show?a=%20b"}, nil, `"query":"a=%20b"`, ""},
		{"under the page's request id", Question{Method: "GET", Target: "/.portreeve/show"}, nil, `"decision":"decision-1","has":false,"host":"api.example.com","id":"req-1"`, ""},
		{"as the reader, in the reader's tenant", Question{Method: "GET", Target: "/.portreeve/show"}, nil, `"by":"olga"`, ""},
		{"with a body", Question{Method: "POST", Target: "/.portreeve/show", Body: []byte(`{"a":1}`)}, []string{"Content-Type: application/x-www-form-urlencoded", "Content-Length: 4"},
			`"body":"{\"a\":1}","by":"olga","decision":"decision-1","has":true`, ""},
		{"whose type is its own", Question{Method: "POST", Target: "/.portreeve/show", Body: []byte(`{}`)}, []string{"Content-Type: multipart/form-data; boundary=x"}, `"type":["application/json"]`, ""},
		{"without one, of no type", Question{Method: "POST", Target: "/.portreeve/show"}, []string{"Content-Type: text/plain"}, `"type":null`, ""},
		{"not for a part of the page", Question{Method: "GET", Target: "/.portreeve/show"}, []string{"Range: bytes=0-1", "If-None-Match: x"}, `"if":"","length":""`, ""},
		{"not on the page's condition", Question{Method: "GET", Target: "/.portreeve/show"}, []string{`If-Match: "page"`}, `"match":null`, ""},
		{"on one of its own", Question{Method: "POST", Target: "/.portreeve/show", Match: "*"}, []string{`If-Match: "page"`}, `"match":["*"]`, ""},
		{"with the factor of the page", Question{Method: "GET", Target: "/.portreeve/show"}, []string{"X-Portreeve-MFA: fresh"}, `"mfa":["fresh"]`, ""},
		{"with one of its own instead", Question{Method: "GET", Target: "/.portreeve/show", StepUp: "new"}, []string{"x-portreeve-mfa: old"}, `"mfa":["new"]`, ""},
		{"a body that is not read", Question{Method: "POST", Target: "/.portreeve/unread", Body: []byte(`{}`)}, nil, `"body":""`, ""},
		{"a body too large", Question{Method: "POST", Target: "/.portreeve/show", Body: []byte(`"` + strings.Repeat("x", 99) + `"`)}, nil, "", "body_too_large"},
		{"a body as large as may be", Question{Method: "POST", Target: "/.portreeve/show", Body: []byte(`"` + strings.Repeat("x", 98) + `"`)}, nil, `"has":true`, ""},
		{"a body about another tenant", Question{Method: "POST", Target: "/.portreeve/show", Body: []byte(`{"tenantId":"other"}`)}, nil, "", "tenant_mismatch"},
		{"a tenant that is not the reader's", Question{Method: "GET", Target: "/.portreeve/show"}, []string{"X-Tenant-ID: other"}, "", "tenant_mismatch"},
		{"the reader's own by name", Question{Method: "GET", Target: "/.portreeve/show"}, []string{"X-Tenant-ID: acme"}, `"tenant":"acme"`, ""},
		{"with a permission", Question{Method: "GET", Target: "/things"}, nil, `"tenant":"acme"`, ""},
		{"without one", Question{Method: "POST", Target: "/.portreeve/both"}, nil, "", "missing_permission"},
		{"a row of the reader's", Question{Method: "GET", Target: "/.portreeve/row/bot"}, nil, `"path":"/.portreeve/row/bot"`, ""},
		{"a row of nobody's", Question{Method: "GET", Target: "/.portreeve/row/other"}, nil, "", "missing_resource_role"},
		{"what leads on", Question{Method: "GET", Target: "/.portreeve/away"}, nil, "303", ""},
		{"what its own rules refuse", Question{Method: "GET", Target: "/rude"}, nil, "", "rude"},
		{"what it tells by itself", Question{Method: "GET", Target: "/.portreeve/told"}, nil, "", "operation_answer"},
		{"or by a page", Question{Method: "GET", Target: "/.portreeve/page-refuses"}, nil, "", "not_you"},
		{"no answer", Question{Method: "GET", Target: "/.portreeve/silent"}, nil, "", "no_answer"},
		{"an error that nobody classified", Question{Method: "GET", Target: "/.portreeve/fails"}, nil, "", "internal"},
		{"what asks on", Question{Method: "GET", Target: "/.portreeve/nested"}, nil, "", codeNoGate},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, code := "", ""
			*do = func(ctx context.Context, call *Call) {
				reply, r := call.Ask(ctx, c.q)
				if r != nil {
					code = r.Fault.Code
					return
				}
				got = fmt.Sprint(reply.Status, " ", string(reply.Body))
			}
			if a := g.ask("POST /.portreeve/page", fromHere(with(c.fields, session("olga"))...)...); a.status != 200 && a.code != "tenant_mismatch" {
				t.Fatalf("the page: %d %s %v", a.status, a.code, a.steps)
			} else if a.code != "" {
				code = a.code // the page's own tenant is refused before
			}
			if code != c.code || !strings.Contains(got, c.want) || (got == "") != (c.code != "") {
				t.Errorf("%s %s", code, got)
			}
		})
	}
}

func TestWhatAPageCannotAsk(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	for _, c := range []struct{ method, target, code string }{
		{"GET", "/nowhere", "no_route"},
		{"DELETE", "/things", "method_not_allowed"},
		{"get", "/things", "method_not_allowed"},
		{"", "/things", "method_not_allowed"},
		{"GET", "/.portreeve/page", "no_route"}, // a page: itself
		{"GET", "/.portreeve/sessions", "no_route"},
		{"GET", "/.portreeve/whoami", "no_route"}, // not an operation
		{"GET", "/health", "no_route"},
		{"GET", "/file", "no_route"},
		{"GET", "/up", "no_route"},
		{"GET", "/to", "no_route"},
		{"GET", "", "bad_path"},
		{"GET", "things", "bad_path"},
		{"GET", "http://other.example/things", "bad_path"},
		{"GET", "//other.example/things", "bad_path"},
		{"GET", "/../things", "bad_path"},
		{"GET", "/things/%zz", "bad_path"},
		{"GET", "/things/%00", "bad_path"},
		{"GET", "/things#x", "bad_path"},
		{"GET", "/things/a b", "bad_path"},
		{"GET", "/things?a\r\nb", "bad_path"},
		{"GET", "/things/é", "bad_path"},
		{"GET", strings.Repeat("/a", 5000), "bad_path"},
		{"TRACE", "/.portreeve/show", "method_not_allowed"},
	} {
		var asked, may *Refused
		*do = func(ctx context.Context, call *Call) {
			_, asked = call.Ask(ctx, Question{Method: c.method, Target: c.target})
			may = call.May(ctx, Question{Method: c.method, Target: c.target})
		}
		if a := g.ask("POST /.portreeve/page", fromHere(session("olga"))...); a.status != 200 {
			t.Fatalf("the page: %d %s", a.status, a.code)
		}
		for _, r := range []*Refused{asked, may} {
			if r == nil || !r.Unknown || r.Fault.Code != c.code || !failed(r.Steps) {
				t.Errorf("%s %.60q: %+v", c.method, c.target, r)
			}
		}
	}
	var preflight *Refused
	*do = func(ctx context.Context, call *Call) {
		for _, target := range []string{"/things", "/.portreeve/show"} {
			if _, preflight = call.Ask(ctx, Question{Method: "OPTIONS", Target: target}); preflight == nil || !preflight.Unknown {
				t.Errorf("a preflight of %s: %+v", target, preflight)
			}
		}
	}
	if g.ask("POST /.portreeve/page", session("olga"), "Origin: https://app.example.com", "Access-Control-Request-Method: GET"); preflight == nil {
		t.Error("nothing was asked")
	}
}

// A link or an image leads to a page with the reader's cookies, wherever it
// stands: what comes by GET changes nothing.
func TestAPageThatWasAskedForByGETChangesNothing(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	for _, line := range []string{"GET /.portreeve/page", "HEAD /.portreeve/page"} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "post"} {
			var asked, looked *Refused
			*do = func(ctx context.Context, call *Call) {
				_, asked = call.Ask(ctx, Question{Method: method, Target: "/.portreeve/show"})
				_, looked = call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/show"})
			}
			if a := g.ask(line, with(browsing, session("olga"))...); a.status != 200 {
				t.Fatalf("the page: %d %s", a.status, a.code)
			}
			if asked == nil || asked.Fault.Code != codePageSafe || looked != nil {
				t.Errorf("%s asks %s: %+v, and GET: %+v", line, method, asked, looked)
			}
		}
	}
}

func TestWhoeverComesFromAnotherSite(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	ran, refused := false, ""
	*do = func(ctx context.Context, call *Call) {
		ran = true
		if _, r := call.Ask(ctx, Question{Method: "POST", Target: "/things/7"}); r != nil {
			refused = r.Fault.Code
		}
	}
	evil := []string{session("olga"), "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}
	if a := g.ask("POST /.portreeve/page", evil...); a.code != "cross_site" || ran {
		t.Errorf("a page: %q, ran %v", a.code, ran)
	}
	if a := g.ask("POST /.portreeve/open-page", evil...); a.status != 200 || !ran || refused != "cross_site" {
		t.Errorf("a page that other sites may call: %d, its question: %q", a.status, refused)
	}
	var may, none *Refused
	*do = func(ctx context.Context, call *Call) {
		may = call.May(ctx, Question{Method: "POST", Target: "/things/7"})
		none = call.May(ctx, Question{Method: "POST", Target: "/.portreeve/both"})
	}
	for _, from := range [][]string{{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: none"}, {"Origin: https://evil.example"}, nil} {
		g.ask("GET /.portreeve/page", with(from, session("olga"))...)
		if may != nil || none == nil || none.Fault.Code != "missing_permission" {
			t.Errorf("a reader who came by a link (%v): %+v, %+v", from, may, none)
		}
	}
}

func TestWhyAPageIsRefused(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	type why struct {
		Lacks   []string
		Factor  bool
		Decided bool
	}
	for _, c := range []struct {
		name  string
		q     Question
		who   string
		want  why
		check string // the step that failed
	}{
		{"a permission", Question{Method: "POST", Target: "/.portreeve/both"}, session("olga"), why{Lacks: []string{"desk:write"}, Decided: true}, "requiredPermissions"},
		{"two", Question{Method: "POST", Target: "/.portreeve/both"}, bearer(alice.with("role", nil)), why{Lacks: []string{"things:write", "desk:write"}, Decided: true}, "requiredPermissions"},
		{"a factor", Question{Method: "POST", Target: "/.portreeve/factor"}, session("olga"), why{Factor: true, Decided: true}, "requireMfa"},
		{"a newer one", Question{Method: "POST", Target: "/.portreeve/factor", StepUp: "other"}, session("olga"), why{Factor: true, Decided: true}, "requireMfa"},
		{"a factor of a key's, which has none", Question{Method: "POST", Target: "/.portreeve/factor"}, "X-Api-Key: prk_good-acme", why{Decided: true}, "requireMfa"},
		{"a factor, by the operation's own rules", Question{Method: "POST", Target: "/.portreeve/own-factor"}, session("olga"), why{Factor: true}, ""},
		{"its own rules", Question{Method: "GET", Target: "/rude"}, session("olga"), why{}, ""},
		{"another credential", Question{Method: "POST", Target: "/ingest"}, session("olga"), why{Decided: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r, may *Refused
			*do = func(ctx context.Context, call *Call) {
				_, r = call.Ask(ctx, c.q)
				may = call.May(ctx, c.q)
			}
			if a := g.ask("POST /.portreeve/page", fromHere(c.who)...); a.status != 200 {
				t.Fatalf("the page: %d %s", a.status, a.code)
			}
			if r == nil {
				t.Fatal("it ran")
			}
			if d := cmp.Diff(c.want, why{r.Lacks, r.Factor, r.Steps != nil}); d != "" {
				t.Error(d)
			}
			if !strings.Contains(fmt.Sprint(r.Steps), c.check) || c.want.Decided && !failed(r.Steps) {
				t.Errorf("steps %+v", r.Steps)
			}
			if c.want.Decided {
				if d := cmp.Diff(r, may, cmp.Comparer(func(a, b *fault.Error) bool { return a.Is(b) })); d != "" {
					t.Errorf("what may be asked is told otherwise: %s", d)
				}
			} else if may != nil {
				t.Errorf("its own rules are not asked: %+v", may)
			}
		})
	}
	var hidden *Refused
	*do = func(ctx context.Context, call *Call) {
		_, hidden = call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/hidden/s3cret"})
	}
	if g.ask("GET /.portreeve/page", session("olga")); hidden == nil || strings.Contains(fmt.Sprint(hidden.Steps), "s3cret") || !strings.Contains(fmt.Sprint(hidden.Steps), ":token") {
		t.Errorf("a path that holds a secret: %+v", hidden)
	}
	var with *Refused
	*do = func(ctx context.Context, call *Call) {
		_, with = call.Ask(ctx, Question{Method: "POST", Target: "/.portreeve/factor", StepUp: "fresh"})
	}
	g.ask("POST /.portreeve/page", fromHere(session("olga"), "X-Portreeve-MFA: old", "X-Portreeve-MFA: older")...)
	if with != nil {
		t.Errorf("with a factor: %+v", with)
	}
}

func TestWhatAnOperationTellsByItself(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	var told, broken *Refused
	*do = func(ctx context.Context, call *Call) {
		_, told = call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/told"})
		_, broken = call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/broken"})
	}
	g.ask("GET /.portreeve/page", session("olga"))
	if f := told.Fault; f.Kind != fault.Conflict || f.Message != "Taken" || len(f.Details) != 1 || f.Details[0].Field != "name" {
		t.Errorf("%+v", f)
	}
	if f := broken.Fault; f.Kind != fault.BadGateway {
		t.Errorf("%+v", f)
	}
}

func TestAnOperationThatPanicsTakesItsPageAlong(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	*do = func(ctx context.Context, call *Call) {
		_, _ = call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/panics"})
	}
	defer func() {
		if cause := recover(); cause != "boom" {
			t.Errorf("panic %v", cause)
		}
	}()
	g.ask("GET /.portreeve/page", session("olga"))
	t.Error("nothing happened")
}

// What the page's decision waited for is not asked again, nor what one question
// found out by the next.
func TestQuestionsShareWhatWasFoundOut(t *testing.T) {
	t.Parallel()
	g, f, _, do := desk(t, withPages)
	jobs := func() uint64 { return g.gate.Lot.Stats().Done }
	var before uint64
	*do = func(ctx context.Context, call *Call) {
		before = jobs()
		for range 3 {
			for _, q := range []Question{{Method: "GET", Target: "/.portreeve/row/bot"}, {Method: "GET", Target: "/things"}, {Method: "POST", Target: "/.portreeve/factor", StepUp: "fresh"}} {
				if _, r := call.Ask(ctx, q); r != nil {
					t.Errorf("%s: %+v", q.Target, r)
				}
			}
		}
	}
	g.ask("POST /.portreeve/page", fromHere(session("olga"))...)
	if done := jobs() - before; before == 0 || done != 2 || f.looks.Load() == 0 {
		t.Errorf("%d jobs for the page, %d for its questions, want a row and a factor", before, done)
	}
	f.away.Store(true)
	var r *Refused
	*do = func(ctx context.Context, call *Call) {
		_, r = call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/row/bot"})
	}
	g.ask("GET /.portreeve/page", session("olga"))
	if r == nil || r.Fault.Kind != fault.Unavailable {
		t.Errorf("without a store: %+v", r)
	}
}

// The limits of the site and of who asks count the page; that of a route counts
// whoever asks it.
func TestQuestionsAndLimits(t *testing.T) {
	t.Parallel()
	const text = `
rbac: {enabled: false, roles: [{name: editor, permissions: ["things:*"]}]}
rateLimit: {default: {windowMs: 60000, max: 10, by: principal}, perEndpoint: {"/things": {windowMs: 60000, max: 2, by: principal}, "/.portreeve/show": {windowMs: 60000, max: 2}}}`
	g, _, dir, do := desk(t, text)
	dir.known["key:good"] = &policy.Known{Tenant: "acme", TenantLimit: &limit.RuleConfig{WindowMs: 60000, Max: 9},
		Key: &policy.KeyGrant{ID: "good", Scopes: []string{"*"}, ByHost: true, Limit: &limit.RuleConfig{WindowMs: 60000, Max: 8}}}
	var codes []string
	var last *Refused
	ask := func(n int, target string) asking {
		return func(ctx context.Context, call *Call) {
			codes = nil
			for range n {
				code := ""
				if call.May(ctx, Question{Method: "GET", Target: target}) != nil {
					t.Errorf("%s may not be asked", target)
				}
				if _, last = call.Ask(ctx, Question{Method: "GET", Target: target}); last != nil {
					code = last.Fault.Code
				}
				codes = append(codes, code)
			}
		}
	}
	for _, target := range []string{"/things", "/.portreeve/show"} {
		*do = ask(4, target)
		a := g.ask("GET /.portreeve/page", "X-Api-Key: prk_good-acme")
		if want := []string{"", "", "rate_limited", "rate_limited"}; a.status != 200 || !slices.Equal(codes, want) {
			t.Errorf("%s: %d %q", target, a.status, codes)
		}
		if last == nil || last.Fault.RetryAfter == 0 || !failed(last.Steps) || last.Steps[len(last.Steps)-1].Stage != "limit" || last.Lacks != nil {
			t.Errorf("%s: %+v", target, last)
		}
	}
	*do = ask(1, "/public")
	for i := 2; i < 8; i++ { // the key's limit has counted two pages by now
		if a := g.ask("GET /.portreeve/page", "X-Api-Key: prk_good-acme"); a.status != 200 || !slices.Equal(codes, []string{""}) || a.header.Get("X-RateLimit-Remaining") != itoa(7-i) {
			t.Errorf("page %d: %d %q, %s left", i, a.status, codes, a.header.Get("X-RateLimit-Remaining"))
		}
	}
	if a := g.ask("GET /.portreeve/page", "X-Api-Key: prk_good-acme"); a.status != 429 {
		t.Errorf("a page too many: %d", a.status)
	}
}

func TestAStandardLimitCountsQuestions(t *testing.T) {
	t.Parallel()
	g, _, _, do := desk(t, withPages)
	var refused []bool
	*do = func(ctx context.Context, call *Call) {
		for range 2 {
			_, r := call.Ask(ctx, Question{Method: "GET", Target: "/.portreeve/limited"})
			refused = append(refused, r != nil)
		}
	}
	g.ask("GET /.portreeve/limited", session("olga"))
	g.ask("GET /.portreeve/page", session("olga"))
	if !slices.Equal(refused, []bool{false, true}) {
		t.Errorf("refused %v", refused)
	}
}

// A session whose cookie turns out to have a successor, or to have ended, only
// while the page asks is told so by the page's answer.
func TestWhatBecomesOfTheSessionWhileAPageAsks(t *testing.T) {
	t.Parallel()
	g, _, dir, do := desk(t, withPages)
	dir.ready.Store(true)
	good := dir.known["olga"]
	look := Question{Method: "GET", Target: "/.portreeve/show"}
	for _, c := range []struct {
		name, who string
		later     *policy.Known
		want      string
	}{
		{"nothing", "olga", good, ""},
		{"a successor", "olga", &policy.Known{Tenant: "acme", Session: good.Session, Renew: "next"}, "next"},
		{"one that the page has told", "renewed", dir.known["renewed"], ""},
		{"another than the page has told", "renewed", &policy.Known{Tenant: "acme", Session: good.Session, Renew: "next"}, "next"},
		{"its end", "olga", dir.known["revoked"], "Max-Age=0"},
	} {
		before := dir.known[c.who]
		*do = func(ctx context.Context, call *Call) {
			_, _ = call.Ask(ctx, look)
			dir.known[c.who] = c.later
			_, _ = call.Ask(ctx, look)
			_, _ = call.Ask(ctx, look)
		}
		a := g.ask("GET /.portreeve/page", session(c.who))
		dir.known[c.who] = before
		if got := a.cookies.Get("Set-Cookie"); len(a.cookies) > 1 || (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v", c.name, a.cookies)
		}
		if told := a.header.Values("Set-Cookie"); c.who == "renewed" && len(told) != 1 {
			t.Errorf("%s: the page's own cookie: %v", c.name, told)
		}
	}
}

func TestACallWithoutAGate(t *testing.T) {
	t.Parallel()
	c := &Call{View: &request.View{Method: "GET"}}
	_, r := c.Ask(t.Context(), Question{Method: "GET", Target: "/"})
	if may := c.May(t.Context(), Question{Method: "GET", Target: "/"}); r == nil || may == nil || r.Fault.Kind != fault.Internal || may.Fault.Kind != fault.Internal {
		t.Errorf("%+v %+v", r, may)
	}
}
