package rbac

import (
	"fmt"
	"slices"
)

// tree is a namespace of roles by who inherits from whom: those of a tenant, and
// above them, where the namespace has one, the file's and the built-in ones,
// whose names come first.
type tree struct {
	own   map[string]Role
	above func(name string) (parent string, ok bool)
}

func newTree(roles []Role, above func(string) (string, bool)) tree {
	t := tree{own: make(map[string]Role, len(roles)), above: above}
	for _, r := range roles {
		t.own[r.Name] = r
	}
	return t
}

// parentOf is the name of a role's parent. ok is false where there is no such role.
func (t tree) parentOf(name string) (parent string, ok bool) {
	if t.above != nil {
		if parent, ok := t.above(name); ok {
			return parent, true
		}
	}
	r, ok := t.own[name]
	return r.Parent, ok
}

func (t tree) has(name string) bool {
	_, ok := t.parentOf(name)
	return ok
}

// fault says what is wrong with the place of a role that was just put into the
// tree, "" if nothing is: the issue of its parentRole.
func (t tree) fault(name string) string {
	above, issue := t.climb(name)
	if issue != "" {
		return issue
	}
	for heir := range t.own {
		if n := t.distance(heir, name); n > 0 && n+above > maxDepth {
			return tooDeep()
		}
	}
	return ""
}

// climb counts the parents above a role, and says what is wrong with them.
func (t tree) climb(name string) (above int, issue string) {
	at, _ := t.parentOf(name)
	if at != "" && !t.has(at) {
		return 0, parentRule
	}
	for ; at != ""; above++ {
		if at == name {
			return 0, "the parents would go round in a circle"
		}
		if above == maxDepth { // a circle further up, or too deep: neither may be added to
			return 0, tooDeep()
		}
		at, _ = t.parentOf(at)
	}
	return above, ""
}

func tooDeep() string {
	return fmt.Sprintf("would make more than %d parents one above the other", maxDepth)
}

// distance counts the steps from a role up to one that it inherits from, 0 where
// it does not within the bound.
func (t tree) distance(from, to string) int {
	at := from
	for n := 1; n <= maxDepth; n++ {
		parent, ok := t.parentOf(at)
		if !ok || parent == "" {
			return 0
		}
		if parent == to {
			return n
		}
		at = parent
	}
	return 0
}

// child is the name of a role of the tenant that has this one as its parent, ""
// where there is none. The first by name, so that answers repeat.
func (t tree) child(name string) string {
	found := ""
	for heir, r := range t.own {
		if r.Parent == name && heir != name && (found == "" || heir < found) {
			found = heir
		}
	}
	return found
}

// effective lists what a role of a namespace without anything above it holds
// with all it inherits, sorted, each once.
func (t tree) effective(name string) []string {
	out := []string{}
	for n := 0; name != "" && n <= maxDepth; n++ {
		r := t.own[name]
		out = append(out, r.Permissions...)
		name = r.Parent
	}
	slices.Sort(out)
	return slices.Compact(out)
}
