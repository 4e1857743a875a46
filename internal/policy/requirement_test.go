package policy

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

func TestWhoMayPass(t *testing.T) {
	t.Parallel()
	unverified := func(p *principal.Principal) { p.EmailVerified = false }
	from := func(addr string) *request.View {
		v := get("/")
		if addr == "" {
			v.Client = netip.Addr{}
		} else {
			v.Client = netip.MustParseAddr(addr)
		}
		return v
	}
	unsure := func() *request.View { // a proxy whose header could not be used
		v := get("/")
		v.ClientUnsure = true
		return v
	}
	scopes := func(s ...string) func(*principal.Principal) { return func(p *principal.Principal) { p.Scopes = s } }
	groups := func(s ...string) func(*principal.Principal) { return func(p *principal.Principal) { p.Groups = s } }
	tenant := func(s string) func(*principal.Principal) { return func(p *principal.Principal) { p.Tenant = s } }
	machine := func(p *principal.Principal) {
		p.Kind, p.Provider, p.ProviderKind = principal.Machine, "machine", "machine"
	}

	for name, c := range map[string]struct {
		route  string
		who    *principal.Principal
		view   *request.View
		params params
		want   string // the refusal's code; "" passes
	}{
		"a public route takes nobody":        {route: "{}", who: principal.Nobody()},
		"requireAuth: false is public":       {route: "{requireAuth: false}", who: principal.Nobody()},
		"requireAuth takes a user":           {route: "{requireAuth: true}", who: alice()},
		"requireAuth refuses nobody":         {route: "{requireAuth: true}", who: principal.Nobody(), want: "unauthenticated"},
		"requireAuth refuses no principal":   {route: "{requireAuth: true}", want: "unauthenticated"},
		"requireAuth refuses a machine":      {route: "{requireAuth: true}", who: alice(machine), want: "wrong_provider"},
		"any requirement implies it":         {route: "{deny: {emails: [x@y.z]}}", who: principal.Nobody(), want: "unauthenticated"},
		"the provider by name":               {route: "{authProvider: jwt}", who: alice()},
		"the provider by kind":               {route: "{authProvider: [oidc, access]}", who: alice(func(p *principal.Principal) { p.Provider, p.ProviderKind, p.SharedSecret = "entra", "oidc", false })},
		"another provider":                   {route: "{authProvider: [firebase, entra]}", who: alice(), want: "wrong_provider"},
		"a machine where it is named":        {route: "{authProvider: machine, requiredPermissions: [\"machine:ingest\"]}", who: alice(machine)},
		"a permission":                       {route: "{requiredPermissions: [\"docs:write\"]}", who: alice(roles("editor"))},
		"an inherited permission":            {route: "{requiredPermissions: [\"docs:read\"]}", who: alice(roles("editor"))},
		"all permissions are needed":         {route: "{requiredPermissions: [\"docs:read\", \"docs:write\"]}", who: alice(roles("reader")), want: "missing_permission"},
		"two roles together have them":       {route: "{requiredPermissions: [\"docs:read\", \"machines:read\"]}", who: alice(roles("reader", "viewer"))},
		"everything but platform":            {route: "{requiredPermissions: [\"platform:read\"]}", who: alice(roles("admin", "ops")), want: "missing_permission"},
		"a scope is no permission":           {route: "{requiredPermissions: [\"docs:read\"]}", who: alice(scopes("docs:read")), want: "missing_permission"},
		"any of the roles":                   {route: "{requiredRoles: [admin, reader]}", who: alice(roles("reader"))},
		"a role above is another role":       {route: "{requiredRoles: [reader]}", who: alice(roles("editor")), want: "missing_role"},
		"admin is not every role":            {route: "{requiredRoles: [reader]}", who: alice(roles("admin")), want: "missing_role"},
		"all scopes":                         {route: "{requiredScopes: [a, b]}", who: alice(scopes("b", "c", "a"))},
		"a scope is missing":                 {route: "{requiredScopes: [a, b]}", who: alice(scopes("a")), want: "missing_scope"},
		"permissions are no scopes":          {route: "{requiredScopes: [\"docs:read\"]}", who: alice(roles("admin")), want: "missing_scope"},
		"a scope of another case":            {route: "{requiredScopes: [a]}", who: alice(scopes("A")), want: "missing_scope"},
		"one's own tenant":                   {route: "{tenant: \"{{params.tenant}}\"}", who: alice(tenant("acme")), params: params{"tenant": "acme"}},
		"another tenant":                     {route: "{tenant: \"{{params.tenant}}\"}", who: alice(tenant("acme")), params: params{"tenant": "other"}, want: "wrong_tenant"},
		"a tenant of another case":           {route: "{tenant: \"{{params.tenant}}\"}", who: alice(tenant("acme")), params: params{"tenant": "ACME"}, want: "wrong_tenant"},
		"an empty tenant":                    {route: "{tenant: \"{{params.tenant}}\"}", who: alice(tenant("acme")), params: params{"tenant": ""}, want: "wrong_tenant"},
		"a missing tenant":                   {route: "{tenant: \"{{query.t}}\"}", who: alice(tenant("acme")), want: "wrong_tenant"},
		"a missing tenant inside text":       {route: "{tenant: \"acme{{query.t?}}\"}", who: alice(tenant("acme")), want: "wrong_tenant"},
		"a null claim":                       {route: "{tenant: \"{{auth.org}}\"}", who: alice(tenant("acme"), claims("org", nil)), want: "wrong_tenant"},
		"a claim":                            {route: "{tenant: \"{{auth.org}}\"}", who: alice(tenant("acme"), claims("org", "acme"))},
		"a query parameter":                  {route: "{tenant: \"{{query.t}}\"}", who: alice(tenant("acme")), view: get("/?t=acme")},
		"a repeated query parameter":         {route: "{tenant: \"{{query.t}}\"}", who: alice(tenant("acme")), view: get("/?t=acme&t=other"), want: "wrong_tenant"},
		"repeated under another spelling":    {route: "{tenant: \"{{query.t}}\"}", who: alice(tenant("acme")), view: get("/?t=acme&%74=other"), want: "wrong_tenant"},
		"a repeated header":                  {route: "{tenant: \"{{headers.X-T}}\"}", who: alice(tenant("acme")), view: get("/", "X-T: acme", "x-t: acme"), want: "wrong_tenant"},
		"a caller without tenant":            {route: "{tenant: main}", who: alice(func(p *principal.Principal) { p.Provider, p.ProviderKind, p.SharedSecret = "entra", "oidc", false }), want: "wrong_tenant"},
		"a fixed tenant":                     {route: "{tenant: main}", who: alice()},
		"allowed by e-mail, case folded":     {route: "{allow: {emails: [ALICE@example.COM]}}", who: alice()},
		"not allowed":                        {route: "{allow: {emails: [bob@example.com]}}", who: alice(), want: "not_allowed"},
		"an unverified e-mail":               {route: "{allow: {emails: [alice@example.com]}}", who: alice(unverified), want: "not_allowed"},
		"allowed by domain":                  {route: "{allow: {emailDomains: [Example.com]}}", who: alice()},
		"a subdomain is another domain":      {route: "{allow: {emailDomains: [com]}}", who: alice(), want: "not_allowed"},
		"an unverified domain":               {route: "{allow: {emailDomains: [example.com]}}", who: alice(unverified), want: "not_allowed"},
		"allowed by group":                   {route: "{allow: {groups: [staff, ops]}}", who: alice(groups("x", "ops"))},
		"a group of another case":            {route: "{allow: {groups: [ops]}}", who: alice(groups("Ops")), want: "not_allowed"},
		"allowed by address":                 {route: "{allow: {ips: [192.0.2.0/24]}}", who: alice()},
		"an address in IPv6 clothes":         {route: "{allow: {ips: 192.0.2.7}}", who: alice(), view: from("::ffff:192.0.2.7")},
		"another address":                    {route: "{allow: {ips: [192.0.2.0/30, \"2001:db8::/32\"]}}", who: alice(), want: "not_allowed"},
		"any entry of any list is enough":    {route: "{allow: {emails: [bob@example.com], groups: [ops], ips: 192.0.2.7}}", who: alice()},
		"an unknown address is in no list":   {route: "{allow: {ips: [0.0.0.0/0, \"::/0\"]}}", who: alice(), view: from(""), want: "not_allowed"},
		"denied by e-mail":                   {route: "{deny: {emails: [alice@example.com]}}", who: alice(), want: "denied"},
		"denied by address":                  {route: "{deny: {ips: \"192.0.2.7\"}}", who: alice(), want: "denied"},
		"denied while no address is known":   {route: "{deny: {ips: 198.51.100.1}}", who: alice(), view: from(""), want: "denied"},
		"denied by an unverified e-mail":     {route: "{deny: {emails: [alice@example.com]}}", who: alice(unverified), want: "denied"},
		"denied by an unverified domain":     {route: "{deny: {emailDomains: [example.com]}}", who: alice(unverified), want: "denied"},
		"a proxy's address allows nobody":    {route: "{allow: {ips: 192.0.2.7}}", who: alice(), view: unsure(), want: "not_allowed"},
		"nor does it evade deny":             {route: "{deny: {ips: 198.51.100.1}}", who: alice(), view: unsure(), want: "denied"},
		"nor is it a condition's":            {route: "{when: 'request.ip == \"192.0.2.7\"'}", who: alice(), view: unsure(), want: "condition_error"},
		"others are not denied":              {route: "{deny: {emails: [bob@example.com], ips: 198.51.100.1}}", who: alice()},
		"deny wins over allow":               {route: "{allow: {emails: [alice@example.com]}, deny: {groups: [ex]}}", who: alice(groups("ex")), want: "denied"},
		"a condition that holds":             {route: "{when: 'auth.sub == \"alice\"'}", who: alice()},
		"a condition that does not":          {route: "{when: 'auth.sub == \"bob\"'}", who: alice(), want: "condition_failed"},
		"the first failure is the one named": {route: "{requiredRoles: [admin], requiredScopes: [a], when: 'false'}", who: alice(), want: "missing_role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, editors+"\nroute: "+c.route)
			if c.view == nil {
				c.view = get("/docs/7")
			}
			if got, steps := l.ask(t, c.who, c.view, c.params); got != c.want {
				t.Errorf("got %q, want %q\n%s", got, c.want, failed(steps))
			}
		})
	}
}

func TestRequirementsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	const on = "rbac: {}\nroute: "
	for name, c := range map[string]struct{ text, want string }{
		"rbac is not there":                    {"route:\n  requiredPermissions: [docs:read]", "p.yaml:2:3: route.requiredPermissions: the file has no rbac"},
		"rbac is off":                          {"rbac: {enabled: false}\nroute: {requiredRoles: admin}", "route.requiredRoles: rbac is off here"},
		"no permission":                        {on + "{requiredPermissions: [docs]}", "route.requiredPermissions[0]: not a permission"},
		"an unknown role":                      {on + "{requiredRoles: [admni]}", `route.requiredRoles[0]: no role has this name; did you mean "admin"?`},
		"an empty list":                        {on + "{requiredRoles: []}", "route.requiredRoles: the list is empty"},
		"an empty name":                        {on + "{requiredScopes: [\"\"]}", "route.requiredScopes[0]: empty"},
		"several scopes in one":                {on + "{requiredScopes: [a b]}", "one scope has no blanks"},
		"requireAuth: false beside others":     {on + "{requireAuth: false, requiredScopes: [a]}", "route.requireAuth: false contradicts"},
		"allow that names nobody":              {on + "{allow: {}}", "route.allow: it names nobody"},
		"no e-mail address":                    {on + "{allow: {emails: [alice]}}", "route.allow.emails[0]: not an e-mail address"},
		"no domain":                            {on + "{allow: {emailDomains: [\"@example.com\"]}}", "route.allow.emailDomains[0]: not a domain"},
		"a wildcard domain":                    {on + "{allow: {emailDomains: [\"*.example.com\"]}}", "route.allow.emailDomains[0]: not a domain"},
		"no address":                           {on + "{deny: {ips: [10.0.0]}}", "route.deny.ips[0]: not an address"},
		"bits behind the prefix":               {on + "{deny: {ips: [10.1.2.3/8]}}", "the network's own form is 10.0.0.0/8"},
		"an empty tenant":                      {on + "{tenant: \"\"}", "route.tenant: empty"},
		"an unknown source":                    {on + "{tenant: \"{{parms.id}}\"}", "params"},
		"an unknown parameter":                 {on + "{tenant: \"{{params.tenent}}\"}", `the path has no parameter of this name; did you mean "tenant"?`},
		"a tenant compared with itself":        {on + "{tenant: \"{{auth.tenant_id}}\"}", "compares the caller's tenant with itself"},
		"a body that is not yet read":          {on + "{tenant: \"{{body.t}}\"}", "route.tenant: "},
		"requireMfa of something else":         {on + "{requireMfa: {factors: [sms]}}", "is no factor: totp or passkey"},
		"resource without a row":               {on + "{resource: {collection: agents, role: admin}}", "route.resource.id: this key is required"},
		"resource with another role":           {on + "{resource: {collection: agents, id: a, role: boss}}", "resource.role"},
		"resource of a parameter there is not": {on + "{resource: {collection: agents, id: \"{{params.ID}}\", role: admin}}", "the path has no parameter of this name"},
		"resource of nothing":                  {on + "{resource: {collection: agents, id: \"\", role: admin}}", "resource.id"},
		"a factor that looks back":             {on + "{requireMfa: {maxAge: -1m}}", "maxAge"},
		"no factor at all":                     {on + "{requireMfa: {factors: []}}", "the list is empty"},
		"requireMfa of a word":                 {on + "{requireMfa: totp}", "requireMfa"},
		"an unknown requirement":               {on + "{requiredPermission: [a:b]}", `did you mean "requiredPermissions"?`},
		"an empty condition":                   {on + "{when: \" \"}", "route.when: empty"},
		"a condition that does not compile":    {on + "{when: \"auth.sub = 1\"}", "route.when: column "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := load(t, c.text)
			if !strings.Contains(l.problems, c.want) {
				t.Errorf("got\n%s\nwant %s", l.problems, c.want)
			}
		})
	}
}

