package config

import (
	"reflect"
	"strings"

	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/template"
)

// decodeStruct reads a mapping into a struct: every key must be one of the
// type's, every required key must stand.
func (d *Document) decodeStruct(n *node, v reflect.Value, path string) bool {
	if n.kind != Map {
		d.report(path, false, "must be a mapping (key: value), but "+n.described())
		return false
	}
	s := d.shape(v.Type())
	d.around = append(d.around, scope{s, path})
	defer func() { d.around = d.around[:len(d.around)-1] }()
	ok := true
	for _, m := range n.members {
		at := join(path, Key(m.name))
		if n.short {
			at = path
		}
		f, known := s.fields[m.name]
		if !known {
			d.unknownKey(s, m, at)
			ok = false
			continue
		}
		if f.sensitive {
			d.hide(m.value, sensitive)
		}
		field := v.FieldByIndex(f.index)
		if d.decode(m.value, field, at, nil) {
			ok = d.checkField(f, m.value, field, at) && ok
		} else {
			ok = false
		}
	}
	if n.broken { // what seems to be missing may be what could not be read
		return false
	}
	for _, name := range s.order {
		if _, stands := n.find(name); !stands {
			ok = d.absent(s.fields[name], n, v, join(path, name)) && ok
		}
	}
	return ok
}

// checkField applies the rules of the tag to a value that was read.
func (d *Document) checkField(f *field, n *node, v reflect.Value, path string) bool {
	if f.required && empty(v) {
		d.report(path, false, "must not be empty")
		return false
	}
	return len(f.oneof) == 0 || d.checkOneOf(f.oneof, n, v, path)
}

// empty reports whether a text or list holds nothing.
func empty(v reflect.Value) bool {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Type() {
	case secretType:
		return v.Interface().(secret.Value).Empty()
	case textType:
		return v.Interface().(template.Text).IsZero()
	}
	return (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0
}

func (d *Document) checkOneOf(words []string, n *node, v reflect.Value, path string) bool {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		ok := true
		for i := range v.Len() {
			item := n
			if n.kind == Sequence {
				item = n.items[i]
			}
			ok = d.checkOneOf(words, item, v.Index(i), join(path, Index(i))) && ok
		}
		return ok
	}
	got := v.String()
	for _, w := range words {
		if got == w {
			return true
		}
	}
	p := d.problem(path, "must be "+alternatives(words))
	if t, ok := d.resolve(n, path); ok && !t.outside() {
		p.Message = shown(got) + " is not known here; it must be " + alternatives(words)
		p.Nearest = Nearest(got, words)
	}
	d.add(p)
	return false
}

// alternatives is "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// absent fills a key that does not stand: from its variable, else with its
// default, else it complains if the key is required.
func (d *Document) absent(f *field, parent *node, v reflect.Value, path string) bool {
	if !anyStands(parent, f.unless) {
		for _, name := range f.env {
			if value, set := d.env(name); set && value != "" {
				made := text{stretches: []stretch{{value, true, true}}, whole: true}
				n := &node{kind: Scalar, line: parent.line, column: parent.column, resolved: &made}
				field := v.FieldByIndex(f.index)
				return d.decode(n, field, path, nil) && d.checkField(f, n, field, path)
			}
		}
	}
	if f.fallback != "" {
		made := text{stretches: []stretch{{f.fallback, true, false}}, whole: true}
		n := &node{kind: Scalar, line: parent.line, column: parent.column, resolved: &made}
		return d.decode(n, v.FieldByIndex(f.index), path, nil)
	}
	if f.required {
		message := "this key is required"
		if len(f.env) > 0 {
			message += "; write it, or set the variable " + alternatives(f.env)
		}
		d.report(path, false, message)
		return false
	}
	return true
}

func anyStands(n *node, names []string) bool {
	for _, name := range names {
		if _, stands := n.find(name); stands {
			return true
		}
	}
	return false
}
