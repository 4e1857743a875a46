package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/template"
)

// prospects are callers of whom only what is stored is known.
func genProspect(t *rapid.T, l loaded) (Prospect, *principal.Principal, *Known) {
	known := &Known{Tenant: rapid.SampledFrom([]string{"", "main", "acme"}).Draw(t, "its tenant")}
	who := alice(func(p *principal.Principal) {
		p.TrustRoles = rapid.Bool().Draw(t, "trustRoles")
		if rapid.Bool().Draw(t, "no e-mail") {
			p.Email, p.EmailFolded, p.EmailDomain, p.EmailVerified = "", "", "", false
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 1:
			p.Kind = principal.Service
		case 2:
			*p = principal.Principal{Kind: principal.Service, Provider: "apiKey", ProviderKind: "apiKey", Subject: "key:1", CredentialID: "1"}
			known.Key = &KeyGrant{ID: "1", Scopes: []string{"*", genPermission(t)}, CreatorRoles: rapid.SliceOfN(rapid.SampledFrom(someRoles), 0, 2).Draw(t, "of its maker")}
		case 3:
			*p = principal.Principal{Kind: principal.Machine, Provider: "machine", ProviderKind: "machine", Subject: "machine:1", CredentialID: "1"}
		}
	})
	if who.CredentialID == "" {
		known.Roles = rapid.SliceOfN(rapid.SampledFrom(someRoles), 0, 2).Draw(t, "stored")
	}
	stand := l.book.Stand(who, l.tenants, known)
	return Prospect{Standing: &stand, Token: who.CredentialID == "", Now: noon}, who, known
}

// shown is what a token might say of a prospect, beside what is known of it.
func genShown(t *rapid.T, who *principal.Principal) *principal.Principal {
	out := *who
	if who.CredentialID != "" {
		return &out
	}
	out.Roles = rapid.SliceOfN(rapid.SampledFrom(someRoles), 0, 4).Draw(t, "roles")
	out.Scopes = rapid.SliceOfN(rapid.SampledFrom(someWords), 0, 3).Draw(t, "scopes")
	out.Groups = rapid.SliceOfN(rapid.SampledFrom(someWords), 0, 3).Draw(t, "groups")
	if out.Email == "" && rapid.Bool().Draw(t, "says an e-mail") {
		a := alice()
		out.Email, out.EmailFolded, out.EmailDomain, out.EmailVerified = a.Email, a.EmailFolded, a.EmailDomain, true
	}
	return &out
}

func TestWhatIsForeseenComesTrue(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"plain": editors, "default role": strings.Replace(editors, "defaultRole: user", "defaultRole: editor", 1)} {
		l := mustLoad(t, file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				q := genRequirements(t)
				if rapid.Bool().Draw(t, "asks for a factor") {
					q.RequireMFA = &MFAConfig{}
				}
				req := Compile(q, Deps{Book: l.book, Params: []string{"tenant"}}, nil)
				p, who, known := genProspect(t, l)
				o, why := req.Outlook(p)
				if o != Always && len(why) == 0 {
					t.Fatal("nobody is told why")
				}
				token, view := genShown(t, who), genView(t)
				stand := l.book.Stand(token, l.tenants, known)
				in := Input{View: view, Standing: &stand, Params: params{"tenant": "acme"}, Now: noon, Env: env{view, &stand, params{"tenant": "acme"}}}
				if rapid.Bool().Draw(t, "shows a factor") {
					in.StepUp = &StepUp{At: noon, Factor: FactorTOTP}
				}
				switch f := req.Check(in, nil); {
				case o == Always && f != nil:
					t.Fatalf("always, and refused with %s: %v", f.Code, why)
				case o == Never && f == nil:
					t.Fatalf("never, and let through: %v", why)
				}
			})
		})
	}
}

