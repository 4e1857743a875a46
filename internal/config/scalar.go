package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	anyNumber   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// scalarKind is what a plain scalar is by itself.
func (n *node) isBool() bool {
	return n.kind == Scalar && n.plain && (n.text == "true" || n.text == "false")
}

func (n *node) isNumber() bool { return n.kind == Scalar && n.plain && anyNumber.MatchString(n.text) }

// described says what stands in the file, never quoting it.
func (n *node) described() string {
	switch {
	case n.kind == Null:
		return "has no value"
	case n.kind == Map:
		return "is a mapping"
	case n.kind == Sequence:
		return "is a list"
	case n.resolved != nil:
		return "comes from outside as text"
	case n.isBool():
		return "is " + n.text
	case n.isNumber():
		return "is a number"
	}
	return "is text"
}

// wrong reports a value that does not fit. The value itself is quoted only
// where it is written in the file.
func (d *Document) wrong(n *node, t text, path, must string) bool {
	switch {
	case n.kind != Scalar:
		d.report(path, false, must+", but "+n.described())
	case t.outside():
		d.report(path, false, must+"; what came from outside is not")
	case n.resolved != nil || strings.ContainsAny(n.text, "\n\r"):
		d.report(path, false, must)
	default:
		d.report(path, false, must+", but is "+shown(n.text))
	}
	return false
}

// decodeScalar reads strings, booleans and numbers.
func (d *Document) decodeScalar(n *node, v reflect.Value, path string) bool {
	switch v.Kind() {
	case reflect.String:
		return d.decodeString(n, v, path)
	case reflect.Bool:
		return d.typed(n, path, "must be true or false", n.isBool(), func(s string) bool {
			v.SetBool(s == "true")
			return s == "true" || s == "false"
		})
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return d.typed(n, path, "must be a whole number"+bounds(v), n.plain && wholeNumber.MatchString(n.text), func(s string) bool {
			i, err := strconv.ParseInt(s, 10, v.Type().Bits())
			v.SetInt(i)
			return err == nil && wholeNumber.MatchString(s)
		})
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return d.typed(n, path, "must be a whole number, 0 or more"+bounds(v), n.plain && wholeNumber.MatchString(n.text), func(s string) bool {
			i, err := strconv.ParseUint(s, 10, v.Type().Bits())
			v.SetUint(i)
			return err == nil
		})
	case reflect.Float32, reflect.Float64:
		return d.typed(n, path, "must be a number", n.isNumber(), func(s string) bool {
			f, err := strconv.ParseFloat(s, v.Type().Bits())
			v.SetFloat(f)
			return err == nil && anyNumber.MatchString(s) && !math.IsInf(f, 0)
		})
	}
	d.report(path, false, "internal: unsupported type "+v.Type().String())
	return false
}

func bounds(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Uint8, reflect.Uint16:
		bits := v.Type().Bits()
		if v.CanUint() {
			return fmt.Sprintf(" (to %d)", uint64(1)<<bits-1)
		}
		return fmt.Sprintf(" (%d to %d)", -(1 << (bits - 1)), 1<<(bits-1)-1)
	}
	return ""
}

// typed reads a scalar that is not text: its plain form in the file, or one
// value from outside.
func (d *Document) typed(n *node, path, must string, plain bool, set func(string) bool) bool {
	if n.kind != Scalar {
		return d.wrong(n, text{}, path, must)
	}
	if plain {
		return set(n.text) || d.wrong(n, text{}, path, must)
	}
	t, ok := d.resolve(n, path)
	if !ok {
		return false
	}
	if t.whole || n.resolved != nil {
		return set(strings.TrimSpace(t.String())) || d.wrong(n, t, path, must)
	}
	if !n.plain && !t.outside() && set(n.text) {
		d.report(path, false, must+"; take it out of its quotes")
		return false
	}
	return d.wrong(n, t, path, must)
}

// words resolves a scalar that is text.
func (d *Document) words(n *node, path string) (text, bool) {
	if n.kind != Scalar {
		return text{}, d.wrong(n, text{}, path, "must be text")
	}
	if n.isBool() || n.isNumber() {
		d.report(path, false, "must be text, but "+n.described()+"; put it in quotes if it is meant so")
		return text{}, false
	}
	return d.resolve(n, path)
}

// untemplated is words for a place where request templates are not read.
func (d *Document) untemplated(n *node, path string) (text, bool) {
	t, ok := d.words(n, path)
	if ok && t.templated() {
		d.report(path, false, "templates ({{…}}) are not read here; {{{{ stands for {{ itself")
		return text{}, false
	}
	return t, ok
}

func (d *Document) decodeString(n *node, v reflect.Value, path string) bool {
	t, ok := d.untemplated(n, path)
	if ok {
		v.SetString(pem(t.String()))
	}
	return ok
}

func unmarshalsText(v reflect.Value) bool {
	_, is := v.Addr().Interface().(encoding.TextUnmarshaler)
	return is
}

// decodeText reads a type that has its own textual form, such as netip.Prefix.
// The type's error is not shown, since it may quote the value.
func (d *Document) decodeText(n *node, v reflect.Value, path string) bool {
	t, ok := d.untemplated(n, path)
	if !ok {
		return false
	}
	if v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(t.String())) == nil {
		return true
	}
	must := "must be a valid " + v.Type().Name()
	if known, is := textForms[v.Type().String()]; is {
		must = known
	}
	return d.wrong(n, t, path, must)
}

var textForms = map[string]string{
	"netip.Addr":     "must be an IP address such as 10.0.0.1 or 2001:db8::1",
	"netip.Prefix":   "must be an address range such as 10.0.0.0/8 or 2001:db8::/32",
	"netip.AddrPort": "must be an address and port such as 127.0.0.1:8787",
}

// splitComma parts a list from outside; spaces around members and empty
// members do not count.
func splitComma(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
