package policy

import (
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// permissionsCheck is requiredPermissions: all of them.
type permissionsCheck struct{ want []Permission }

func (l *loader) permissions(texts []string) check {
	l.list("requiredPermissions", texts)
	if texts == nil || !l.rbac("requiredPermissions") {
		return nil
	}
	var c permissionsCheck
	for i, text := range texts {
		p, err := ParsePermission(text)
		switch {
		case text == "": // reported by list
		case err != nil:
			l.errorf("requiredPermissions"+config.Index(i), "%v", err)
		default:
			c.want = append(c.want, p)
		}
	}
	return c
}

func (c permissionsCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	if rec.On() {
		return c.explain(in.Standing, rec)
	}
	for _, p := range c.want {
		if !in.Standing.holds(p) {
			return missingPermission()
		}
	}
	return nil
}

func missingPermission() *fault.Error {
	return fault.New(fault.Forbidden, "missing_permission", "")
}

func (c permissionsCheck) explain(s *Standing, rec *trace.Recorder) *fault.Error {
	var missing []string
	for _, p := range c.want {
		if !s.holds(p) {
			missing = append(missing, p.text)
		}
	}
	wanted := allOf(c.texts())
	if len(missing) == 0 {
		rec.Pass(stage, "requiredPermissions", wanted, held(s))
		return nil
	}
	found := held(s) + "; missing: " + allOf(missing)
	rec.Fail(stage, "requiredPermissions", wanted, found, c.enough(s))
	return missingPermission()
}

// enough names what would have let the caller through. A role that holds all
// that is missing is the shortest way; else each permission gets its own.
func (c permissionsCheck) enough(s *Standing) string {
	var missing []Permission
	for _, p := range c.want {
		if !s.holds(p) {
			missing = append(missing, p)
		}
	}
	if s.power != nil {
		return s.power.enough(missing)
	}
	if roles := s.book.bringing(missing); len(roles) > 0 {
		return "a role that holds " + allOf(textsOf(missing)) + ": " + oneOf(roles) + source(s)
	}
	var parts []string
	for i, p := range missing {
		if i == most {
			parts = append(parts, "…")
			break
		}
		roles := s.book.bringing(missing[i : i+1])
		switch {
		case len(roles) > 0:
			parts = append(parts, "a role that holds "+p.text+": "+oneOf(roles)+source(s))
		case p.resource == platform:
			parts = append(parts, p.text+", which no token can bring: permissions on platform are granted on the host")
		default:
			parts = append(parts, "a role that holds "+p.text+": the file has none yet")
		}
	}
	return strings.Join(parts, "; and ")
}

// bringing lists the roles that bring all of want when a token claims them,
// those that hold everything last.
func (b *Book) bringing(want []Permission) []string {
	var narrow, wide []string
	for _, name := range b.names {
		s := b.roles[name].claimed
		covered := true
		for _, p := range want {
			covered = covered && s.covers(p)
		}
		switch {
		case !covered:
		case s.all:
			wide = append(wide, name)
		default:
			narrow = append(narrow, name)
		}
	}
	return append(narrow, wide...)
}

func (c permissionsCheck) texts() []string { return textsOf(c.want) }

func textsOf(list []Permission) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.text
	}
	return out
}

func (c permissionsCheck) describe() string { return plural("permission", c.texts(), allOf) }
