package policy

import "slices"

// Permissions lists the permissions that are asked for, all of which a caller
// must hold; nil: none.
func (q *Requirement) Permissions() []string {
	for _, c := range q.checks {
		if p, ok := c.(permissionsCheck); ok {
			return slices.Clone(p.texts())
		}
	}
	return nil
}

// NeedsResource reports whether a role on a row is asked for.
func (q *Requirement) NeedsResource() bool { return q.Any() && q.resource != nil }
