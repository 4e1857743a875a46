package gateway

import (
	"context"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// guests is a store of sessions: a cookie is PROVIDER.SITE.SUBJECT....
type guests struct{}

func (guests) Verify(_ context.Context, cookie, site string) (*principal.Principal, error) {
	part := strings.Split(cookie, ".")
	if len(part) < 3 || part[1] != site || part[2] == "gone" {
		return nil, fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")
	}
	return &principal.Principal{Provider: part[0], Issuer: "https://idp.example", Subject: part[2], SessionID: "s-" + part[2], AuthTime: clock.Add(-time.Hour)}, nil
}

// session is a header line with the cookie of a session on the default site.
func session(subject string) string {
	return "Cookie: " + identity.CookieSession + "=entra.default." + subject + "......"
}

// factors is a store of step-up tokens and roles on rows: by token, and by
// tenant, collection, row and subject.
type factors struct {
	tokens map[string]policy.StepUp
	rows   map[string]string
	away   atomic.Bool
	looks  atomic.Int32
}

func (f *factors) once(a policy.DirectoryAsk, what string) (*park.Job, *fault.Error) {
	f.looks.Add(1)
	if f.away.Load() {
		return nil, fault.New(fault.Unavailable, "store_unavailable", "")
	}
	key := park.Key{2}
	copy(key[1:], what)
	if _, ok := park.Find(a.Settled, key); !ok {
		return &park.Job{Kind: "facts", Key: key, Waits: true, Run: func(context.Context) (any, error) { return nil, nil }}, nil
	}
	return nil, nil
}

func (f *factors) StepUp() policy.StepUps     { return stepUps{f} }
func (f *factors) Resource() policy.Resources { return resources{f} }

type stepUps struct{ *factors }

func (f stepUps) Find(a policy.DirectoryAsk, token, site string) (*policy.StepUp, *park.Job, *fault.Error) {
	if job, fault := f.once(a, token); job != nil || fault != nil {
		return nil, job, fault
	}
	if s, ok := f.tokens[site+"/"+a.Who.ID()+"/"+token]; ok {
		return &s, nil, nil
	}
	return nil, nil, nil
}

type resources struct{ *factors }

func (f resources) Find(a policy.DirectoryAsk, tenant, collection, id string) (string, *park.Job, *fault.Error) {
	if job, fault := f.once(a, id); job != nil || fault != nil {
		return "", job, fault
	}
	return f.rows[strings.Join([]string{tenant, collection, id, a.Who.ID()}, "/")], nil, nil
}

// ways are Portreeve's own paths as sessions, factors and pages have them.
func ways() []SurfaceRoute {
	page := func(name string) Operation {
		return Operation{Surface: "session", Name: name, HTML: true, Unlisted: true, Run: func(_ context.Context, c *Call) (request.Reply, error) {
			return request.Reply{Status: 200, Body: []byte(name + " of " + c.Who.ID())}, nil
		}}
	}
	return []SurfaceRoute{
		{Method: "GET", Path: "/.portreeve/login/:provider", Anonymous: true, Op: page("login")},
		{Method: "GET", Path: "/.portreeve/callback/:provider", Anonymous: true, Op: page("callback")},
		{Method: "POST", Path: "/.portreeve/logout", Anonymous: true, Op: page("logout")},
		{Method: "GET", Path: "/.portreeve/sessions", Op: page("sessions")},
		{Method: "GET", Path: "/.portreeve/mfa", Op: page("mfa")},
		{Method: "POST", Path: "/.portreeve/mfa", Op: page("mfa")},
	}
}

const withSessions = `
rbac: {roles: [{name: editor, permissions: ["docs:*", "things:*"]}]}
cors: {origins: ["https://app.example.com"]}
routes:
  - {path: /, method: get, requireAuth: true, response: home}
  - {path: /open, method: get, response: open}
  - {path: /cached, method: get, response: cached, sharedCache: true, headers: {Cache-Control: "public, max-age=60"}}
  - {path: /left, method: get, identify: none, response: left}
  - {path: /docs/:id, method: any, requiredPermissions: ["docs:read"], response: "doc of {{auth.sub}} by {{auth.provider}}"}
  - {path: /access, method: get, authProvider: access, response: access}
  - {path: /fresh, method: get, requireMfa: {maxAge: 5m}, response: fresh}
  - {path: /factor, method: any, requireMfa: true, response: factor}
  - {path: /agents/:id, method: get, resource: {collection: agents, id: "{{params.id}}", role: admin}, response: agent}
  - {path: /both/:id, method: get, requireMfa: true, resource: {collection: agents, id: "{{params.id}}", role: owner}, response: both}
  - {path: /up/*, method: any, upstream: {url: "http://app", passCredential: true}}
`

// hosting is a rig with sessions, whose people are known.
func hosting(t testing.TB, text string, known map[string]*policy.Known, change func(*SiteInput)) (*rig, *factors, *people) {
	t.Helper()
	g := loadWith(t, text, func(in *SiteInput) {
		entra := identity.NewOIDC(&identity.OIDCConfig{Name: "entra", Issuer: "https://idp.example", Audience: config.List[string]{"api"}}, identity.Deps{Env: "prod",
			Keys: func(keyset.Config) *keyset.Set { return keyset.New(keyset.Config{Static: []*jws.Key{es().Public()}}) }})
		list := append([]*identity.Provider{identity.NewSession(in.Name, guests{}), entra, identity.NewAPIKey("", &ring{})}, in.Identity.Providers()...)
		in.Identity, _ = identity.NewSite(list, identity.SiteOptions{Memory: identity.NewMemory(64)})
		in.OwnCookies = []string{identity.CookieSession, identity.CookieMFA}
		in.SignIn, in.Surfaces = "entra", append(ways(), things()...)
		if change != nil {
			change(in)
		}
	})
	if !strings.HasPrefix(g.problems, "warnings only:") {
		t.Fatalf("the configuration has problems:\n%s", g.problems)
	}
	dir := &people{known: known}
	f := &factors{tokens: map[string]policy.StepUp{
		"default/olga/fresh":  {At: clock.Add(-time.Minute), Factor: policy.FactorTOTP},
		"default/olga/old":    {At: clock.Add(-9 * time.Minute), Factor: policy.FactorTOTP},
		"default/alice/fresh": {At: clock.Add(-time.Minute), Factor: policy.FactorPasskey},
	}, rows: map[string]string{"acme/agents/bot/olga": "admin", "acme/agents/mine/olga": "owner", "main/agents/bot/alice": "viewer"}}
	g.snap.Directory, g.snap.StepUps, g.snap.Resources = dir, f.StepUp(), f.Resource()
	g.snap.RefusalPage = func(f *fault.Error, id, decision string, site *Site, _ string) request.Reply {
		return request.Reply{Status: 200, Body: []byte("<p>" + f.Text() + " " + decision + " at " + site.Name), Header: request.Header{{Name: "Content-Type", Value: "text/html; charset=utf-8"}}}
	}
	return g, f, dir
}

func olgas() map[string]*policy.Known {
	lives := &policy.SessionFacts{ID: "s-olga", Idle: clock.Add(30 * time.Minute), Absolute: clock.Add(12 * time.Hour)}
	return map[string]*policy.Known{
		"olga":    {Tenant: "acme", UserID: "u1", Roles: []string{"editor"}, Session: lives},
		"renewed": {Tenant: "acme", Roles: []string{"editor"}, Session: lives, Renew: "new-value-of-the-cookie"},
		"idle":    {Tenant: "acme", Session: &policy.SessionFacts{Idle: clock, Absolute: clock.Add(time.Hour)}},
		"over":    {Tenant: "acme", Session: &policy.SessionFacts{Idle: clock.Add(time.Minute), Absolute: clock}},
		"revoked": {Refuse: fault.New(fault.Unauthenticated, identity.CodeSessionEnded, ""), Why: "signing in again"},
		"banned":  {Refuse: fault.New(fault.Forbidden, "user_disabled", ""), Why: "enabled again"},
		"unknown": {Tenant: "acme"}, // of whose session nothing is said
	}
}

// browsing is what browsers say of themselves on their way to a page.
var browsing = []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none", "Accept: text/html,application/xhtml+xml,*/*;q=0.8"}

func with(fields []string, more ...string) []string {
	return append(append([]string{}, fields...), more...)
}

func TestSessionsAtTheGate(t *testing.T) {
	t.Parallel()
	g, _, _ := hosting(t, withSessions, olgas(), nil)
	const clears = "__Host-portreeve=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
	for _, c := range []struct {
		name, line string
		fields     []string
		status     int
		code, want string // want: in the body
		cookie     string
	}{
		{"one that is good", "GET /docs/1", []string{session("olga")}, 200, "", "doc of olga by entra", ""},
		{"whoami", "GET /.portreeve/whoami", []string{session("olga")}, 200, "", `"kind":"user","provider":"entra","subject":"olga"`, ""},
		{"idle for too long", "GET /docs/1", []string{session("idle")}, 401, identity.CodeSessionEnded, "", clears},
		{"too old", "GET /docs/1", []string{session("over")}, 401, identity.CodeSessionEnded, "", clears},
		{"revoked", "GET /docs/1", []string{session("revoked")}, 401, identity.CodeSessionEnded, "", clears},
		{"one that is none", "GET /docs/1", []string{session("gone")}, 401, identity.CodeSessionEnded, "", clears},
		{"even where nothing is asked", "GET /open", []string{session("gone")}, 401, identity.CodeSessionEnded, "", clears},
		{"but not where nobody looks", "GET /left", []string{session("gone")}, 200, "", "left", ""},
		{"nor on the way to sign in", "GET /.portreeve/login/entra", []string{session("gone")}, 200, "", "login of ", ""},
		{"of a user who is disabled", "GET /open", []string{session("banned")}, 403, "user_disabled", "", ""},
		{"of which nothing is stored", "GET /open", []string{session("unknown")}, 500, "no_directory_entry", "", ""},
		{"where Access counts", "GET /access", []string{session("olga")}, 401, "unauthenticated", "", ""},
		{"one to be renewed", "GET /docs/1", []string{session("renewed")}, 200, "", "doc of renewed", "__Host-portreeve=new-value-of-the-cookie; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{"which is nobody's where Access counts", "GET /access", []string{session("renewed")}, 401, "unauthenticated", "", ""},
		{"and at an upstream", "GET /up/x", []string{session("renewed")}, 200, "", "", "__Host-portreeve=new-value-of-the-cookie; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{"but not on a WebSocket", "GET /up/x", []string{session("renewed"), "Upgrade: websocket", "Sec-Fetch-Site: same-origin"}, 200, "", "", ""},
		{"a change from another site", "POST /docs/1", []string{session("olga"), "Sec-Fetch-Site: cross-site"}, 403, "cross_site", "", ""},
		{"from nowhere", "POST /docs/1", []string{session("olga")}, 403, "cross_site", "", ""},
		{"from its own pages", "POST /docs/1", []string{session("olga"), "Sec-Fetch-Site: same-origin"}, 200, "", "", ""},
		{"from a page that may", "POST /docs/1", []string{session("olga"), "Origin: https://app.example.com"}, 200, "", "", ""},
		{"signing out from another site", "POST /.portreeve/logout", []string{session("olga"), "Sec-Fetch-Site: cross-site"}, 403, "cross_site", "", ""},
		{"with a session that is none", "POST /.portreeve/logout", []string{session("gone"), "Origin: https://evil.example"}, 403, "cross_site", "", ""},
		{"from its own page", "POST /.portreeve/logout", []string{session("gone"), "Sec-Fetch-Site: same-origin"}, 200, "", "logout of ", ""},
		{"without a cookie, by a provider", "POST /.portreeve/logout", nil, 200, "", "logout of ", ""},
		{"a form of ours, posted by another site", "POST /.portreeve/mfa", []string{session("olga"), "Sec-Fetch-Site: cross-site"}, 403, "cross_site", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.ask(c.line, c.fields...)
			if got.status != c.status || got.code != c.code || !strings.Contains(got.body, c.want) {
				t.Errorf("%d %s %s\n%v", got.status, got.code, got.body, got.steps)
			}
			if cookie := got.header.Get("Set-Cookie"); cookie != c.cookie {
				t.Errorf("Set-Cookie %q", cookie)
			}
			if got.forward != nil && (got.forward.Header.Has("Cookie") || got.forward.Private != (got.x.Known.Renew != "")) {
				t.Errorf("the upstream gets %v, private %v", got.forward.Header, got.forward.Private)
			}
		})
	}
	if got := g.ask("GET /cached", session("renewed")); got.header.Get("Cache-Control") != "no-store" || got.header.Count("Cache-Control") != 1 {
		t.Errorf("a cache gets the cookie: %v", got.header)
	}
	if got := g.ask("GET /docs/1", session("olga")); !got.x.Expires().Equal(clock.Add(30 * time.Minute)) {
		t.Errorf("a stream would end at %v", got.x.Expires())
	}
	g.snap.Directory = nil
	if got := g.ask("GET /docs/1", session("olga")); got.status != 500 {
		t.Errorf("without a store it is %d", got.status)
	}
}

func TestBrowsersAreLed(t *testing.T) {
	t.Parallel()
	g, _, _ := hosting(t, withSessions, olgas(), nil)
	long := "/docs/1?q=" + strings.Repeat("a", maxReturn)
	for _, c := range []struct {
		name, line string
		fields     []string
		want       string // where to, "" for nowhere
	}{
		{"to sign in", "GET /docs/1", browsing, "/.portreeve/login/entra?return=%2Fdocs%2F1"},
		{"with the query", "GET /docs/1?a=b&c=%2F+d", browsing, "/.portreeve/login/entra?return=" + url.QueryEscape("/docs/1?a=b&c=%2F+d")},
		{"from the root", "GET /", browsing, "/.portreeve/login/entra?return=%2F"},
		{"from too far in", "GET " + long, browsing, "/.portreeve/login/entra?return=%2F"},
		{"from a page of ours", "GET /.portreeve/sessions", browsing, "/.portreeve/login/entra?return=%2F.portreeve%2Fsessions"},
		{"whose session has ended", "GET /docs/1", with(browsing, session("gone")), "/.portreeve/login/entra?return=%2Fdocs%2F1"},
		{"whose session was revoked", "GET /open", with(browsing, session("revoked")), "/.portreeve/login/entra?return=%2Fopen"},
		{"who is signed in and not enough", "GET /access", with(browsing, session("olga")), ""},
		{"where the sign-in does not count", "GET /access", browsing, ""},
		{"with a bad token", "GET /docs/1", with(browsing, "Authorization: Bearer x"), ""},
		{"where nothing is asked", "GET /open", browsing, ""},
		{"where nothing is", "GET /nowhere", browsing, ""},
		{"who posts", "POST /docs/1", browsing, ""},
		{"who asks for the head alone", "HEAD /docs/1", browsing, ""},
		{"a script", "GET /docs/1", []string{"Sec-Fetch-Mode: cors", "Accept: text/html"}, ""},
		{"an image", "GET /docs/1", []string{"Sec-Fetch-Mode: no-cors", "Accept: image/png,*/*"}, ""},
		{"a program", "GET /docs/1", []string{"Accept: */*"}, ""},
		{"who says it twice", "GET /docs/1", with(browsing, "Sec-Fetch-Mode: navigate"), ""},
		{"who takes no HTML", "GET /docs/1", []string{"Sec-Fetch-Mode: navigate", "Accept: application/json, text/html;q=0.0"}, ""},
		{"to a second factor", "GET /factor?x=1", with(browsing, session("olga")), "/.portreeve/mfa?return=%2Ffactor%3Fx%3D1"},
		{"to a fresher one", "GET /fresh", with(browsing, "Cookie: __Host-portreeve=entra.default.olga......; __Host-portreeve-mfa=old"), "/.portreeve/mfa?return=%2Ffresh"},
		{"first to sign in", "GET /factor", browsing, "/.portreeve/login/entra?return=%2Ffactor"},
		{"whom Access lets in, whose cookie would not count", "GET /factor", with(browsing, "Cf-Access-Jwt-Assertion: "+accessToken()), ""},
		{"who has no role on the row either", "GET /both/other", with(browsing, session("olga")), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &Exchange{}
			v := g.gate.Ask(t.Context(), g.snap, x, arrival(c.line, c.fields...))
			reply, leads := x.Lead(v.Fault)
			if leads != (c.want != "") || leads && (reply.Status != 302 || reply.Header.Get("Location") != c.want || reply.Header.Get("Cache-Control") != "no-store") {
				t.Errorf("%v to %q", leads, reply.Header.Get("Location"))
			}
			if leads && v.Kind == Allow {
				t.Error("it was let through")
			}
		})
	}
	x := &Exchange{} // a sign-in that failed does not begin again by itself
	g.gate.Ask(t.Context(), g.snap, x, arrival("GET /.portreeve/callback/entra?code=x", browsing...))
	if _, leads := x.Lead(fault.New(fault.Unauthenticated, "state", "")); leads {
		t.Error("a callback that fails leads to sign in")
	}
	for name, change := range map[string]func(*SiteInput){
		"a site without sign-in":  func(in *SiteInput) { in.SignIn = "" },
		"a site without identity": func(in *SiteInput) { in.NoAuth = true },
	} {
		g, _, _ := hosting(t, withSessions, olgas(), change)
		x := &Exchange{}
		v := g.gate.Ask(t.Context(), g.snap, x, arrival("GET /docs/1", browsing...))
		if _, leads := x.Lead(v.Fault); leads || v.Kind == Allow {
			t.Errorf("%s leads", name)
		}
	}
}

