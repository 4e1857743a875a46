package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
)

// Book holds the roles of a configuration, compiled, and what a site makes of
// them. It is immutable.
type Book struct {
	roles       map[string]*role
	names       []string // sorted
	stands      bool     // the key rbac is in the file
	enabled     bool
	defaultRole *role
	machine     *set
	none        *set
	root        *Book // the one of the file, whose roles all its sites' share
}

// NewBook compiles the key rbac: the file's roles and the built-in ones. cfg is
// nil where the key does not stand: RBAC is then off for the file's routes, and
// the built-in roles stand for Portreeve's own surfaces. Problems go to r, the
// reporter of the key; the book is usable in any case.
func NewBook(cfg *RBACConfig, r *config.Reporter) *Book {
	b := &Book{
		roles:   builtinRoles(),
		machine: newSet([]Permission{{resource: "machine", action: "ingest", text: "machine:ingest"}}),
		none:    newSet(nil),
	}
	b.root = b
	if cfg != nil {
		readRoles(cfg.Roles, b.roles, r)
	}
	compileRoles(b.roles, r)
	b.names = sortedNames(b.roles)
	if cfg != nil {
		b.stands = true
		b.enabled = cfg.Enabled == nil || *cfg.Enabled
		b.defaultRole = b.pickDefault(cfg.DefaultRole, r)
	}
	return b
}

// Site is the book as a site sees it that overrides rbac.enabled or
// rbac.defaultRole; with nil it is the book itself.
func (b *Book) Site(cfg *SiteRBACConfig, r *config.Reporter) *Book {
	if cfg == nil {
		return b
	}
	c := *b
	switch {
	case cfg.Enabled != nil:
		c.enabled = *cfg.Enabled
	case !b.stands: // the key stands here alone, and silent means on
		c.enabled = true
	}
	if cfg.DefaultRole != nil {
		c.defaultRole = c.pickDefault(*cfg.DefaultRole, r)
	}
	return &c
}

// pickDefault finds the default role. One that holds a platform permission is
// refused: every signed-in user would cross tenants.
func (b *Book) pickDefault(name string, r *config.Reporter) *role {
	if name == "" {
		return nil
	}
	d := b.roles[name]
	switch {
	case d == nil:
		report(r, "defaultRole", "no role has this name%s", meant(name, b.names))
	case d.claimed != d.set:
		report(r, "defaultRole", "this role holds a permission on platform, which crosses tenants: it cannot be everybody's")
		return nil
	}
	return d
}

// Enabled reports whether the file's routes may ask for permissions and roles.
func (b *Book) Enabled() bool { return b.enabled }

// Roles lists the names of all roles, sorted.
func (b *Book) Roles() []string { return slices.Clone(b.names) }

// RolesWith lists the roles that hold a permission: first those that name it or
// its resource, then those that hold everything; each part sorted.
func (b *Book) RolesWith(permission string) []string {
	p, ok := split(permission)
	if !ok {
		return nil
	}
	var narrow, wide []string
	for _, name := range b.names {
		switch s := b.roles[name].set; {
		case !s.covers(p):
		case s.all:
			wide = append(wide, name)
		default:
			narrow = append(narrow, name)
		}
	}
	return append(narrow, wide...)
}

// RolePermissions lists what a role holds with all it inherits, sorted; nil for
// a role that does not exist.
func (b *Book) RolePermissions(name string) []string {
	if r := b.roles[name]; r != nil {
		return slices.Clone(r.set.list)
	}
	return nil
}

// Digest is the same for two books that decide alike.
func (b *Book) Digest() [32]byte {
	h := sha256.New()
	text := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	text(map[bool]string{true: "on", false: "off"}[b.enabled])
	if b.defaultRole != nil {
		text(b.defaultRole.name)
	}
	for _, name := range b.names {
		text("\x00role")
		text(name)
		for _, p := range b.roles[name].set.list {
			text(p)
		}
	}
	return [32]byte(h.Sum(nil))
}

func sortedNames(roles map[string]*role) []string { return slices.Sorted(maps.Keys(roles)) }

// meant is the end of a message about a name that does not exist. The name
// itself is not quoted: it may have come from outside.
func meant(name string, known []string) string {
	if near := config.Nearest(name, known); near != "" {
		return `; did you mean "` + near + `"?`
	}
	if len(known) > 0 && len(known) <= 8 {
		return "; there are " + strings.Join(known, ", ")
	}
	return ""
}

// report is r.Errorf, for callers that may have no file (r nil).
func report(r *config.Reporter, rel, format string, args ...any) {
	if r != nil {
		r.Errorf(rel, format, args...)
	}
}

// nobody reports whether there is no caller to speak of.
func nobody(p *principal.Principal) bool { return !p.Authenticated() }
