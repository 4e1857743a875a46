package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// shape is what a struct type says about its keys.
type shape struct {
	name    string
	fields  map[string]*field
	order   []string          // of the fields, as declared
	later   map[string]string // key → what it is
	foreign []string
}

// field is one key of a struct.
type field struct {
	name      string
	index     []int
	typ       reflect.Type
	owner     reflect.Type // the struct that declares it, for its doc comment
	goName    string
	required  bool
	fallback  string   // default=
	env       []string // env=
	unless    []string // unless=: keys beside which env is not read
	oneof     []string
	sensitive bool // values that a redacted text does not show
}

// shape reads the tags of a struct type, once per document.
func (d *Document) shape(t reflect.Type) *shape {
	s, known := d.shapes[t]
	if !known {
		s = shapeOf(t)
		d.shapes[t] = s
	}
	return s
}

func shapeOf(t reflect.Type) *shape {
	s := &shape{name: t.Name(), fields: map[string]*field{}, later: map[string]string{}}
	s.add(t, nil)
	for name := range s.fields {
		delete(s.later, name)
	}
	return s
}

func (s *shape) add(t reflect.Type, index []int) {
	for f := range fieldsOf(t) {
		at := append(slices.Clone(index), f.Index...)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			s.add(f.Type, at)
		case name == "" || name == "-" || !f.IsExported():
		default:
			if _, twice := s.fields[name]; !twice {
				s.order = append(s.order, name)
			}
			entry := &field{name: name, index: at, typ: f.Type, owner: t, goName: f.Name}
			entry.tag(f.Tag.Get("conf"))
			s.fields[name] = entry
		}
	}
	speaker := reflect.New(t).Interface()
	if says, ok := speaker.(interface{ LaterKeys() map[string]string }); ok {
		maps.Copy(s.later, says.LaterKeys())
	}
	if says, ok := speaker.(interface{ ForeignKeys() []string }); ok {
		s.foreign = append(s.foreign, says.ForeignKeys()...)
	}
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

func (f *field) tag(conf string) {
	for _, rule := range strings.Split(conf, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(rule), "=")
		switch name {
		case "required":
			f.required = true
		case "default":
			f.fallback = value
		case "env":
			f.env = strings.Split(value, "|")
		case "unless":
			f.unless = strings.Split(value, "|")
		case "oneof":
			f.oneof = strings.Split(value, "|")
		case "sensitive":
			f.sensitive = true
		}
	}
}

// has reports whether the shape has a key of this name.
func (s *shape) has(name string) bool { return s.fields[name] != nil }