func TestNoReturnPathLeadsElsewhere(t *testing.T) {
	t.Parallel()
	g, _, _ := hosting(t, "emptySegments: keep\nencodedSlash: allow\nroutes: [{path: /*, method: any, requireAuth: true, response: x}]", nil, nil)
	for _, target := range []string{"//evil.example/", "//evil.example", "/%2Fevil.example", "/%5Cevil.example", "/x//y", "/.portreeve//evil"} {
		x := &Exchange{}
		v := g.gate.Ask(t.Context(), g.snap, x, arrival("GET api.example.com"+target, browsing...))
		reply, leads := x.Lead(v.Fault)
		if !leads {
			continue
		}
		u := must(url.Parse(reply.Header.Get("Location")))
		back := must(url.Parse(u.Query().Get("return")))
		if u.Host != "" || back.Host != "" || strings.HasPrefix(u.Query().Get("return"), "//") {
			t.Errorf("%s leads to %s", target, reply.Header.Get("Location"))
		}
	}
}

func TestAReturnPathBeginsWithOneSlash(t *testing.T) {
	t.Parallel()
	for want, segments := range map[string][]string{"/": {"", "evil.example"}, "/a": {"a"}, "/a//b": {"a", "", "b"}} {
		x := &Exchange{}
		for _, s := range segments {
			x.View.Path.Segments = append(x.View.Path.Segments, request.Segment{Text: s, Value: s})
		}
		if got := x.returnPath(); got != want {
			t.Errorf("%q comes back to %s, want %s", segments, got, want)
		}
	}
}

