package policy

import (
	"slices"
	"sync/atomic"
)

// RoleDef is a role that a tenant defined itself.
type RoleDef struct {
	Name, Description string
	Parent            string // of the tenant or of the file; "" for none
	Permissions       []string
}

// StoredRoles are the roles that a tenant defined itself. They are immutable,
// and go by pointer. A role of the file, or a built-in one, that has the name
// of one of them stands before it: the file is the operator's word.
type StoredRoles struct {
	defs     []RoleDef // sorted by name
	compiled atomic.Pointer[compiledRoles]
}

// compiledRoles are stored roles as they come out beside one book. They are
// made when first needed and again after a reload.
type compiledRoles struct {
	root  *Book
	roles map[string]*role
}

// NewStoredRoles takes a tenant's roles as they are stored.
func NewStoredRoles(defs []RoleDef) *StoredRoles {
	s := &StoredRoles{defs: slices.Clone(defs)}
	slices.SortFunc(s.defs, func(a, b RoleDef) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return s
}

// Defs lists the roles, sorted by name. Nobody writes to it.
func (s *StoredRoles) Defs() []RoleDef {
	if s == nil {
		return nil
	}
	return s.defs
}

// in compiles the roles beside a book. Two callers at once may both compile:
// the results are alike.
func (s *StoredRoles) in(b *Book) map[string]*role {
	if s == nil || len(s.defs) == 0 {
		return nil
	}
	if c := s.compiled.Load(); c != nil && c.root == b.root {
		return c.roles
	}
	c := &compiledRoles{root: b.root, roles: make(map[string]*role, len(s.defs))}
	for _, d := range s.defs {
		if b.roles[d.Name] == nil {
			c.roles[d.Name] = &role{name: d.Name, parent: d.Parent, own: storedPermissions(d.Permissions)}
		}
	}
	for _, r := range c.roles {
		c.flatten(r, b)
	}
	s.compiled.Store(c)
	return c.roles
}

// storedPermissions reads a stored role's own permissions. What is none grants
// nothing. One on platform counts: rbac takes it from the host alone.
func storedPermissions(texts []string) []Permission {
	var out []Permission
	for _, text := range texts {
		if p, err := ParsePermission(text); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// flatten works out all that a role holds. One whose parents make no sense (a
// circle, a name that nothing has, too many) grants nothing at all: whoever
// stored it meant something else than its own permissions alone.
func (c *compiledRoles) flatten(r *role, b *Book) {
	r.set, r.claimed = b.none, b.none
	all := slices.Clone(r.own)
	at := r
	for depth := 0; at.parent != ""; depth++ {
		if file := b.roles[at.parent]; file != nil {
			all = append(all, file.set.permissions...)
			break
		}
		if at = c.roles[at.parent]; at == nil || at == r || depth == maxDepth {
			return
		}
		all = append(all, at.own...)
	}
	r.set = newSet(all)
}

// role finds a stored role by name: the book's, else the tenant's own.
func (b *Book) role(defs *StoredRoles, name string) *role {
	if r := b.roles[name]; r != nil {
		return r
	}
	return defs.in(b)[name]
}

// Knows reports whether a role of the book or of the tenant has this name.
func (b *Book) Knows(defs *StoredRoles, name string) bool { return b.role(defs, name) != nil }

// Effective lists what stored roles of these names hold together, as the roles
// write it, sorted, each once.
func (b *Book) Effective(defs *StoredRoles, roles []string) []string {
	out := []string{}
	for _, name := range roles {
		if r := b.role(defs, name); r != nil {
			out = append(out, r.set.list...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
