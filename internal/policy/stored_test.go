package policy

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/principal"
)

const hostRoles = `rbac: {defaultRole: user, roles: [
  {name: editor, permissions: ["docs:read", "docs:write"]},
  {name: operator, permissions: ["platform:read"], parentRole: editor}]}`

func TestStoredRolesAddToClaimedOnes(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, hostRoles)
	own := NewStoredRoles([]RoleDef{
		{Name: "clerk", Permissions: []string{"orders:read"}, Parent: "editor"},
		{Name: "boss", Permissions: []string{"orders:*", "nonsense"}, Parent: "clerk"},
		{Name: "caretaker", Parent: "operator"},
		{Name: "round", Permissions: []string{"orders:read"}, Parent: "about"}, {Name: "about", Permissions: []string{"a:b"}, Parent: "round"},
		{Name: "into", Permissions: []string{"a:b"}, Parent: "round"},
		{Name: "orphan", Permissions: []string{"orders:read"}, Parent: "gone"},
		{Name: "editor", Permissions: []string{"*:*"}}, // came before the file's
	})
	entra := func(p *principal.Principal) { p.TrustRoles = false }
	for name, c := range map[string]struct {
		who    *principal.Principal
		stored []string
		roles  []string
		holds  []string
	}{
		"stored ones alone":                    {alice(), []string{"clerk"}, []string{"clerk"}, []string{"docs:read", "docs:write", "orders:read"}},
		"without the provider's trust":         {alice(roles("admin"), entra), []string{"clerk"}, []string{"clerk"}, []string{"docs:read", "docs:write", "orders:read"}},
		"the union, each once":                 {alice(roles("viewer", "editor")), []string{"editor", "editor"}, []string{"editor", "viewer"}, []string{"docs:read", "docs:write", "machines:read"}},
		"a tenant's role is claimed by nobody": {alice(roles("clerk")), nil, []string{"user"}, []string{}},
		"the default only without any":         {alice(), nil, []string{"user"}, []string{}},
		"unknown ones are none":                {alice(), []string{"nosuch"}, []string{"user"}, []string{}},
		"platform of the file counts stored":   {alice(), []string{"operator"}, []string{"operator"}, []string{"docs:read", "docs:write", "platform:read"}},
		"and claimed besides as stored":        {alice(roles("operator")), []string{"operator"}, []string{"operator"}, []string{"docs:read", "docs:write", "platform:read"}},
		"a tenant's own with parents":          {alice(), []string{"boss"}, []string{"boss"}, []string{"docs:read", "docs:write", "orders:*", "orders:read"}},
		"what it inherits of the file's does":  {alice(), []string{"caretaker"}, []string{"caretaker"}, []string{"docs:read", "docs:write", "platform:read"}},
		"a circle grants nothing":              {alice(), []string{"round", "about", "into"}, []string{"round", "about", "into"}, []string{}},
		"a parent that is gone grants nothing": {alice(), []string{"orphan"}, []string{"orphan"}, []string{}},
		"the file's role stands before":        {alice(), []string{"editor"}, []string{"editor"}, []string{"docs:read", "docs:write"}},
		"more than fit": {alice(roles("viewer", "admin")), []string{"clerk", "boss", "editor", "caretaker", "operator", "member"},
			[]string{"clerk", "boss", "editor", "caretaker", "operator", "member", "viewer", "admin"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := l.book.Stand(c.who, l.tenants, &Known{Tenant: "acme", UserID: "u1", Roles: c.stored, TenantRoles: own})
			if d := cmp.Diff(c.roles, s.Roles()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.holds, s.Permissions()); c.holds != nil && d != "" {
				t.Error(d)
			}
			if s.Tenant != "acme" || s.UserID != "u1" {
				t.Errorf("tenant %q, user %q", s.Tenant, s.UserID)
			}
		})
	}
	if d := cmp.Diff([]string{"docs:read", "docs:write", "orders:read"}, l.book.Effective(own, []string{"clerk", "nosuch"})); d != "" {
		t.Error(d)
	}
}

