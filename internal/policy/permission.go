package policy

import (
	"errors"
	"strings"
)

// platform is the resource that crosses tenants: no "*" covers it, and no
// token's claim brings it in.
const platform = "platform"

// Permission is resource:action; "*" stands for either part.
type Permission struct {
	resource, action string
	text             string
}

// errPermission is what is wrong with a text that is no permission. It does
// not quote the text, which may have come from outside.
var errPermission = errors.New(`not a permission: write resource:action, such as "docs:read", with "*" alone for either part`)

// Covers reports whether a permission as roles write it ("docs:*") covers another.
// What is no permission neither covers nor is covered.
func Covers(wide, permission string) bool {
	w, err := ParsePermission(wide)
	p, ok := split(permission)
	return err == nil && ok && newSet([]Permission{w}).covers(p)
}

// ParsePermission reads resource:action. Both parts are visible ASCII without
// ":", "," and quotes; "*" only stands alone.
func ParsePermission(s string) (Permission, error) {
	resource, action, ok := strings.Cut(s, ":")
	if !ok || !permissionPart(resource) || !permissionPart(action) || len(s) > 128 {
		return Permission{}, errPermission
	}
	return Permission{resource: resource, action: action, text: s}, nil
}

func permissionPart(s string) bool {
	if s == "*" {
		return true
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`*:,;"'\`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func (p Permission) String() string { return p.text }

// split is ParsePermission for a text that the caller vouches for or that may
// well be none; it allocates nothing.
func split(s string) (Permission, bool) {
	i := strings.IndexByte(s, ':')
	if i <= 0 || i == len(s)-1 {
		return Permission{}, false
	}
	return Permission{resource: s[:i], action: s[i+1:], text: s}, true
}
