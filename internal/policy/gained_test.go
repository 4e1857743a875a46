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

func TestPlatformCrossesTenantsAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"platform:read": true, "platform:*": true, "*:*": false, "platforms:read": false, "platform": false, "Platform:read": false} {
		if got := CrossesTenants(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