// A reload compiles stored roles anew; a site's view of the same book does not.
func TestStoredRolesFollowTheFile(t *testing.T) {
	t.Parallel()
	own := NewStoredRoles([]RoleDef{{Name: "clerk", Parent: "editor"}})
	before, after := mustLoad(t, hostRoles), mustLoad(t, `rbac: {roles: [{name: editor, permissions: ["docs:read"]}]}`)
	key := &KeyGrant{Scopes: []string{"*"}, CreatorRoles: []string{"clerk"}}
	holds := func(b *Book) []string {
		who := alice(func(p *principal.Principal) { p.Kind, p.ProviderKind = principal.Service, "apiKey" })
		s := b.Stand(who, nil, &Known{Tenant: "acme", Key: key, TenantRoles: own})
		return s.Permissions()
	}
	for _, c := range []struct {
		book *Book
		want []string
	}{{before.book, []string{"docs:read", "docs:write"}}, {after.book, []string{"docs:read"}}, {before.book, []string{"docs:read", "docs:write"}}} {
		if d := cmp.Diff(c.want, c.book.Effective(own, []string{"clerk"})); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(c.want, holds(c.book)); d != "" {
			t.Errorf("a key: %s", d)
		}
	}
	site := before.book.Site(&SiteRBACConfig{}, nil)
	before.book.Effective(own, []string{"clerk"})
	was := own.compiled.Load()
	site.Effective(own, []string{"clerk"})
	if own.compiled.Load() != was {
		t.Error("two sites of one file compile a tenant's roles in turn")
	}
}

func apiKey(p *principal.Principal) {
	p.Kind, p.Provider, p.ProviderKind, p.TrustRoles, p.SharedSecret = principal.Service, "apiKey", "apiKey", false, false
	p.Subject, p.CredentialID, p.Roles = "key:k1", "k1", []string{"admin"}
}

func TestAKeyHoldsItsScopesAsFarAsItsMakerDoes(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, hostRoles)
	for name, c := range map[string]struct {
		key        *KeyGrant
		list       []string
		has, lacks []string
	}{
		"by an administrator":  {&KeyGrant{Scopes: []string{"docs:read"}, CreatorRoles: []string{"admin"}}, []string{"docs:read"}, []string{"docs:read"}, []string{"docs:write", "docs:*"}},
		"whose roles are gone": {&KeyGrant{Scopes: []string{"docs:read"}}, []string{}, nil, []string{"docs:read"}},
		"by claimed roles":     {&KeyGrant{Scopes: []string{"docs:*"}, CreatorClaimed: []string{"editor", "nosuch"}}, []string{"docs:read", "docs:write"}, []string{"docs:write"}, []string{"docs:*", "docs:delete"}},
		"everything": {&KeyGrant{Scopes: []string{"*"}, CreatorRoles: []string{"admin"}}, []string{"*"}, []string{"docs:read", "machines:*", "usage:read"},
			[]string{"apikeys:read", "users:write", "rbac:read", "secrets:write", "escrow:reveal", "audit:read", "platform:read", "*:read", "*:*", "escrow:*"}},
		"everything and a guarded one":     {&KeyGrant{Scopes: []string{"*", "apikeys:write"}, ByHost: true}, []string{"*", "apikeys:write"}, []string{"docs:read", "apikeys:write"}, []string{"apikeys:read", "users:read", "platform:read"}},
		"made on the host, never platform": {&KeyGrant{Scopes: []string{"platform:*", "docs:read"}, ByHost: true}, []string{"docs:read"}, []string{"docs:read"}, []string{"platform:read", "platform:*"}},
		"platform by name and role":        {&KeyGrant{Scopes: []string{"*", "platform:read"}, CreatorRoles: []string{"operator"}}, []string{"docs:read", "docs:write", "platform:read"}, []string{"platform:read"}, []string{"platform:*"}},
		"platform claimed":                 {&KeyGrant{Scopes: []string{"platform:read"}, CreatorClaimed: []string{"operator"}}, []string{}, nil, []string{"platform:read"}},
		"an action of everything":          {&KeyGrant{Scopes: []string{"*:read"}, CreatorRoles: []string{"admin"}}, []string{"*:read"}, []string{"docs:read"}, []string{"users:read", "docs:write", "*:read"}},
		"a scope that is none":             {&KeyGrant{Scopes: []string{"", "docs", "docs:re*"}, ByHost: true}, []string{}, nil, []string{"docs:read"}},
		"a machine's grant":                {&KeyGrant{Machine: true, Scopes: []string{"*"}, ByHost: true}, []string{}, nil, []string{"docs:read"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := l.book.Stand(alice(apiKey), l.tenants, &Known{Tenant: "acme", Key: c.key, Roles: []string{"admin"}})
			if d := cmp.Diff(c.list, s.Permissions()); d != "" {
				t.Error(d)
			}
			for _, p := range c.has {
				if !s.Has(p) || !s.HasScope(p) {
					t.Errorf("lacks %s", p)
				}
			}
			for _, p := range c.lacks {
				if s.Has(p) || s.HasScope(p) {
					t.Errorf("has %s", p)
				}
			}
			if len(s.Roles()) > 0 || s.Role() != "" {
				t.Errorf("a key has roles %v", s.Roles())
			}
		})
	}
}

func TestNobodyGrantsWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, hostRoles)
	key := l.book.Stand(alice(apiKey), nil, &Known{Tenant: "acme", Key: &KeyGrant{Scopes: []string{"*", "apikeys:write"}, ByHost: true}})
	editor, admin := l.book.Stand(alice(roles("editor")), nil, nil), l.book.Stand(alice(roles("admin")), nil, nil)
	for _, c := range []struct {
		who  *Standing
		ask  []string
		want []string
	}{
		{&editor, []string{"docs:read", "docs:write"}, nil},
		{&editor, []string{"docs:*", "docs:read", "*"}, []string{"docs:*", "*:*"}},
		{&admin, []string{"*", "*:*", "secrets:read", "docs:*"}, nil},
		{&admin, []string{"platform:read", "nonsense", ""}, []string{"platform:read", "nonsense", ""}},
		{&key, []string{"*", "docs:read", "apikeys:write"}, nil},
		{&key, []string{"*:*", "*:read", "apikeys:read", "users:read"}, []string{"*:*", "*:read", "apikeys:read", "users:read"}},
	} {
		if d := cmp.Diff(c.want, c.who.HoldsAll(c.ask)); d != "" {
			t.Errorf("%v: %s", c.who.Permissions(), d)
		}
	}
	if !admin.Covers(&editor) || editor.Covers(&admin) || !admin.Covers(&key) || key.Covers(&admin) {
		t.Error("who covers whom is wrong")
	}
}

func TestAKeysRefusalSaysWhatWouldHaveBeenEnough(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		route string
		key   *KeyGrant
		want  string
	}{
		"a scope": {`{requiredPermissions: ["docs:write"]}`, &KeyGrant{Scopes: []string{"docs:read"}, ByHost: true},
			"requiredPermissions: wanted docs:write; found an API key with scope docs:read; missing: docs:write; enough: a key with scope docs:write, made by somebody who holds it"},
		"its maker": {`{requiredScopes: ["docs:write"]}`, &KeyGrant{Scopes: []string{"docs:write", "docs:read"}, CreatorClaimed: []string{"viewer"}},
			"requiredScopes: wanted docs:write; found an API key with scopes docs:read and docs:write, none of which counts: whoever made it holds none of them now; missing: docs:write; enough: whoever made the key holding docs:write again, or a key of somebody who does"},
		"no permission at all": {`{requiredScopes: [profile]}`, &KeyGrant{Scopes: []string{"*"}, ByHost: true},
			"requiredScopes: wanted profile; found an API key with scope *; missing: profile; enough: a key with scope profile, made by somebody who holds it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, hostRoles+"\nroute: "+c.route)
			code, steps := l.askKnown(t, alice(apiKey), &Known{Tenant: "acme", Key: c.key}, get("/"), nil)
			if got := failed(steps); code == "" || got != c.want+"\n" {
				t.Errorf("%s\n%s", code, got)
			}
		})
	}
}

