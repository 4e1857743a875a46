package rbac

import (
	"fmt"
	"testing"
)

func chain(n int) []Role {
	out := []Role{{Name: "r0"}}
	for i := 1; i <= n; i++ {
		out = append(out, Role{Name: fmt.Sprintf("r%d", i), Parent: fmt.Sprintf("r%d", i-1)})
	}
	return out
}

func TestWhereARoleMayStand(t *testing.T) {
	t.Parallel()
	file := func(name string) (string, bool) {
		parent, ok := map[string]string{"admin": "", "lead": "admin", "both": ""}[name]
		return parent, ok
	}
	for _, tt := range []struct {
		name  string
		roles []Role
		of    string
		want  string
	}{
		{"alone", []Role{{Name: "a"}}, "a", ""},
		{"below one of the file", []Role{{Name: "a", Parent: "lead"}}, "a", ""},
		{"below one that does not exist", []Role{{Name: "a", Parent: "b"}}, "a", parentRule},
		{"below itself", []Role{{Name: "a", Parent: "a"}}, "a", "the parents would go round in a circle"},
		{"a circle of three", []Role{{Name: "a", Parent: "b"}, {Name: "b", Parent: "c"}, {Name: "c", Parent: "a"}}, "b", "the parents would go round in a circle"},
		{"no circle, since the file's role of the name is meant", []Role{{Name: "a", Parent: "both"}, {Name: "both", Parent: "a"}}, "a", ""},
		{"as deep as may be", chain(maxDepth), "r32", ""},
		{"one deeper", chain(maxDepth + 1), "r33", "would make more than 32 parents one above the other"},
		{"one deeper, by what inherits from it", append(chain(maxDepth), Role{Name: "top"}, Role{Name: "r0", Parent: "top"}), "r0", "would make more than 32 parents one above the other"},
		{"one deeper, by the file's parents", append(chain(maxDepth), Role{Name: "r0", Parent: "admin"}), "r0", "would make more than 32 parents one above the other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := newTree(tt.roles, file).fault(tt.of); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
