package apikey

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAKeyOfAKeyNeverReachesFurther(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                 string
		scopes, parent, want []string
	}{
		{"the same", []string{"docs:read"}, []string{"docs:read"}, []string{"docs:read"}},
		{"a wide parent", []string{"docs:read", "docs:write"}, []string{"docs:*"}, []string{"docs:read", "docs:write"}},
		{"a parent that was narrowed", []string{"docs:*"}, []string{"docs:read"}, []string{"docs:read"}},
		{"crosswise", []string{"*:read"}, []string{"docs:*"}, []string{"docs:read"}},
		{"nothing in common", []string{"docs:read"}, []string{"users:read"}, []string{}},
		{"everything of everything", []string{"*"}, []string{"*:*"}, []string{"*"}},
		{"everything does not cover what must be named", []string{"apikeys:write", "docs:read"}, []string{"*"}, []string{"docs:read"}},
		{"nor the other way", []string{"*"}, []string{"apikeys:write", "docs:read"}, []string{"docs:read"}},
		{"nor with an action", []string{"*:read"}, []string{"audit:read"}, []string{}},
		{"named in both", []string{"apikeys:write"}, []string{"apikeys:*"}, []string{"apikeys:write"}},
		{"no scopes", nil, []string{"*"}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, within(tt.scopes, tt.parent)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsAScope(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"*", "docs:read", "docs:*", "*:read", "*:*", "apikeys:write"} {
		if p := scopeProblem(s); p != "" {
			t.Errorf("%s: %s", s, p)
		}
	}
	for _, s := range []string{"", "docs", "docs:", ":read", "do cs:read", "docs:read:more", "**", "platform:read", "platform:*", "docs:r*"} {
		if scopeProblem(s) == "" {
			t.Errorf("%q passes for a scope", s)
		}
	}
}

// covers is what scopes mean, said a second time: whether a concrete
// permission is in a list.
func covers(scopes []string, resource, action string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool {
		r, a := parts(s)
		return (r == resource || r == "*" && !slices.Contains(named(), resource)) && (a == action || a == "*")
	})
}

func TestScopesOfBothAreTheScopesOfEach(t *testing.T) {
	t.Parallel()
	resources, actions := []string{"docs", "users", "apikeys", "mail"}, []string{"read", "write"}
	scope := rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "everything") {
			return everything
		}
		return rapid.SampledFrom(append(resources, "*")).Draw(t, "resource") + ":" + rapid.SampledFrom(append(actions, "*")).Draw(t, "action")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOfN(scope, 0, 4).Draw(t, "a"), rapid.SliceOfN(scope, 0, 4).Draw(t, "b")
		both := within(a, b)
		for _, r := range resources {
			for _, act := range actions {
				if got, want := covers(both, r, act), covers(a, r, act) && covers(b, r, act); got != want {
					t.Fatalf("%v under %v is %v: %s:%s is %v", a, b, both, r, act, got)
				}
			}
		}
	})
}