func TestRefusalsAreToldToBrowsersByAPage(t *testing.T) {
	t.Parallel()
	g, _, _ := hosting(t, withSessions, olgas(), nil)
	for _, c := range []struct {
		name, line string
		fields     []string
		status     int
		page       bool
	}{
		{"a browser", "GET /access", browsing, 401, true},
		{"where nothing is", "GET /nowhere", browsing, 404, true},
		{"an old browser", "GET /docs/1", []string{"Accept: text/html, */*"}, 401, true},
		{"one that would rather have JSON", "GET /docs/1", []string{"Accept: text/html, application/json"}, 401, false},
		{"a script of a page", "GET /docs/1", []string{"Sec-Fetch-Mode: cors", "Accept: text/html"}, 401, false},
		{"a program", "GET /docs/1", []string{"Accept: */*"}, 401, false},
		{"who posts", "POST /docs/1", browsing, 401, false},
		{"a surface with a shape of its own", "GET /rude", with(browsing, bearer(alice)), 403, false},
		{"one of our pages", "GET /.portreeve/mfa", []string{"Accept: text/html"}, 401, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.ask(c.line, c.fields...)
			isPage := strings.HasPrefix(got.body, "<p>")
			if got.status != c.status || isPage != c.page || got.header.Get("X-Portreeve-Decision") != "decision-1" {
				t.Errorf("%d %s %v", got.status, got.body, got.header)
			}
			if isPage && (!strings.Contains(got.body, "decision-1 at default") || got.header.Count("Content-Type") != 1 || got.header.Get("Cache-Control") != "no-store") {
				t.Errorf("%s %v", got.body, got.header)
			}
			if got.status == 401 && !got.header.Has("Www-Authenticate") {
				t.Errorf("no challenge: %v", got.header)
			}
		})
	}
	x := &Exchange{}
	g.gate.Ask(t.Context(), g.snap, x, arrival("GET /access", browsing...))
	if got := x.Fault(fault.New(fault.BadGateway, "", ""), "req-1", ""); strings.HasPrefix(string(got.Body), "<p>") {
		t.Error("what is no refusal is told by a page")
	}
	g.snap.RefusalPage = nil
	if got := g.ask("GET /access", browsing...); !strings.HasPrefix(got.body, "{") {
		t.Errorf("without pages it is %s", got.body)
	}
}

