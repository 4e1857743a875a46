package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/trace"
)

// askFacts decides with facts that were gathered before.
func (l loaded) askFacts(t testing.TB, who *principal.Principal, change func(*Input)) (code, told string) {
	t.Helper()
	stand := l.book.Stand(who, l.tenants, nil)
	p, v := params{"id": "bot"}, get("/a")
	in := Input{View: v, Standing: &stand, Params: p, Now: noon, Env: env{v, &stand, p}}
	if change != nil {
		change(&in)
	}
	rec := &trace.Recorder{}
	quiet, loud := l.req.Check(in, nil), l.req.Check(in, rec)
	if (quiet == nil) != (loud == nil) || quiet != nil && quiet.Code != loud.Code {
		t.Fatalf("decided %v without a recorder and %v with one", quiet, loud)
	}
	if quiet == nil {
		return "", failed(rec.Steps)
	}
	return quiet.Code, failed(rec.Steps)
}

func TestASecondFactor(t *testing.T) {
	t.Parallel()
	shown := func(ago time.Duration, factor string) func(*Input) {
		return func(in *Input) { in.StepUp = &StepUp{At: noon.Add(-ago), Factor: factor} }
	}
	claimed := func(auth, issued time.Duration) *principal.Principal {
		return alice(func(p *principal.Principal) {
			p.SecondFactor, p.AuthTime, p.IssuedAt = true, noon.Add(-auth), noon.Add(-issued)
		})
	}
	timeless := claimed(0, 0)
	timeless.AuthTime, timeless.IssuedAt = time.Time{}, time.Time{}
	byIssue := claimed(0, time.Minute)
	byIssue.AuthTime = time.Time{}
	silent := claimed(0, 0)
	silent.AuthTime, silent.SessionID = time.Time{}, "ses_1"
	asked := claimed(0, 0)
	asked.AuthTime, asked.SessionID, asked.Anew = time.Time{}, "ses_1", true
	for _, c := range []struct {
		name, route string
		who         *principal.Principal
		facts       func(*Input)
		code        string
		told        string // of what the trace says
	}{
		{"none", "requireMfa: true", alice(), nil, CodeMFA, "enough: a step-up token in X-Portreeve-MFA"},
		{"an empty one", "requireMfa: true", alice(), func(in *Input) { in.StepUp = &StepUp{} }, CodeMFA, "no step-up of this caller"},
		{"one without a time", "requireMfa: true", alice(), func(in *Input) { in.StepUp = &StepUp{Factor: FactorTOTP} }, CodeMFA, ""},
		{"any", "requireMfa: true", alice(), shown(9*time.Minute, FactorTOTP), "", ""},
		{"a backup code", "requireMfa: true", alice(), shown(time.Minute, FactorBackup), "", ""},
		{"one of the future", "requireMfa: true", alice(), shown(-time.Hour, FactorTOTP), CodeMFA, ""},
		{"by a clock that is a little ahead", "requireMfa: true", alice(), shown(-30*time.Second, FactorTOTP), "", ""},
		{"just fresh enough", "requireMfa: {maxAge: 5m}", alice(), shown(5*time.Minute, FactorTOTP), "", ""},
		{"just too old", "requireMfa: {maxAge: 5m}", alice(), shown(5*time.Minute+time.Second, FactorTOTP), CodeMFA, "not older than 5m0s"},
		{"the factor that is asked", "requireMfa: {factors: [passkey]}", alice(), shown(0, FactorPasskey), "", ""},
		{"one of two", "requireMfa: {factors: [passkey, totp]}", alice(), shown(0, FactorTOTP), "", ""},
		{"another", "requireMfa: {factors: passkey}", alice(), shown(0, FactorTOTP), CodeMFA, "by passkey"},
		{"a backup code for it", "requireMfa: {factors: [totp]}", alice(), shown(0, FactorBackup), CodeMFA, "a backup code, 0s ago"},
		{"off", "requireMfa: false", alice(), nil, "", ""},
		{"nobody", "requireMfa: true", principal.Nobody(), shown(0, FactorTOTP), "unauthenticated", "then also: a second factor"},
		{"a key", "requireMfa: true", alice(func(p *principal.Principal) { p.Kind, p.ProviderKind = principal.Service, "apiKey" }), shown(0, FactorTOTP), CodeMFA, "no person"},
		{"a key that says it is a user", "requireMfa: true", alice(func(p *principal.Principal) { p.ProviderKind = "apiKey" }), shown(0, FactorTOTP), CodeMFA, ""},
		{"a service", "requireMfa: true", alice(func(p *principal.Principal) { p.Kind, p.SecondFactor, p.AuthTime = principal.Service, true, noon }), nil, CodeMFA, "no person"},
		{"a machine where it is named", "{requireMfa: true, authProvider: machine}", alice(func(p *principal.Principal) {
			p.Kind, p.ProviderKind, p.Provider = principal.Machine, "machine", "machine"
		}), shown(0, FactorTOTP), CodeMFA, ""},
		{"the provider's word", "requireMfa: true", claimed(8*time.Hour, time.Minute), nil, "", ""},
		{"by when it was signed in, not issued", "requireMfa: {maxAge: 5m}", claimed(8*time.Hour, time.Minute), nil, CodeMFA, "the provider's word (amr), 8h0m0s ago"},
		{"by when it was issued, where nothing else is said", "requireMfa: {maxAge: 5m}", byIssue, nil, "", ""},
		{"of a session that began silently", "requireMfa: {maxAge: 5m}", silent, nil, CodeMFA, "of which nobody says when"},
		{"of one at whose sign-in somebody was asked", "requireMfa: {maxAge: 5m}", asked, nil, "", ""},
		{"of a session that began silently, at any age", "requireMfa: true", silent, nil, "", ""},
		{"without any time", "requireMfa: true", timeless, nil, CodeMFA, "neither auth_time nor iat"},
		{"where a factor is asked", "requireMfa: {factors: [totp]}", claimed(0, 0), nil, CodeMFA, ""},
		{"what nobody trusts", "requireMfa: true", alice(claims("amr", []any{"mfa"})), nil, CodeMFA, "trustAmr"},
		{"a step-up beside an old word", "requireMfa: {maxAge: 5m}", claimed(8*time.Hour, 0), shown(0, FactorTOTP), "", ""},
		{"an old step-up beside a fresh word", "requireMfa: {maxAge: 5m}", claimed(0, 0), shown(time.Hour, FactorTOTP), "", ""},
		{"without the permission", "{requireMfa: true, requiredPermissions: [\"docs:read\"]}", alice(), nil, "missing_permission", "requireMfa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			route := c.route
			if !strings.HasPrefix(route, "{") {
				route = "{" + route + "}"
			}
			l := mustLoad(t, "rbac: {}\nroute: "+route)
			code, told := l.askFacts(t, c.who, c.facts)
			if code != c.code || !strings.Contains(told, c.told) {
				t.Errorf("got %q, want %q\n%s", code, c.code, told)
			}
			if l.req.NeedsStepUp() == (c.name == "off") || l.req.Any() == (c.name == "off") {
				t.Errorf("asks for one: %v", l.req.NeedsStepUp())
			}
		})
	}
	for text, want := range map[string]string{
		"{requireMfa: true}": "signed in, a second factor",
		"{requireMfa: {maxAge: 5m, factors: [passkey, totp]}}": "signed in, a second factor (passkey or totp) shown at most 5m0s ago",
	} {
		if got := strings.Join(mustLoad(t, "route: "+text).req.Describe(), ", "); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestARoleOnARow(t *testing.T) {
	t.Parallel()
	has := func(role string) func(*Input) { return func(in *Input) { in.ResourceRole = role } }
	here := alice(func(p *principal.Principal) { p.Tenant = "acme" })
	for _, c := range []struct {
		name, route string
		who         *principal.Principal
		facts       func(*Input)
		code        string
		told        string
	}{
		{"none", "id: \"{{params.id}}\", role: viewer", here, nil, "missing_resource_role", "the role viewer, admin or owner on it"},
		{"that one", "id: \"{{params.id}}\", role: admin", here, has("admin"), "", ""},
		{"a greater", "id: \"{{params.id}}\", role: admin", here, has("owner"), "", ""},
		{"the greatest for the least", "id: \"{{params.id}}\", role: viewer", here, has("owner"), "", ""},
		{"a lesser", "id: \"{{params.id}}\", role: owner", here, has("admin"), "missing_resource_role", "the caller is its admin"},
		{"a word that is none", "id: \"{{params.id}}\", role: viewer", here, has("Owner"), "missing_resource_role", ""},
		{"everything else does not stand in", "id: \"{{params.id}}\", role: viewer", alice(roles("admin"), func(p *principal.Principal) { p.Tenant = "acme" }), nil, "missing_resource_role", "no permission stands in"},
		{"a template that is missing", "id: \"{{query.id}}\", role: viewer", here, has("owner"), "missing_resource_role", "the template has no value"},
		{"null", "id: \"{{auth.claims.none}}\", role: viewer", here, has("owner"), "missing_resource_role", ""},
		{"a fixed row", "id: bot, role: viewer", here, has("viewer"), "", ""},
		{"nobody", "id: bot, role: viewer", principal.Nobody(), has("owner"), "unauthenticated", ""},
		{"without a tenant", "id: bot, role: viewer", alice(func(p *principal.Principal) { p.SharedSecret, p.TrustTenant = false, false }), has("owner"), "missing_resource_role", "no tenant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, "route: {resource: {collection: agents, "+c.route+"}}")
			code, told := l.askFacts(t, c.who, c.facts)
			if code != c.code || !strings.Contains(told, c.told) {
				t.Errorf("got %q, want %q\n%s", code, c.code, told)
			}
		})
	}

	l := mustLoad(t, `route: {resource: {collection: agents, id: "{{query.id}}", role: admin}}`)
	row := func(target string) string {
		v, stand := get(target), l.book.Stand(here, l.tenants, nil)
		collection, id, asked := l.req.Resource(Input{View: v, Standing: &stand, Env: env{v, &stand, nil}})
		if !asked || collection != "agents" {
			t.Errorf("%s: asked %v of %q", target, asked, collection)
		}
		return id
	}
	if row("/a?id=x") != "x" || row("/a?id=") != "" || row("/a") != "" || row("/a?id=x&id=y") != "" {
		t.Error("which row is asked about")
	}
	if _, _, asked := mustLoad(t, "route: {requireAuth: true}").req.Resource(Input{}); asked {
		t.Error("a role is asked where none is")
	}
	if _, _, asked := (*Requirement)(nil).Resource(Input{}); asked || (*Requirement)(nil).NeedsStepUp() {
		t.Error("nothing asks for something")
	}
	if got := l.req.Describe()[1]; got != "admin of agents {{query.id}}" {
		t.Errorf("%q", got)
	}
	if got := mustLoad(t, "route: {resource: {collection: agents, id: secret-project, role: admin}}").req.Outline()[1]; got != "admin of one of agents" {
		t.Errorf("%q", got)
	}
}

