package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/principal"
)

func TestPermissionTexts(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"docs:read": true, "docs:*": true, "*:read": true, "*:*": true, "a-b.c/d:x_y": true,
		"": false, "docs": false, "docs:": false, ":read": false, "docs:read:all": false, "do*:read": false,
		"docs:re ad": false, "docs:read,write": false, "döcs:read": false, "*": false, "docs:\nread": false,
		strings.Repeat("a", 128) + ":b": false,
	} {
		if _, err := ParsePermission(text); (err == nil) != ok {
			t.Errorf("ParsePermission(%q) = %v, want ok %v", text, err, ok)
		}
	}
}

func TestWhatAPermissionSetCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		held, asked string
		want        bool
	}{
		{"docs:read", "docs:read", true},
		{"docs:read", "docs:write", false},
		{"docs:read", "Docs:read", false},
		{"docs:*", "docs:write", true},
		{"docs:*", "docs:*", true},
		{"docs:read", "docs:*", false},
		{"*:read", "docs:read", true},
		{"*:read", "docs:write", false},
		{"*:read", "*:read", true},
		{"*:read", "*:*", false},
		{"*:*", "anything:at-all", true},
		{"*:*", "*:*", true},
		{"*:*", "platform:read", false},
		{"*:read", "platform:read", false},
		{"platform:read", "platform:read", true},
		{"platform:*", "platform:write", true},
		{"platform:*", "docs:read", false},
		{"*:*", "nonsense", false},
		{"*:*", ":read", false},
		{"*:*", "", false},
	} {
		held, err := ParsePermission(c.held)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := split(c.asked)
		if got := ok && newSet([]Permission{held}).covers(p); got != c.want {
			t.Errorf("who holds %s: asked for %s: got %v, want %v", c.held, c.asked, got, c.want)
		}
	}
}

const editors = `
rbac:
  defaultRole: user
  roles:
    - {name: editor, permissions: ["docs:*"], parentRole: reader}
    - {name: reader, permissions: "docs:read", parentRole: user}
    - {name: ops, permissions: ["platform:read", "machines:read"]}
`

func TestRolesOfTheFileAndTheBuiltInOnes(t *testing.T) {
	t.Parallel()
	b := mustLoad(t, editors).book
	if got, want := b.Roles(), []string{"admin", "editor", "member", "ops", "reader", "user", "viewer"}; !cmp.Equal(got, want) {
		t.Errorf("roles %v, want %v", got, want)
	}
	for permission, want := range map[string][]string{
		"docs:read":      {"editor", "reader", "admin"},
		"docs:write":     {"editor", "admin"},
		"machines:read":  {"member", "ops", "viewer", "admin"},
		"escrow:reveal":  {"member", "admin"},
		"platform:read":  {"ops"},
		"platform:write": nil,
		"nonsense":       nil,
	} {
		if got := b.RolesWith(permission); !cmp.Equal(got, want) {
			t.Errorf("RolesWith(%s) = %v, want %v", permission, got, want)
		}
	}
	if got, want := b.RolePermissions("editor"), []string{"docs:*", "docs:read"}; !cmp.Equal(got, want) {
		t.Errorf("editor holds %v, want %v", got, want)
	}
}

func TestAFileRoleReplacesTheBuiltInOne(t *testing.T) {
	t.Parallel()
	b := mustLoad(t, `rbac: {roles: [{name: admin, permissions: ["docs:read"]}]}`).book
	s := b.Stand(alice(roles("admin")), nil, nil)
	if s.Has("users:read") || !s.Has("docs:read") {
		t.Errorf("admin of the file holds %v", s.Permissions())
	}
}

func TestRolesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown parent": {
			"rbac:\n  roles:\n    - {name: editor, parentRole: raeder}\n    - {name: reader}",
			`p.yaml:3:22: rbac.roles[0].parentRole: no role has this name; did you mean "reader"?`,
		},
		"its own parent": {
			"rbac: {roles: [{name: a, parentRole: a}]}",
			"rbac.roles[0].parentRole: the parents go round in a circle: roles[0] → roles[0]",
		},
		"a circle of three": {
			"rbac: {roles: [{name: a, parentRole: b}, {name: b, parentRole: c}, {name: c, parentRole: a}]}",
			"roles[0] → roles[1] → roles[2] → roles[0]",
		},
		"no permission":       {"rbac: {roles: [{name: a, permissions: [read]}]}", "rbac.roles[0].permissions[0]: not a permission"},
		"two of one name":     {"rbac: {roles: [{name: a}, {name: a}]}", "rbac.roles[1].name: another role"},
		"a name with a comma": {`rbac: {roles: [{name: "a,b"}]}`, "rbac.roles[0].name: a role name is"},
		"unknown default":     {"rbac: {defaultRole: usr}", `rbac.defaultRole: no role has this name; did you mean "user"?`},
		"a default that crosses tenants": {
			`rbac: {defaultRole: ops, roles: [{name: ops, permissions: ["platform:read"]}]}`,
			"rbac.defaultRole: this role holds a permission on platform",
		},
		"a misspelt key": {"rbac: {roles: [{name: a, permisions: []}]}", `did you mean "permissions"?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := load(t, c.text).problems; !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhichRolesACallerHas(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	for name, c := range map[string]struct {
		who  *principal.Principal
		want []string
	}{
		"claimed by a trusted provider":      {alice(roles("editor")), []string{"editor"}},
		"several, each once, in their order": {alice(roles("viewer", "editor", "viewer")), []string{"viewer", "editor"}},
		"more than fit in place":             {alice(roles("admin", "editor", "member", "ops", "reader", "viewer", "reader", "ops", "admin")), []string{"admin", "editor", "member", "ops", "reader", "viewer"}},
		"unknown ones do not count":          {alice(roles("root", "editor")), []string{"editor"}},
		"only unknown ones: the default":     {alice(roles("root")), []string{"user"}},
		"none: the default":                  {alice(), []string{"user"}},
		"claimed by one that is not trusted": {alice(roles("admin"), func(p *principal.Principal) { p.TrustRoles = false }), []string{"user"}},
		"names are exact":                    {alice(roles("Admin", "admin ")), []string{"user"}},
		"a service token has no default":     {alice(func(p *principal.Principal) { p.Kind = principal.Service }), []string{}},
		"a machine has none":                 {alice(roles("admin"), func(p *principal.Principal) { p.Kind = principal.Machine }), []string{}},
		"an API key has none":                {alice(roles("admin"), func(p *principal.Principal) { p.ProviderKind = "apiKey" }), []string{}},
		"nobody has none":                    {principal.Nobody(), []string{}},
		"no principal at all":                {nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := l.book.Stand(c.who, l.tenants, nil)
			if got := s.Roles(); !cmp.Equal(got, c.want) {
				t.Errorf("roles %v, want %v", got, c.want)
			}
			for _, r := range c.want {
				if !s.HasRole(r) {
					t.Errorf("HasRole(%s) is false", r)
				}
			}
		})
	}
}

func TestPlatformNeverComesFromAClaim(t *testing.T) {
	t.Parallel()
	s := mustLoad(t, editors).book.Stand(alice(roles("ops", "admin")), nil, nil)
	if s.Has("platform:read") || !s.Has("machines:read") {
		t.Errorf("a token claims ops: it holds %v", s.Permissions())
	}
	if got, want := s.Permissions(), []string{"*:*", "machines:read"}; !cmp.Equal(got, want) {
		t.Errorf("whoami would show %v, want %v", got, want)
	}
}

func TestAMachineHoldsOnePermission(t *testing.T) {
	t.Parallel()
	s := mustLoad(t, editors).book.Stand(alice(roles("admin"), func(p *principal.Principal) {
		p.Kind, p.ProviderKind, p.Scopes = principal.Machine, "machine", []string{"docs:read"}
	}), nil, nil)
	if !s.Has("machine:ingest") || s.Has("machine:read") || s.Has("docs:read") || s.HasScope("docs:read") {
		t.Errorf("holds %v, scopes %v", s.Permissions(), s.Scopes())
	}
}

func TestASitesOwnRBAC(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text    string
		enabled bool
		role    string
	}{
		"inherited":                            {"rbac: {defaultRole: user}", true, "user"},
		"off at the top stays off":             {"rbac: {enabled: false}\nsite: {defaultRole: viewer}", false, "viewer"},
		"on here alone":                        {"site: {}", true, ""},
		"off here alone":                       {"rbac: {defaultRole: user}\nsite: {enabled: false}", false, "user"},
		"no default here":                      {"rbac: {defaultRole: user}\nsite: {defaultRole: ''}", true, ""},
		"without the key nothing may be asked": {"", false, ""},
		"where the key stands and is silent":   {"rbac: {}", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, c.text)
			s := l.book.Stand(alice(), nil, nil)
			if l.book.Enabled() != c.enabled || s.Role() != c.role {
				t.Errorf("enabled %v and role %q, want %v and %q", l.book.Enabled(), s.Role(), c.enabled, c.role)
			}
		})
	}
}

func TestBooksThatDecideAlikeHaveOneDigest(t *testing.T) {
	t.Parallel()
	a := mustLoad(t, `rbac: {roles: [{name: a, permissions: ["x:1", "x:2"]}, {name: b}]}`).book.Digest()
	same := mustLoad(t, `rbac: {roles: [{name: b, description: B}, {name: a, permissions: ["x:2", "x:1", "x:1"]}]}`).book.Digest()
	if a != same {
		t.Error("order and description changed the digest")
	}
	for _, other := range []string{
		`rbac: {roles: [{name: a, permissions: ["x:1"]}, {name: b, permissions: ["x:2"]}]}`,
		`rbac: {enabled: false, roles: [{name: a, permissions: ["x:1", "x:2"]}, {name: b}]}`,
		`rbac: {defaultRole: a, roles: [{name: a, permissions: ["x:1", "x:2"]}, {name: b}]}`,
	} {
		if mustLoad(t, other).book.Digest() == a {
			t.Errorf("%s has the same digest", other)
		}
	}
}

func TestTheTenantOfACaller(t *testing.T) {
	t.Parallel()
	tenant := func(name string) func(*principal.Principal) {
		return func(p *principal.Principal) { p.Tenant = name }
	}
	entra := func(p *principal.Principal) {
		p.Provider, p.ProviderKind, p.TrustTenant, p.TrustRoles, p.SharedSecret = "entra", "oidc", false, false, false
	}
	for name, c := range map[string]struct {
		text string
		who  *principal.Principal
		want string
	}{
		"a trusted claim":                    {"", alice(tenant("acme")), "acme"},
		"no claim: the default for jwt":      {"", alice(), "main"},
		"another default":                    {"tenants: {default: base}", alice(), "base"},
		"an untrusted claim does not count":  {"", alice(tenant("acme"), entra), ""},
		"untrusted, but listed":              {"tenants: {defaultFor: entra}", alice(tenant("acme"), entra), "main"},
		"listed by its kind":                 {"tenants: {defaultFor: [oidc]}", alice(entra), "main"},
		"not listed":                         {"tenants: {defaultFor: [entra]}", alice(), ""},
		"listed for nobody":                  {"tenants: {defaultFor: []}", alice(), ""},
		"never from access":                  {"", alice(tenant("acme"), func(p *principal.Principal) { p.ProviderKind, p.Provider, p.SharedSecret = "access", "access", false }), ""},
		"public keys that a site calls jwt":  {"", alice(func(p *principal.Principal) { p.SharedSecret = false }), ""},
		"unless jwt is listed":               {"tenants: {defaultFor: jwt}", alice(func(p *principal.Principal) { p.SharedSecret = false }), "main"},
		"a claim that is no name is none":    {"", alice(tenant("acme\r\nx: y")), ""},
		"nor is one with a slash":            {"", alice(tenant("../main")), ""},
		"a machine without its own has none": {"", alice(func(p *principal.Principal) { p.Kind = principal.Machine }), ""},
		"nobody has none":                    {"", principal.Nobody(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, c.text)
			s := l.book.Stand(c.who, l.tenants, nil)
			if s.Tenant != c.want {
				t.Errorf("tenant %q, want %q", s.Tenant, c.want)
			}
			if c.want == "" && c.who.Authenticated() && s.TenantProblem == "" {
				t.Error("nothing says why there is no tenant")
			}
		})
	}
}

func TestTenantSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"tenants: {default: Main}":       "tenants.default: a tenant name is",
		"tenants: {defaultFor: [entar]}": `tenants.defaultFor[0]: no provider goes by this name; did you mean "entra"?`,
		"tenants: {default: -x}":         "tenants.default",
	} {
		if got := load(t, text).problems; !strings.Contains(got, want) {
			t.Errorf("%s: got\n%s\nwant %s", text, got, want)
		}
	}
}