func TestSecondFactorsAtTheGate(t *testing.T) {
	t.Parallel()
	g, f, _ := hosting(t, withSessions, olgas(), nil)
	cookies := func(token string) string {
		return "Cookie: __Host-portreeve=entra.default.olga......; __Host-portreeve-mfa=" + token
	}
	const header = "X-Portreeve-MFA: "
	for _, c := range []struct {
		name, line string
		fields     []string
		status     int
		code, told string
	}{
		{"none", "GET /factor", []string{bearer(alice)}, 403, policy.CodeMFA, "a step-up token in X-Portreeve-MFA"},
		{"in the header", "GET /factor", []string{bearer(alice), header + "fresh"}, 200, "", ""},
		{"of somebody else", "GET /factor", []string{bearer(alice), header + "old"}, 403, policy.CodeMFA, ""},
		{"in a cookie that is not for tokens", "GET /factor", []string{bearer(alice), "Cookie: __Host-portreeve-mfa=fresh"}, 403, policy.CodeMFA, ""},
		{"in the cookie of a session", "GET /factor", []string{cookies("fresh")}, 200, "", ""},
		{"in the header of a session", "GET /factor", []string{session("olga"), header + "fresh"}, 200, "", ""},
		{"the header wins", "GET /factor", []string{cookies("fresh"), header + "none"}, 403, policy.CodeMFA, ""},
		{"not fresh enough", "GET /fresh", []string{cookies("old")}, 403, policy.CodeMFA, "9m0s ago"},
		{"fresh enough", "GET /fresh", []string{cookies("fresh")}, 200, "", ""},
		{"two", "GET /factor", []string{bearer(alice), header + "fresh", header + "fresh"}, 400, identity.CodeDuplicate, ""},
		{"two cookies", "GET /factor", []string{cookies("fresh; __Host-portreeve-mfa=old")}, 400, identity.CodeDuplicate, ""},
		{"an empty one", "GET /factor", []string{bearer(alice), header}, 403, policy.CodeMFA, ""},
		{"an endless one", "GET /factor", []string{bearer(alice), header + strings.Repeat("a", 4096)}, 403, policy.CodeMFA, ""},
		{"a key's", "GET /factor", []string{"X-Api-Key: prk_olga-acme", header + "fresh"}, 403, policy.CodeMFA, "no person"},
		{"nobody's", "GET /factor", []string{header + "fresh"}, 401, "unauthenticated", ""},
		{"where none is asked", "GET /docs/1", []string{bearer(alice), header + "x", header + "y"}, 200, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.ask(c.line, c.fields...)
			told := ""
			for _, s := range got.steps {
				told += s.Found + s.Enough
			}
			if got.status != c.status || got.code != c.code || !strings.Contains(told, c.told) {
				t.Errorf("%d %s %s\n%v", got.status, got.code, got.body, got.steps)
			}
			if c.code == policy.CodeMFA && !strings.Contains(got.body, `{"error":"Forbidden","message":"Second factor required"}`) {
				t.Errorf("%s", got.body)
			}
		})
	}
	looks := f.looks.Load()
	g.ask("GET /docs/1", session("olga"), header+"fresh")
	g.ask("GET /factor", header+"fresh")
	if f.looks.Load() != looks {
		t.Error("it is looked up where it is of no use")
	}
	if got := g.ask("GET /up/x", bearer(alice), header+"fresh", "x_portreeve.mfa: fresh", cookies("fresh")+"; a=b"); got.forward.Header.Has("X-Portreeve-MFA") || got.forward.Header.Has("x_portreeve.mfa") ||
		got.forward.Header.Get("Cookie") != "a=b" {
		t.Errorf("the upstream gets %v", got.forward.Header)
	}
	f.away.Store(true)
	if got := g.ask("GET /factor", cookies("fresh")); got.status != 503 {
		t.Errorf("with a store that is away: %d", got.status)
	}
	g.snap.StepUps = nil
	if got := g.ask("GET /factor", cookies("fresh")); got.code != policy.CodeMFA {
		t.Errorf("without a store: %d %s", got.status, got.code)
	}
}

