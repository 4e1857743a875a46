package policy

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
)

// role is one role with everything it inherits.
type role struct {
	name    string
	about   string
	index   int // among the book's, to tell roles apart cheaply
	own     []Permission
	parent  string
	where   string // path below rbac, empty for a built-in one
	set     *set   // effective permissions
	claimed *set   // the same without platform: what a token's claim brings
}

// builtin are the roles that stand unless the file defines the name.
var builtin = [...]struct{ name, permissions string }{
	{"admin", "*:*"},
	{"member", "machines:read escrow:read escrow:reveal apikeys:read agents:create"},
	{"viewer", "machines:read"},
	{"user", ""},
}

func builtinRoles() map[string]*role {
	roles := make(map[string]*role, len(builtin))
	for _, b := range builtin {
		r := &role{name: b.name}
		for _, text := range strings.Fields(b.permissions) {
			p, err := ParsePermission(text)
			if err != nil {
				panic(err) // the table above is fixed; a test builds it
			}
			r.own = append(r.own, p)
		}
		roles[b.name] = r
	}
	return roles
}

// readRoles adds the file's roles to the built-in ones.
func readRoles(cfg []RoleConfig, roles map[string]*role, r *config.Reporter) {
	seen := map[string]bool{}
	for i, c := range cfg {
		at := "roles" + config.Index(i)
		switch {
		case c.Name == "": // required: already reported
			continue
		case !roleName(c.Name):
			report(r, at+".name", `a role name is 1 to 64 letters, digits and . _ : @ / -`)
			continue
		case seen[c.Name]:
			report(r, at+".name", "another role of the file already has this name")
			continue
		}
		seen[c.Name] = true
		one := &role{name: c.Name, about: c.Description, parent: c.ParentRole, where: at}
		for j, text := range c.Permissions {
			p, err := ParsePermission(text)
			if err != nil {
				report(r, at+".permissions"+config.Index(j), "%v", err)
				continue
			}
			one.own = append(one.own, p)
		}
		roles[c.Name] = one
	}
}

// roleName reports whether a text may name a role: it goes into headers and
// lists, so no blanks, commas or controls.
func roleName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("._:@/-", c) < 0 {
			return false
		}
	}
	return true
}

// maxDepth bounds how many parents a role may have one above the other, so
// that flattening n roles costs n × maxDepth and not n².
const maxDepth = 64

// compileRoles flattens inheritance. A role whose parents make no sense keeps
// only its own permissions; the report keeps the file from loading anyway.
func compileRoles(roles map[string]*role, r *config.Reporter) {
	names := sortedNames(roles)
	for i, name := range names {
		one := roles[name]
		one.index = i
		if one.parent != "" && roles[one.parent] == nil {
			report(r, one.where+".parentRole", "no role has this name%s", meant(one.parent, names))
		}
		all := slices.Clone(one.own)
		if above, ok := ancestors(one, roles, r); ok {
			for _, a := range above {
				all = append(all, a.own...)
			}
		}
		one.set = newSet(all)
		one.claimed = one.set
		if only := withoutPlatform(all); len(only) != len(all) {
			one.claimed = newSet(only)
		}
	}
}

// ancestors lists the parents of a role from the nearest up. ok is false, and
// the problem reported, when there is no end to them.
func ancestors(start *role, roles map[string]*role, r *config.Reporter) (above []*role, ok bool) {
	for at := roles[start.parent]; at != nil; at = roles[at.parent] {
		if at == start {
			report(r, start.where+".parentRole", "the parents go round in a circle: %s", circle(start, above))
			return nil, false
		}
		if slices.Contains(above, at) { // the circle is further up and reported there
			return nil, false
		}
		if len(above) == maxDepth {
			report(r, start.where+".parentRole", "more than %d parents one above the other", maxDepth)
			return nil, false
		}
		above = append(above, at)
	}
	return above, true
}

// circle draws it by places, since names may have come from outside.
func circle(start *role, above []*role) string {
	var b strings.Builder
	b.WriteString(start.where)
	for _, a := range above {
		b.WriteString(" → " + a.where)
	}
	b.WriteString(" → " + start.where)
	return b.String()
}
