package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

var (
	someWords = []string{"read", "write", "docs", "users", "platform"}
	someRoles = []string{"admin", "editor", "reader", "ops", "viewer", "user", "nosuch"}
)

func genPermission(t *rapid.T) string {
	part := func(label string) string { return rapid.SampledFrom(append(someWords, "*")).Draw(t, label) }
	return part("resource") + ":" + part("action")
}

func genPrincipal(t *rapid.T) *principal.Principal {
	return alice(func(p *principal.Principal) {
		p.Kind = rapid.SampledFrom([]principal.Kind{principal.User, principal.Service, principal.Machine, principal.Anonymous}).Draw(t, "kind")
		p.TrustRoles = rapid.Bool().Draw(t, "trustRoles")
		p.TrustTenant = rapid.Bool().Draw(t, "trustTenant")
		p.EmailVerified = rapid.Bool().Draw(t, "verified")
		p.Roles = rapid.SliceOfN(rapid.SampledFrom(someRoles), 0, 8).Draw(t, "roles")
		p.Scopes = rapid.SliceOfN(rapid.SampledFrom(someWords), 0, 3).Draw(t, "scopes")
		p.Groups = rapid.SliceOfN(rapid.SampledFrom(someWords), 0, 3).Draw(t, "groups")
		p.Tenant = rapid.SampledFrom([]string{"", "main", "acme", "bad name"}).Draw(t, "tenant")
	})
}

func genMatch(t *rapid.T, label string) *MatchConfig {
	switch rapid.IntRange(0, 3).Draw(t, label) {
	case 0:
		return &MatchConfig{Emails: config.List[string]{rapid.SampledFrom([]string{"alice@example.com", "bob@example.com"}).Draw(t, "email")}}
	case 1:
		return &MatchConfig{Groups: config.List[string]{rapid.SampledFrom(someWords).Draw(t, "group")}}
	case 2:
		return &MatchConfig{IPs: config.List[string]{rapid.SampledFrom([]string{"192.0.2.0/24", "10.0.0.0/8"}).Draw(t, "ip")}}
	default:
		return nil
	}
}

func genRequirements(t *rapid.T) Requirements {
	text := func(label string, some ...string) *string {
		if s := rapid.SampledFrom(append(some, "")).Draw(t, label); s != "" {
			return &s
		}
		return nil
	}
	list := func(label string, some []string) config.List[string] {
		l := rapid.SliceOfN(rapid.SampledFrom(some), 0, 3).Draw(t, label)
		if len(l) == 0 {
			return nil
		}
		return l
	}
	q := Requirements{
		RequiredRoles:  list("requiredRoles", someRoles[:6]),
		RequiredScopes: list("requiredScopes", someWords),
		AuthProvider:   list("authProvider", []string{"jwt", "entra"}),
		Allow:          genMatch(t, "allow"),
		Deny:           genMatch(t, "deny"),
		When:           text("when", `auth.sub == "alice"`, `auth.claims.nosuch == 1`, `"docs" in auth.groups`),
	}
	for range rapid.IntRange(0, 2).Draw(t, "n permissions") {
		q.RequiredPermissions = append(q.RequiredPermissions, genPermission(t))
	}
	if s := text("tenant", "main", "{{params.tenant}}"); s != nil {
		tmpl := template.Parse(*s)
		q.Tenant = &tmpl
	}
	return q
}