func TestRolesOnRowsAtTheGate(t *testing.T) {
	t.Parallel()
	g, f, _ := hosting(t, withSessions, olgas(), nil)
	admin := bearer(alice.with("role", "admin"))
	for _, c := range []struct {
		name, line string
		fields     []string
		status     int
		code       string
	}{
		{"the role", "GET /agents/bot", []string{session("olga")}, 200, ""},
		{"a greater", "GET /agents/mine", []string{session("olga")}, 200, ""},
		{"a lesser", "GET /agents/bot", []string{bearer(alice)}, 403, "missing_resource_role"},
		{"*:* and no role", "GET /agents/mine", []string{admin}, 403, "missing_resource_role"},
		{"a row that is not there", "GET /agents/other", []string{session("olga")}, 403, "missing_resource_role"},
		{"nobody", "GET /agents/bot", nil, 401, "unauthenticated"},
		{"with a factor besides", "GET /both/mine", []string{session("olga"), "X-Portreeve-MFA: fresh"}, 200, ""},
		{"without it", "GET /both/mine", []string{session("olga")}, 403, policy.CodeMFA},
		{"without the role", "GET /both/bot", []string{session("olga"), "X-Portreeve-MFA: fresh"}, 403, "missing_resource_role"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := g.ask(c.line, c.fields...); got.status != c.status || got.code != c.code {
				t.Errorf("%d %s %s\n%v", got.status, got.code, got.body, got.steps)
			}
		})
	}
	f.away.Store(true)
	if got := g.ask("GET /agents/bot", session("olga")); got.status != 503 {
		t.Errorf("with a store that is away: %d", got.status)
	}
	g.snap.Resources = nil
	if got := g.ask("GET /agents/bot", session("olga")); got.status != 403 {
		t.Errorf("without a store: %d", got.status)
	}
}

