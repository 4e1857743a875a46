package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsGainedIsWhatWasNotCovered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"nothing", nil, nil, nil},
		{"the same", []string{"docs:read"}, []string{"docs:read"}, nil},
		{"less", []string{"docs:read", "docs:write"}, []string{"docs:read"}, nil},
		{"narrower", []string{"docs:*"}, []string{"docs:read"}, nil},
		{"one more", []string{"docs:read"}, []string{"docs:read", "docs:write"}, []string{"docs:write"}},
		{"wider", []string{"docs:read"}, []string{"docs:*"}, []string{"docs:*"}},
		{"narrow ones never add up to a wide one", []string{"docs:read", "docs:write"}, []string{"docs:*"}, []string{"docs:*"}},
		{"an action of everything", []string{"*:read"}, []string{"docs:read", "*:read"}, nil},
		{"everything covers all within a tenant", []string{"*:*"}, []string{"docs:read", "*:read", "docs:*", "*:*"}, nil},
		{"and never platform", []string{"*:*"}, []string{"platform:read", "platform:*"}, []string{"platform:read", "platform:*"}},
		{"which its own name covers", []string{"platform:*"}, []string{"platform:read"}, nil},
		{"what is no permission is gained, even where it stood", []string{"nonsense"}, []string{"nonsense", ""}, []string{"nonsense", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, Gained(tt.before, tt.after)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatAKeyGains(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		before, after []string
		want          []string
	}{
		{"a new key", nil, []string{"*", "users:read"}, []string{"*", "users:read"}},
		{"the same", []string{"*", "users:read"}, []string{"users:read", "*"}, nil},
		{"less", []string{"*"}, []string{"docs:read", "docs:*"}, nil},
		{"what is guarded, from a key for everything", []string{"*"}, []string{"docs:read", "users:read", "rbac:*"}, []string{"users:read", "rbac:*"}},
		{"what is guarded, from an action of everything", []string{"*:read"}, []string{"users:read"}, []string{"users:read"}},
		{"platform", []string{"*"}, []string{"platform:read"}, []string{"platform:read"}},
		{"everything from much", []string{"*:read", "docs:*"}, []string{"*"}, []string{"*"}},
		{"nonsense", []string{"docs:read"}, []string{"nonsense"}, []string{"nonsense"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, GainedScopes(tt.before, tt.after)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAStoredRoleOnPlatformCounts(t *testing.T) {
	t.Parallel()
	b := NewBook(nil, nil)
	defs := NewStoredRoles([]RoleDef{{Name: "ops", Permissions: []string{"platform:read", "nonsense"}}, {Name: "child", Parent: "ops"}})
	if got := b.Effective(defs, []string{"child"}); !cmp.Equal(got, []string{"platform:read"}) {
		t.Errorf("child holds %q", got)
	}
}

func TestPlatformCrossesTenantsAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"platform:read": true, "platform:*": true, "*:*": false, "platforms:read": false, "platform": false, "Platform:read": false} {
		if got := CrossesTenants(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
