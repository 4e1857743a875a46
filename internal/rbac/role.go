package rbac

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
)

// Bounds of what one tenant keeps: compiling the whole of it, which every change
// takes, stays a fraction of a second.
const (
	maxRoles       = 1000
	maxPermissions = 200
	maxEffective   = 1000
	maxDepth       = 32 // parents one above the other, the file's included
	maxDescription = 500
)

// Role is a stored role of a tenant.
type Role struct {
	Name        string
	Description string
	Parent      string   // "": none
	Permissions []string // its own, each once, in the order they were written
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// def is the role as policy reads it.
func (r Role) def() policy.RoleDef {
	return policy.RoleDef{Name: r.Name, Description: r.Description, Parent: r.Parent, Permissions: r.Permissions}
}

func defs(roles []Role) []policy.RoleDef {
	out := make([]policy.RoleDef, len(roles))
	for i, r := range roles {
		out[i] = r.def()
	}
	return out
}

// Draft is what somebody wants a role to be. In a change, members that are not
// set stay as they are: a request that only mends the description takes no
// permissions away.
type Draft struct {
	Name        input.Optional[string]   `json:"name"`
	Description input.Optional[string]   `json:"description"`
	Permissions input.Optional[[]string] `json:"permissions"`
	Parent      input.Optional[string]   `json:"parentRole"`
}

// onto is the role with what the draft sets, null being the same as empty. The
// name is never among it.
func (d Draft) onto(r Role) Role {
	if d.Description.Set {
		r.Description = d.Description.Value
	}
	if d.Parent.Set {
		r.Parent = d.Parent.Value
	}
	if d.Permissions.Set {
		r.Permissions = each(d.Permissions.Value)
	}
	return r
}

// same reports whether a draft changed nothing.
func (r Role) same(was Role) bool {
	return r.Description == was.Description && r.Parent == was.Parent && slices.Equal(r.Permissions, was.Permissions)
}

// each is the list with each text once. It is never nil.
func each(list []string) []string {
	out := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

const (
	nameRule        = "must be 1 to 64 letters, digits and . _ : @ -, and neither . nor .. alone"
	parentNameRule  = "must be 1 to 64 letters, digits and . _ : @ / -"
	permissionRule  = `must be resource:action, with "*" alone for either part`
	platformRule    = "crosses tenants: permissions on platform are granted in the file or on the host"
	parentRule      = "no role has this name"
	descriptionRule = "must be at most 500 characters, without control characters"
)

// validate checks the draft by itself. at is the path of its members in the body
// ("" or "roles[3]."); platform says whether permissions that cross tenants may
// be written.
func (d Draft) validate(f *input.Fields, at string, creating, platform bool) {
	switch {
	case creating && (!d.Name.Set || d.Name.Value == ""):
		f.Add(at+"name", "is required")
	case d.Name.Set && !roleName(d.Name.Value):
		f.Add(at+"name", nameRule)
	}
	if creating {
		f.Require(at+"permissions", d.Permissions.Set && !d.Permissions.Null)
	}
	if s := d.Description.Value; utf8.RuneCountInString(s) > maxDescription || strings.ContainsFunc(s, unicode.IsControl) {
		f.Add(at+"description", descriptionRule)
	}
	if d.Parent.Value != "" && !policy.RoleName(d.Parent.Value) {
		f.Add(at+"parentRole", parentNameRule)
	}
	if n := len(d.Permissions.Value); n > maxPermissions {
		f.Add(at+"permissions", fmt.Sprintf("must be at most %d", maxPermissions))
		return
	}
	for i, text := range d.Permissions.Value {
		field := at + "permissions[" + strconv.Itoa(i) + "]"
		switch _, err := policy.ParsePermission(text); {
		case err != nil:
			f.Add(field, permissionRule)
		case !platform && policy.CrossesTenants(text):
			f.Add(field, platformRule)
		}
	}
}

// validateChange checks what is to become of a role that exists.
func (d Draft) validateChange(name string, platform bool) error {
	var f input.Fields
	d.validate(&f, "", false, platform)
	if d.Name.Set && d.Name.Value != name && roleName(d.Name.Value) {
		f.Add("name", "cannot be changed")
	}
	return f.Err()
}

func tooHeavy() string {
	return fmt.Sprintf("would be more than %d in a role, with what is inherited", maxEffective)
}

// roleName reports whether a stored role may have a name: one that the file's may
// have and that is one segment of a path, where it is changed and removed.
func roleName(s string) bool {
	return policy.RoleName(s) && !strings.Contains(s, "/") && s != "." && s != ".."
}

// byName sorts in one order whatever the store's collation is.
func byName(roles []Role) {
	slices.SortFunc(roles, func(a, b Role) int { return strings.Compare(a.Name, b.Name) })
}
