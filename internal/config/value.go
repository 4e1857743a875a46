package config

import (
	"reflect"
	"strings"
)

// Value is a value of the file in the hands of a type that decodes itself
// (DecodeConfig). Such a type looks at Kind and decodes into one shape or
// another:
//
//	func (u *Upstream) DecodeConfig(v *config.Value) {
//		if v.Kind() == config.Scalar {
//			v.DecodeAs("url", u) // as if it were {url: …}
//			return
//		}
//		v.Decode(u) // its fields: DecodeConfig is not called again
//	}
type Value struct {
	doc  *Document
	node *node
	path string
	self reflect.Type // whose DecodeConfig is running
}

// Kind is the shape of the value.
func (v *Value) Kind() Kind { return v.node.kind }

// Path is where the value stands: "routes[3].upstream".
func (v *Value) Path() string { return v.path }

// Report is the reporter for the value's place.
func (v *Value) Report() *Reporter { return v.doc.Report(v.path) }

// Errorf reports a problem with the value.
func (v *Value) Errorf(format string, args ...any) { v.Report().Errorf("", format, args...) }

// Warnf reports what does not keep the file from loading.
func (v *Value) Warnf(format string, args ...any) { v.Report().Warnf("", format, args...) }

// Decode reads the value into what the pointer points to, by the same strict
// rules and with positions; it reports whether nothing was wrong.
func (v *Value) Decode(into any) bool {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		v.Errorf("internal: the target is no pointer")
		return false
	}
	return v.doc.decode(v.node, v.own(target.Elem()), v.path, v.self)
}

// own sees through `type plain Upstream; v.Decode((*plain)(u))`, the usual way
// around recursion: a type without methods would lose its LaterKeys.
func (v *Value) own(target reflect.Value) reflect.Value {
	if v.self == nil {
		return target
	}
	pointer := reflect.PointerTo(v.self)
	if target.Kind() == reflect.Struct && target.Type() != v.self && target.Addr().CanConvert(pointer) {
		return target.Addr().Convert(pointer).Elem()
	}
	return target
}

// DecodeAs reads the value as if it were a mapping that holds it under key:
// the short form of a union whose long form is a struct. Defaults and rules of
// the struct's other keys apply.
func (v *Value) DecodeAs(key string, into any) bool {
	short := *v
	short.node = &node{kind: Map, short: true, line: v.node.line, column: v.node.column,
		members: []member{{key, v.node.line, v.node.column, v.node}}}
	return short.Decode(into)
}

// Text is the value's text with values from outside resolved; what is missing
// or no text is reported and ok false. It may be secret: do not print it.
func (v *Value) Text() (s string, ok bool) {
	t, ok := v.doc.untemplated(v.node, v.path)
	return t.String(), ok
}

// Bool reports the value of a plain true or false; is is false for all else.
func (v *Value) Bool() (value, is bool) { return v.node.text == "true", v.node.isBool() }

// FromOutside reports whether the value is text that holds a variable's or a
// file's content, which no message may quote.
func (v *Value) FromOutside() bool {
	if v.node.kind != Scalar {
		return false
	}
	if v.node.resolved != nil {
		return v.node.resolved.outside()
	}
	for rest := entities.Replace(v.node.text); ; {
		plain, found := cutMark(rest)
		if !found {
			return false
		}
		rest = rest[len(plain):]
		switch {
		case strings.HasPrefix(rest, "$${"):
			rest = rest[3:]
		case strings.HasPrefix(rest, "{{{{"):
			rest = rest[4:]
		case strings.HasPrefix(rest, "${"):
			return true
		default:
			inside := strings.TrimSpace(rest[2:])
			if strings.HasPrefix(inside, "env.") || strings.HasPrefix(inside, "file.") {
				return true
			}
			rest = rest[2:]
		}
	}
}

// Has reports whether the value is a mapping with this key.
func (v *Value) Has(key string) bool {
	_, has := v.node.find(key)
	return has
}

// Keys lists a mapping's keys in the order of the file.
func (v *Value) Keys() []string {
	var out []string
	for _, m := range v.node.members {
		out = append(out, m.name)
	}
	return out
}

// Get is the value of a mapping's key, or nil.
func (v *Value) Get(key string) *Value {
	m, has := v.node.find(key)
	if !has {
		return nil
	}
	return &Value{doc: v.doc, node: m.value, path: join(v.path, Key(key))}
}

// Items are a list's values; a value that is no list is a list of itself.
func (v *Value) Items() []*Value {
	if v.node.kind != Sequence {
		return []*Value{{doc: v.doc, node: v.node, path: join(v.path, Index(0))}}
	}
	var out []*Value
	for i, item := range v.node.items {
		out = append(out, &Value{doc: v.doc, node: item, path: join(v.path, Index(i))})
	}
	return out
}