func TestARequirementThatDidNotLoadRefusesEverybody(t *testing.T) {
	t.Parallel()
	for _, route := range []string{
		"{requiredRoles: [nosuch]}", "{requiredPermissions: []}", "{allow: {}}", "{when: 'nosuch'}", "{tenant: '{{params.nosuch}}'}",
	} {
		l := load(t, "rbac: {}\nroute: "+route)
		if got, _ := l.ask(t, alice(roles("admin")), get("/"), nil); got != "policy_failed" {
			t.Errorf("%s: got %q", route, got)
		}
	}
}

// panicking is an environment that fails in the worst way.
type panicking struct{}

func (panicking) Lookup(template.Source, []template.Step) (any, bool) { panic("secret-value") }

func TestAnyFaultRefuses(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, "rbac: {}\nroute: {tenant: '{{params.tenant}}'}")
	stand := l.book.Stand(alice(), l.tenants, nil)
	for name, in := range map[string]Input{
		"nothing at all":       {},
		"no standing":          {View: get("/")},
		"no view":              {Standing: &stand},
		"no environment":       {View: get("/"), Standing: &stand},
		"one that panics":      {View: get("/"), Standing: &stand, Env: panicking{}},
		"a standing of no one": {View: get("/"), Standing: &Standing{}},
	} {
		for _, rec := range []*trace.Recorder{nil, {}} {
			f := l.req.Check(in, rec)
			if f == nil {
				t.Errorf("%s: let through", name)
			} else if f.Kind != fault.Internal && f.Kind != fault.Unauthenticated || strings.Contains(f.Text(), "secret-value") {
				t.Errorf("%s: %v", name, f)
			}
		}
	}
	var none *Requirement
	if none.Any() || none.Check(Input{}, nil) != nil || none.Describe() != nil || none.Providers() != nil {
		t.Error("a nil requirement asks for something")
	}
}