func TestAnOutlookSaysWhy(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	text := func(s string) *template.Text { t := template.Parse(s); return &t }
	when := `auth.groups.exists(g, g == "secret-project")`
	for name, c := range map[string]struct {
		q    Requirements
		want Outlook
		why  string
	}{
		"nothing":        {Requirements{}, Always, ""},
		"a permission":   {Requirements{RequiredPermissions: []string{"docs:read"}}, Always, "permission docs:read: the caller has role reader"},
		"none":           {Requirements{RequiredPermissions: []string{"docs:write"}}, Never, "permission docs:write: the caller has role reader"},
		"another's":      {Requirements{AuthProvider: []string{"entra"}}, Never, "signed in by entra"},
		"let in":         {Requirements{Allow: &MatchConfig{Emails: []string{"alice@example.com"}}}, Always, "let in"},
		"not let in":     {Requirements{Allow: &MatchConfig{Emails: []string{"bob@secret.example"}}}, Never, "not among"},
		"kept out":       {Requirements{Deny: &MatchConfig{EmailDomains: []string{"example.com"}}}, Never, "kept out"},
		"by address":     {Requirements{Deny: &MatchConfig{IPs: []string{"192.0.2.0/24"}}}, Depends, "kept out by the client's address"},
		"by group":       {Requirements{Allow: &MatchConfig{Groups: []string{"secret-project"}}}, Depends, "let in by the groups"},
		"by scope":       {Requirements{RequiredScopes: []string{"mail"}}, Depends, "the token has to have scope mail"},
		"its tenant":     {Requirements{Tenant: text("main")}, Always, "is of the tenant"},
		"another tenant": {Requirements{Tenant: text("secret-tenant")}, Never, "is not of the tenant"},
		"about a tenant": {Requirements{Tenant: text("{{params.tenant}}")}, Depends, "about tenant main"},
		"a condition":    {Requirements{When: &when}, Depends, "a further condition"},
		"a factor":       {Requirements{RequireMFA: &MFAConfig{}}, Depends, "has to show a second factor"},
	} {
		req := Compile(c.q, Deps{Book: l.book, Params: []string{"tenant"}}, nil)
		stand := l.book.Stand(alice(func(p *principal.Principal) { p.TrustRoles = false }), l.tenants, &Known{Tenant: "main", Roles: []string{"reader"}})
		o, why := req.Outlook(Prospect{Standing: &stand, Token: true, Now: noon})
		if said := strings.Join(why, "; "); o != c.want || !strings.Contains(said, c.why) || strings.Contains(said, "secret") {
			t.Errorf("%s: %d, %q", name, o, said)
		}
	}
}

func TestWhatATokenClaimsMayTakeTheDefaultRoleAway(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, strings.Replace(editors, "defaultRole: user", "defaultRole: editor", 1))
	read := Compile(Requirements{RequiredPermissions: []string{"docs:read"}}, Deps{Book: l.book}, nil)
	users := Compile(Requirements{RequiredPermissions: []string{"users:read"}}, Deps{Book: l.book}, nil)
	platform := Compile(Requirements{RequiredPermissions: []string{"platform:read"}}, Deps{Book: l.book}, nil)
	for _, c := range []struct {
		trusted               bool
		stored                []string
		read, users, platform Outlook
	}{
		{false, nil, Always, Never, Never},
		{true, nil, Depends, Depends, Never}, // a claim of viewer takes the role away, one of admin brings more
		{true, []string{"reader"}, Always, Depends, Never},
		{false, []string{"viewer"}, Never, Never, Never},
	} {
		stand := l.book.Stand(alice(func(p *principal.Principal) { p.TrustRoles = c.trusted }), nil, &Known{Roles: c.stored})
		p := Prospect{Standing: &stand, Token: true, Now: noon}
		for req, want := range map[*Requirement]Outlook{read: c.read, users: c.users, platform: c.platform} {
			if o, why := req.Outlook(p); o != want {
				t.Errorf("%+v, %v: %d by %q, want %d", c, req.Permissions(), o, why, want)
			}
		}
	}
}

func TestWhichRolesWouldBeEnough(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	own := NewStoredRoles([]RoleDef{{Name: "writer", Permissions: []string{"docs:write"}}, {Name: "hollow"}})
	for _, c := range []struct {
		q    Requirements
		want []string
	}{
		{Requirements{}, nil},
		{Requirements{RequireMFA: &MFAConfig{}}, nil},
		{Requirements{RequiredPermissions: []string{"docs:write"}}, []string{"editor", "writer", "admin"}},
		{Requirements{RequiredRoles: []string{"reader", "editor"}, RequiredPermissions: []string{"docs:write"}}, []string{"editor"}},
	} {
		req := Compile(c.q, Deps{Book: l.book}, nil)
		if d := cmp.Diff(c.want, req.Enough(l.book, own)); d != "" {
			t.Errorf("%v: %s", c.q, d)
		}
	}
}

func TestWhereAPermissionComesFrom(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, editors)
	who := alice(func(p *principal.Principal) { p.TrustRoles = false })
	stand := l.book.Stand(who, nil, &Known{Roles: []string{"reader", "viewer"}})
	want := []Source{{"docs:read", []string{"role reader"}}, {"machines:read", []string{"role viewer"}}}
	if d := cmp.Diff(want, stand.Sources()); d != "" {
		t.Error(d)
	}
	key := &principal.Principal{Kind: principal.Service, Provider: "apiKey", ProviderKind: "apiKey", CredentialID: "1"}
	stand = l.book.Stand(key, nil, &Known{Key: &KeyGrant{Scopes: []string{"*", "docs:read"}, CreatorRoles: []string{"reader"}}})
	if d := cmp.Diff([]Source{{"docs:read", []string{"scope *", "scope docs:read"}}}, stand.Sources()); d != "" {
		t.Error(d)
	}
}
