package config

import (
	"reflect"
	"slices"
	"strings"
)

// unknownKey says about a key that the type does not have what is most useful:
// that it comes later, that it belongs to another product, that it stands one
// level off, or which key was probably meant.
func (d *Document) unknownKey(s *shape, m member, path string) {
	if len(d.problems) == maxProblems {
		d.errors++
		return
	}
	p := d.problem(path, "unknown key")
	p.Line, p.Column = m.line, m.column
	switch what, later := s.later[m.name]; {
	case later:
		p.Message = shown(m.name) + " (" + what + ") is not in this release; remove it"
	case slices.Contains(s.foreign, m.name):
		p.Message = "belongs to the older backend's data layer; give the route an `upstream`"
	default:
		p.Nearest = Nearest(m.name, append(slices.Clone(s.order), keys(s.later)...))
		if where := d.elsewhere(s, m.name); where != "" && singular(p.Nearest) != singular(m.name) {
			p.Nearest, p.Message = "", "unknown key here; "+where
		}
	}
	d.add(p)
}

// singular is a key in the spelling in which two are the same but for case,
// dashes and a plural.
func singular(name string) string { return strings.TrimSuffix(fold(name), "s") }

func keys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// elsewhere looks for the key in the mappings around and inside.
func (d *Document) elsewhere(s *shape, name string) string {
	for i := len(d.around) - 2; i >= 0; i-- {
		if outer := d.around[i]; outer.shape.has(name) {
			if outer.path == "" {
				return shown(name) + " is a key of the top level"
			}
			return shown(name) + " is a key of " + outer.path
		}
	}
	for _, inner := range s.order {
		t := s.fields[inner].typ
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct && readerOf(t) == nil && d.shape(t).has(name) {
			return shown(name) + " is a key of " + inner
		}
	}
	return ""
}

// checkKey refuses a value from outside in the name of a key, where it would
// be read as if it were the name.
func (d *Document) checkKey(m member, path string) bool {
	for _, mark := range [...]string{"{{env.", "{{file.", "${"} {
		if strings.Contains(m.name, mark) {
			p := d.problem(path, "values from outside are not read in keys")
			p.Line, p.Column = m.line, m.column
			d.add(p)
			return false
		}
	}
	return true
}

// problem is an error at the nearest place of path that the file holds.
func (d *Document) problem(path, message string) Problem {
	at, _ := d.locate(path)
	return Problem{File: d.options.Name, Line: at.line, Column: at.column, Path: d.asWritten(path), Message: message}
}