func TestARequirementThatDidNotLoadOpensNoRow(t *testing.T) {
	t.Parallel()
	l := load(t, "route: {resource: {collection: agents, id: bot, role: boss}}")
	if code, _ := l.askFacts(t, alice(), func(in *Input) { in.ResourceRole = "owner" }); code != "policy_failed" || l.problems == "" {
		t.Errorf("%q %s", code, l.problems)
	}
}

func TestASessionIsItsProvidersToPolicy(t *testing.T) {
	t.Parallel()
	session := func(change ...func(*principal.Principal)) *principal.Principal {
		return alice(append([]func(*principal.Principal){func(p *principal.Principal) {
			p.Provider, p.ProviderKind, p.Via, p.SessionID, p.SharedSecret = "entra", "session", "oidc", "s1", false
		}}, change...)...)
	}
	for route, want := range map[string]string{
		"{requireAuth: true}": "", "{authProvider: entra}": "", "{authProvider: oidc}": "", "{authProvider: session}": "", "{authProvider: jwt}": "wrong_provider",
	} {
		if code, _ := mustLoad(t, "route: "+route).askFacts(t, session(), nil); code != want {
			t.Errorf("%s: %q", route, code)
		}
	}
	in := func(text string, who *principal.Principal) string {
		l := mustLoad(t, text)
		stand := l.book.Stand(who, l.tenants, nil)
		return stand.Tenant
	}
	if got := in("tenants: {default: main, defaultFor: [oidc]}", session()); got != "main" {
		t.Errorf("its provider's kind has the default tenant, it has %q", got)
	}
	if got := in("tenants: {default: main, defaultFor: [jwt]}", session()); got != "" {
		t.Errorf("another's: %q", got)
	}
	if got := in("", session(func(p *principal.Principal) { p.Via, p.Tenant = "access", "acme" })); got != "" {
		t.Errorf("Access never says the tenant, by a session neither: %q", got)
	}
	if Person(principal.Nobody()) || !Person(session()) {
		t.Error("who is a person")
	}
}