func genView(t *rapid.T) *request.View {
	v := get("/")
	v.Client = rapid.SampledFrom([]netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.1"), {}}).Draw(t, "client")
	return v
}

// judge decides with a freshly compiled requirement.
func judge(t *rapid.T, l loaded, q Requirements, who *principal.Principal, v *request.View, rec *trace.Recorder) string {
	req := Compile(q, Deps{Book: l.book, Params: []string{"tenant"}}, nil)
	stand := l.book.Stand(who, l.tenants, nil)
	p := params{"tenant": "acme"}
	f := req.Check(Input{View: v, Standing: &stand, Params: p, Now: noon, Env: env{v, &stand, p}}, rec)
	if f == nil {
		return ""
	}
	return f.Code
}

func TestOneMoreRequirementNeverLetsMoreIn(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	rapid.Check(t, func(t *rapid.T) {
		q, extra, who, v := genRequirements(t), genRequirements(t), genPrincipal(t), genView(t)
		before := judge(t, l, q, who, v, nil)
		more := q
		switch rapid.IntRange(0, 6).Draw(t, "which") {
		case 0:
			more.RequiredPermissions = append(slices.Clone(q.RequiredPermissions), genPermission(t))
		case 1:
			more.RequiredScopes = append(slices.Clone(q.RequiredScopes), rapid.SampledFrom(someWords).Draw(t, "scope"))
		case 2:
			if q.RequiredRoles == nil {
				more.RequiredRoles = extra.RequiredRoles
			}
		case 3:
			if q.Deny == nil {
				more.Deny = extra.Deny
			}
		case 4:
			if q.Allow == nil {
				more.Allow = extra.Allow
			}
		case 5:
			if q.When == nil {
				more.When = extra.When
			}
		case 6:
			if q.Tenant == nil {
				more.Tenant = extra.Tenant
			}
		}
		if after := judge(t, l, more, who, v, nil); before != "" && after == "" {
			t.Fatalf("refused with %q, and let through with one requirement more", before)
		}
	})
}

func TestDenyWins(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	rapid.Check(t, func(t *rapid.T) {
		q, who, v := genRequirements(t), genPrincipal(t), genView(t)
		q.Deny = &MatchConfig{IPs: config.List[string]{"0.0.0.0/0", "::/0"}}
		if got := judge(t, l, q, who, v, nil); got == "" {
			t.Fatal("everybody is denied, and somebody was let through")
		}
	})
}

func TestTheOrderOfListsDoesNotMatter(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	rapid.Check(t, func(t *rapid.T) {
		q, who, v := genRequirements(t), genPrincipal(t), genView(t)
		other, same := q, *who
		shuffle := func(list []string, label string) []string {
			if list == nil {
				return nil
			}
			return rapid.Permutation(list).Draw(t, label)
		}
		other.RequiredPermissions = shuffle(q.RequiredPermissions, "p")
		other.RequiredRoles = shuffle(q.RequiredRoles, "r")
		other.RequiredScopes = shuffle(q.RequiredScopes, "s")
		other.AuthProvider = shuffle(q.AuthProvider, "a")
		same.Roles, same.Scopes, same.Groups = shuffle(who.Roles, "wr"), shuffle(who.Scopes, "ws"), shuffle(who.Groups, "wg")
		if a, b := judge(t, l, q, who, v, nil), judge(t, l, other, &same, v, nil); a != b {
			t.Fatalf("%q in one order and %q in another", a, b)
		}
	})
}

func TestARecorderChangesNothingAndExplainsEveryRefusal(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	rapid.Check(t, func(t *rapid.T) {
		q, who, v := genRequirements(t), genPrincipal(t), genView(t)
		rec := &trace.Recorder{}
		quiet, told := judge(t, l, q, who, v, nil), judge(t, l, q, who, v, rec)
		if quiet != told {
			t.Fatalf("%q without a recorder, %q with one", quiet, told)
		}
		fails := 0
		for _, s := range rec.Steps {
			if !s.OK {
				fails++
			}
			if s.OK == (s.Enough != "") || s.Stage == "" || s.Check == "" {
				t.Fatalf("a step that helps nobody: %+v", s)
			}
		}
		if (fails > 0) != (quiet != "") {
			t.Fatalf("decided %q with %d failed steps", quiet, fails)
		}
	})
}

func TestWhateverAnonymousAsksForIsRefused(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	rapid.Check(t, func(t *rapid.T) {
		q, v := genRequirements(t), genView(t)
		req := Compile(q, Deps{Book: l.book, Params: []string{"tenant"}}, nil)
		if got := judge(t, l, q, principal.Nobody(), v, nil); req.Any() && got == "" {
			t.Fatal("nobody was let through")
		}
	})
}

// The compiled sets answer as the plain reading of the rules does.
func TestSetsAgreeWithThePlainReading(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var held []Permission
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			p, err := ParsePermission(genPermission(t))
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, p)
		}
		asked, err := ParsePermission(genPermission(t))
		if err != nil {
			t.Fatal(err)
		}
		want := slices.ContainsFunc(held, func(h Permission) bool {
			resource := h.resource == asked.resource || h.resource == "*" && asked.resource != platform
			return resource && (h.action == asked.action || h.action == "*")
		})
		if got := newSet(held).covers(asked); got != want {
			t.Fatalf("%v covers %v: %v, want %v", held, asked, got, want)
		}
	})
}

