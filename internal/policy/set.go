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
	// permissions are the same, in the same order.
	permissions []Permission
	// scopes says that these are a key's: their "*" covers no guarded resource.
	scopes bool
}

// newSet compiles a list of permissions.
func newSet(list []Permission) *set {
	s := &set{resources: map[string]bool{}, actions: map[string]bool{}, exact: map[string]bool{}}
	texts := map[string]Permission{}
	for _, p := range list {
		texts[p.text] = p
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
	for _, text := range s.list {
		s.permissions = append(s.permissions, texts[text])
	}
	return s
}

// newScopes compiles what a key holds. Its list has "*" for everything, as keys
// write it.
func newScopes(list []Permission) *set {
	s := newSet(list)
	s.scopes = true
	if i := slices.Index(s.list, "*:*"); i >= 0 {
		s.list[i] = "*"
	}
	return s
}

// covers reports whether the set holds p. A p with a "*" is covered only by
// what is at least as wide. "*" as a resource never covers platform; in a key's
// scopes nothing guarded either, and thus no "*" of a role.
func (s *set) covers(p Permission) bool {
	if p.resource != platform && (!s.scopes || p.resource != "*" && !isGuarded(p.resource)) {
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