func TestWhatARouteAsksInPlainWords(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors+`
route:
  authProvider: [jwt, entra]
  requiredPermissions: [docs:read, docs:write]
  requiredRoles: [editor, admin]
  requiredScopes: read
  tenant: "{{params.tenant}}"
  allow: {emails: [a@example.com, b@example.com], ips: 10.0.0.0/8}
  deny: {groups: ex}
  when: |
    auth.email_domain == "example.com" &&
      now < timestamp("2030-01-01T00:00:00Z")
`)
	want := []string{
		"signed in by jwt or entra",
		"not group ex",
		"e-mails a@example.com or b@example.com, or client address in 10.0.0.0/8",
		"any of the roles editor or admin",
		"permissions docs:read and docs:write",
		"scope read",
		"tenant equal to {{params.tenant}}",
		`when auth.email_domain == "example.com" && now < timestamp("2030-01-01T00:00:00Z")`,
	}
	if got := l.req.Describe(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatARouteAsksForAnybodyToRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"requireAuth: true":                                      "signed in",
		"requiredPermissions: [docs:read]":                       "signed in; permission docs:read",
		"allow: {emails: [a@example.com], ips: 10.0.0.0/8}":      "signed in; among those who are let in by name, group or address",
		"deny: {groups: ex}":                                     "signed in; not among those who are kept out",
		`tenant: "{{params.tenant}}"`:                            "signed in; tenant equal to {{params.tenant}}",
		"tenant: acme":                                           "signed in; of the tenant that the route is for",
		`tenant: "acme-{{params.tenant}}"`:                       "signed in; of the tenant that the route is for",
		"when: auth.sub == params.tenant":                        "signed in; when auth.sub == params.tenant",
		`when: auth.email == "a@example.com"`:                    "signed in; a further condition on the caller and the request",
		"when: |\n    auth.sub == params.tenant // not for anna": "signed in; a further condition on the caller and the request",
	} {
		l := mustLoad(t, editors+"\nroute:\n  "+text+"\n")
		if got := strings.Join(l.req.Outline(), "; "); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	if (*Requirement)(nil).Outline() != nil {
		t.Error("no requirement asks for something")
	}
}