func TestWhenASessionEnds(t *testing.T) {
	t.Parallel()
	soon, late := noon, noon.Add(time.Hour)
	for _, c := range []struct {
		facts *SessionFacts
		want  time.Time
	}{
		{nil, time.Time{}}, {&SessionFacts{}, time.Time{}}, {&SessionFacts{Idle: soon}, soon}, {&SessionFacts{Absolute: late}, late},
		{&SessionFacts{Idle: soon, Absolute: late}, soon}, {&SessionFacts{Idle: late, Absolute: soon}, soon},
	} {
		if got := c.facts.Ends(); !got.Equal(c.want) {
			t.Errorf("%+v ends %v", c.facts, got)
		}
	}
}

func TestWhichPermissionsAPatternCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wide, narrow string
		want         bool
	}{
		{"apikeys:write", "apikeys:write", true}, {"apikeys:*", "apikeys:write", true}, {"*:write", "apikeys:write", true}, {"*:*", "apikeys:write", true},
		{"*:*", "platform:any", false}, {"platform:*", "platform:any", true}, {"apikeys:read", "apikeys:write", false}, {"apikeys", "apikeys:write", false}, {"", "", false},
	} {
		if got := Covers(c.wide, c.narrow); got != c.want {
			t.Errorf("%q covers %q: %v", c.wide, c.narrow, got)
		}
	}
}