func TestMoreClaimedRolesNeverTakePermissionsAway(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	rapid.Check(t, func(t *rapid.T) {
		p := genPermission(t)
		few := rapid.SliceOfN(rapid.SampledFrom(someRoles[:6]), 1, 8).Draw(t, "few")
		more := append(slices.Clone(few), rapid.SliceOfN(rapid.SampledFrom(someRoles), 0, 8).Draw(t, "more")...)
		a, b := l.book.Stand(alice(roles(few...)), nil, nil), l.book.Stand(alice(roles(more...)), nil, nil)
		if a.Has(p) && !b.Has(p) {
			t.Fatalf("%v holds %s and %v does not", few, p, more)
		}
		if got := b.Roles(); len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
			t.Fatalf("a role twice: %v", got)
		}
	})
}

// manyRoles is a file of n roles, each with a permission of its own.
func manyRoles(n int) *RBACConfig {
	cfg := &RBACConfig{}
	for i := range n {
		c := RoleConfig{Name: fmt.Sprintf("role%d", i), Permissions: config.List[string]{fmt.Sprintf("thing%d:read", i)}}
		if i%50 != 0 {
			c.ParentRole = fmt.Sprintf("role%d", i-1)
		}
		cfg.Roles = append(cfg.Roles, c)
	}
	return cfg
}

func permissionInput(t testing.TB, n int) (*Book, *Requirement, *principal.Principal, Input) {
	t.Helper()
	b := NewBook(manyRoles(n), nil)
	q := Compile(Requirements{
		RequiredPermissions: config.List[string]{"thing5:read"},
		RequiredRoles:       config.List[string]{"role9", "admin"},
		RequiredScopes:      config.List[string]{"a"},
		Deny:                &MatchConfig{IPs: config.List[string]{"10.0.0.0/8"}, Emails: config.List[string]{"x@y.zz"}},
		Allow:               &MatchConfig{EmailDomains: config.List[string]{"example.com"}},
	}, Deps{Book: b}, nil)
	who := alice(roles("nosuch", "role3", "role7", "role9"), func(p *principal.Principal) { p.Scopes = []string{"b", "a"} })
	return b, q, who, Input{View: get("/"), Standing: new(Standing), Now: noon}
}

func TestADecisionAllocatesNothing(t *testing.T) {
	for _, n := range []int{10, 10_000} {
		b, q, who, in := permissionInput(t, n)
		tenants := NewTenants(nil, []Provider{{"jwt", "jwt"}}, nil)
		got := testing.AllocsPerRun(100, func() {
			*in.Standing = b.Stand(who, tenants, nil)
			if f := q.Check(in, nil); f != nil {
				t.Fatal(f)
			}
		})
		if got != 0 {
			t.Errorf("%d roles: %v allocations", n, got)
		}
	}
}

func BenchmarkPermissionCheck(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("%d roles", n), func(b *testing.B) {
			book, q, who, in := permissionInput(b, n)
			tenants := NewTenants(nil, []Provider{{"jwt", "jwt"}}, nil)
			b.ReportAllocs()
			for b.Loop() {
				*in.Standing = book.Stand(who, tenants, nil)
				if f := q.Check(in, nil); f != nil {
					b.Fatal(f)
				}
			}
		})
	}
}

func BenchmarkCondition(b *testing.B) {
	l := mustLoad(b, editors+`
route: {when: 'auth.email_domain == "example.com" && auth.claims.level >= 3 && request.path.matches("^/docs/")'}`)
	stand := l.book.Stand(alice(claims("level", num("3"))), l.tenants, nil)
	in := Input{View: get("/docs/7"), Standing: &stand, Now: noon}
	b.ReportAllocs()
	for b.Loop() {
		if f := l.req.Check(in, nil); f != nil {
			b.Fatal(f)
		}
	}
}
