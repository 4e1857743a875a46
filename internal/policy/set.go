package policy

import (
	"maps"
	"slices"
)

// set is a compiled set of permissions: at most four look-ups answer whether
// it covers one, however many it holds. It is immutable once built.
type set struct {
	all       bool            // *:*
	resources map[string]bool // resource:*
	actions   map[string]bool // *:action
	exact     map[string]bool // resource:action
	list      []string        // as written, sorted
}

// newSet compiles a list of permissions.
func newSet(list []Permission) *set {
	s := &set{resources: map[string]bool{}, actions: map[string]bool{}, exact: map[string]bool{}}
	texts := map[string]bool{}
	for _, p := range list {
		texts[p.text] = true
		switch {
		case p.resource == "*" && p.action == "*":
			s.all = true
		case p.resource == "*":
			s.actions[p.action] = true
		case p.action == "*":
			s.resources[p.resource] = true
		default:
			s.exact[p.text] = true
		}
	}
	s.list = slices.Sorted(maps.Keys(texts))
	return s
}

// covers reports whether the set holds p. A p with a "*" is covered only by
// what is at least as wide. "*" as a resource never covers platform.
func (s *set) covers(p Permission) bool {
	if p.resource != platform {
		if s.all || s.actions[p.action] {
			return true
		}
	}
	return s.resources[p.resource] || s.exact[p.text]
}

// withoutPlatform is the list without what a token's claim can never bring.
func withoutPlatform(list []Permission) []Permission {
	return slices.DeleteFunc(slices.Clone(list), func(p Permission) bool { return p.resource == platform })
}