func TestWhereAKeyMayBeUsedFrom(t *testing.T) {
	t.Parallel()
	nets := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:198.51.100.0/120")}
	for _, c := range []struct {
		addr   string
		unsure bool
		want   bool
	}{
		{"192.0.2.7", false, true}, {"::ffff:192.0.2.7", false, true}, {"192.0.2.7", true, false}, {"192.0.3.7", false, false},
		{"2001:db8::1", false, true}, {"2001:db9::1", false, false}, {"198.51.100.3", false, true}, {"198.51.101.3", false, false}, {"", false, false},
	} {
		a, _ := netip.ParseAddr(c.addr)
		if got := (&KeyGrant{AllowedIPs: nets}).Admits(a, c.unsure); got != c.want {
			t.Errorf("%s: %v", c.addr, got)
		}
		if !(&KeyGrant{}).Admits(a, c.unsure) || !(*KeyGrant)(nil).Admits(a, c.unsure) {
			t.Errorf("%s: no list keeps nobody out", c.addr)
		}
	}
}

// The claim that is no possible name is not made good by a row or a default.
func TestWhoseTenantACallerNames(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, "")
	tenant := func(name string) func(*principal.Principal) {
		return func(p *principal.Principal) { p.Tenant = name }
	}
	for name, c := range map[string]struct {
		who             *principal.Principal
		claim, standard string
		impossible      bool
	}{
		"claimed":         {alice(tenant("acme")), "acme", "main", false},
		"not claimed":     {alice(), "", "main", false},
		"impossible":      {alice(tenant("a/b")), "", "", true},
		"not trusted":     {alice(tenant("acme"), func(p *principal.Principal) { p.TrustTenant, p.SharedSecret = false, false }), "", "", false},
		"a key's own":     {alice(apiKey, tenant("acme")), "acme", "", false},
		"a key's without": {alice(apiKey), "", "", false},
	} {
		claim, standard, problem := l.tenants.Word(c.who)
		if claim != c.claim || standard != c.standard || l.tenants.Impossible(c.who) != c.impossible || (problem == "") != (claim+standard != "") {
			t.Errorf("%s: %q, %q, %q", name, claim, standard, problem)
		}
	}
}

func TestADecisionAboutAStoredCallerAllocatesNothing(t *testing.T) { // not parallel: it counts
	b, q, who, in := permissionInput(t, 100)
	known := &Known{Tenant: "acme", UserID: "u1", Roles: []string{"role3", "clerk"},
		TenantRoles: NewStoredRoles([]RoleDef{{Name: "clerk", Parent: "role7"}})}
	grant := &Known{Tenant: "acme", Key: &KeyGrant{Scopes: []string{"*", "a:b"}, CreatorRoles: []string{"admin"}}, TenantRoles: known.TenantRoles}
	key := alice(apiKey)
	*in.Standing = b.Stand(who, nil, known)
	if f := q.Check(in, nil); f != nil {
		t.Fatal(f)
	}
	if n := testing.AllocsPerRun(100, func() {
		*in.Standing = b.Stand(who, nil, known)
		_ = q.Check(in, nil)
		*in.Standing = b.Stand(key, nil, grant)
		if !in.Standing.Has("thing1:read") || !in.Standing.HasScope("thing1:read") {
			t.Fatal("a key lost its scope")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
