package policy

import "slices"

// Gained lists what after holds and before does not cover, in the order of
// after: what somebody gains whose permissions change from the one to the other.
// It never forgives: a "*" is only covered by what is at least as wide, however
// many narrower ones stand beside each other, and a text that is no permission
// counts as gained, so that whoever compares is never told that nothing happened.
func Gained(before, after []string) []string {
	list := make([]Permission, 0, len(before))
	for _, text := range before {
		if p, err := ParsePermission(text); err == nil {
			list = append(list, p)
		}
	}
	had := newSet(list)
	var out []string
	for _, text := range after {
		if p, err := ParsePermission(text); err != nil || !had.covers(p) {
			out = append(out, text)
		}
	}
	return out
}

// GainedScopes is Gained for the scopes of keys. Their "*" stands for less than a
// role's: nothing guarded, nothing on platform. It may stand alone.
func GainedScopes(before, after []string) []string {
	var list []Permission
	for _, text := range before {
		if text == "*" {
			text = "*:*"
		}
		if p, err := ParsePermission(text); err == nil {
			list = append(list, p)
		}
	}
	had := newScopes(list)
	var out []string
	for _, text := range after {
		if p, err := ParsePermission(text); !slices.Contains(before, text) && (err != nil || !had.covers(p)) {
			out = append(out, text)
		}
	}
	return out
}

// CrossesTenants reports whether a permission is one on platform, the resource
// that no "*" covers.
func CrossesTenants(permission string) bool {
	p, ok := split(permission)
	return ok && p.resource == platform
}

// RoleName reports whether a text may name a role: 1 to 64 letters, digits and
// . _ : @ / -
func RoleName(s string) bool { return roleName(s) }