func TestASiteAsksForASecondFactorWhereItsOperationsAskForAPermission(t *testing.T) {
	t.Parallel()
	g, _, _ := hosting(t, withSessions, olgas(), func(in *SiteInput) { in.RequireMFA = []string{"things:write", "escrow:reveal"} })
	if got := g.ask("GET /things", session("olga")); got.status != 200 {
		t.Errorf("another permission: %d %s %v", got.status, got.code, got.steps)
	}
	from := "Sec-Fetch-Site: same-origin"
	if got := g.ask("POST /things/1", session("olga"), from); got.code != policy.CodeMFA {
		t.Errorf("without a factor: %d %s", got.status, got.code)
	}
	if got := g.ask("POST /things/1", session("olga"), from, "X-Portreeve-MFA: fresh"); got.status != 200 {
		t.Errorf("with one: %d %s", got.status, got.code)
	}
	if !strings.Contains(g.problems, "requireMfa") || strings.Contains(g.problems, "requireMfa[0]") {
		t.Errorf("what nothing asks for is not told: %s", g.problems)
	}
	broken := loadWith(t, "{}", func(in *SiteInput) { in.RequireMFA = []string{"things"} })
	if strings.HasPrefix(broken.problems, "warnings only:") || !strings.Contains(broken.problems, "not a permission") {
		t.Errorf("%s", broken.problems)
	}
}

func TestADecisionWithASessionCostsLittle(t *testing.T) { // not parallel: it counts allocations
	g, _, dir := hosting(t, withSessions, olgas(), nil)
	dir.ready.Store(true)
	a := arrival("GET /docs/1", session("olga"))
	x := &Exchange{}
	if v := g.gate.Ask(t.Context(), g.snap, x, a); v.Kind != Allow {
		t.Fatalf("%+v", v)
	}
	if n := testing.AllocsPerRun(100, func() {
		if v := Decide(x, clock, nil, nil); v.Kind != Allow {
			t.Fatal(v)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
