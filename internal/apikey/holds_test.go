package apikey

import (
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

// A key that would open nothing when it is used is not handed out, and the
// refusal says what would help.
func TestAKeyThatWouldHoldNothingIsNotMade(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		byDefault := policy.NewBook(&policy.RBACConfig{DefaultRole: "editor", Roles: []policy.RoleConfig{
			{Name: "editor", Permissions: []string{"docs:*", "apikeys:write"}},
		}}, nil)
		who := &principal.Principal{Kind: principal.User, Provider: "jwt", ProviderKind: "jwt", Subject: "dora", IssuerFree: true, Tenant: "a", TrustTenant: true}
		standing := func(b *policy.Book, roles ...string) By {
			s := b.Stand(who, nil, &policy.Known{Tenant: "a", Roles: roles})
			return By{Standing: &s}
		}
		for name, c := range map[string]struct {
			by     By
			tenant string
			scopes []string
			want   string // in the details; "": it is made
		}{
			"by the default role":             {standing(byDefault), "a", []string{"docs:read"}, "the key would not hold docs:read: the default role passes to no key: assign the role"},
			"by what counts in another":       {standing(book(), "editor"), "b", []string{"docs:read"}, "make it on the host"},
			"by what its token claims":        {person("ann", "editor"), "a", []string{"docs:read", "docs:*"}, ""},
			"by what its token claims, all":   {person("root", "admin"), "a", []string{"*", "*:read", "docs:*", "apikeys:read"}, ""},
			"claimed roles in another tenant": {person("ann", "editor"), "b", []string{"docs:read"}, ""},
			"on the host":                     {host(), "b", []string{"docs:read"}, ""},
		} {
			_, err := k.s.Create(t.Context(), c.by, c.tenant, draft(c.scopes...))
			if c.want == "" {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Forbidden || f.Code != ErrHoldsLess.Code || len(f.Details) != 1 || !strings.Contains(f.Details[0].Issue, c.want) {
				t.Errorf("%s: %v %+v", name, err, f)
			}
		}
		m := k.create(person("ann", "keeper"), draft("apikeys:read"))
		if _, err := k.s.Change(t.Context(), person("bob", "editor"), "a", m.ID, Draft{Scopes: set([]string{"apikeys:read", "docs:read"})}); !errors.Is(err, ErrHoldsLess) {
			t.Errorf("scopes that somebody else holds: %v", err)
		}
		if _, err := k.s.Change(t.Context(), person("ann", "editor"), "a", m.ID, Draft{Scopes: set([]string{"apikeys:read", "docs:read"})}); err != nil {
			t.Errorf("its maker, who holds them by now: %v", err)
		}
	})
}
