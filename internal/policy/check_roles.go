package policy

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// rolesCheck is requiredRoles: any of them.
type rolesCheck struct{ names []string }

func (l *loader) roles(names []string) check {
	list := l.list("requiredRoles", names)
	if names == nil || !l.rbac("requiredRoles") {
		return nil
	}
	for i, n := range names {
		if n != "" && l.deps.Book.roles[n] == nil {
			l.errorf("requiredRoles"+config.Index(i), "no role has this name%s", meant(n, l.deps.Book.names))
		}
	}
	return rolesCheck{list}
}

// rbac reports whether roles and permissions may be asked for.
func (l *loader) rbac(key string) bool {
	b := l.deps.Book
	if b != nil && (b.enabled || l.deps.Surface) {
		return true
	}
	if b != nil && b.stands {
		l.errorf(key, "rbac is off here (rbac.enabled: false), so nobody can meet this; turn it on or remove the key")
	} else {
		l.errorf(key, "the file has no rbac, so nobody can meet this; add `rbac: {}` for the built-in roles, or your own under rbac.roles")
	}
	return false
}

func (c rolesCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	for _, n := range c.names {
		if in.Standing.HasRole(n) {
			if rec.On() {
				rec.Pass(stage, "requiredRoles", "any of "+oneOf(c.names), held(in.Standing))
			}
			return nil
		}
	}
	if rec.On() {
		rec.Fail(stage, "requiredRoles", "any of "+oneOf(c.names), held(in.Standing),
			"the "+plural("role", c.names, oneOf)+source(in.Standing))
	}
	return fault.New(fault.Forbidden, "missing_role", "")
}

func (c rolesCheck) describe() string {
	if len(c.names) == 1 {
		return "role " + c.names[0]
	}
	return "any of the roles " + oneOf(c.names)
}
