package template

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// Value evaluates the template. One that is a single {{…}} keeps the JSON type
// of what it reads, anything else is a string. present is false for a missing
// {{…?}} that stands alone; a missing one without the mark is nil, a null.
func (t *Template) Value(env Env) (v any, present bool) {
	if ref := t.alone(); ref != nil {
		v, ok := env.Lookup(ref.Source, ref.Path)
		if !ok {
			return nil, !ref.Optional
		}
		return v, true
	}
	s, _ := t.Text(env, nil)
	return s, true
}

// Text evaluates the template to text. Missing and null values are empty,
// lists and objects are written as JSON. escape, if not nil, is applied to what
// the templates yield, not to the text around them; ok is false when it
// refuses.
func (t *Template) Text(env Env, escape func(string) (string, bool)) (s string, ok bool) {
	if s, ok := t.Literal(); ok {
		return s, true
	}
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		v, _ := env.Lookup(p.ref.Source, p.ref.Path)
		s := textOf(v)
		if escape != nil {
			if s, ok = escape(s); !ok {
				return "", false
			}
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// Strict evaluates the template for a requirement: ok is false when any of its
// templates is missing, null, empty, a list or an object, and when the whole is
// empty. Whoever asks then refuses.
func (t *Template) Strict(env Env) (s string, ok bool) {
	if s, ok := t.Literal(); ok {
		return s, s != ""
	}
	if ref := t.alone(); ref != nil {
		return strictPart(env, ref)
	}
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		s, ok := strictPart(env, p.ref)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

func strictPart(env Env, ref *Ref) (string, bool) {
	v, ok := env.Lookup(ref.Source, ref.Path)
	if !ok {
		return "", false
	}
	s, ok := scalar(v)
	return s, ok && s != ""
}

// Absent reports whether the template is a single {{…?}} and missing: a header
// or member with such a value is left out.
func (t *Template) Absent(env Env) bool {
	ref := t.alone()
	if ref == nil || !ref.Optional {
		return false
	}
	_, ok := env.Lookup(ref.Source, ref.Path)
	return !ok
}

// HeaderText evaluates the template for a header field. ok is false when the
// text would hold a control character; ask Absent first.
func (t *Template) HeaderText(env Env) (s string, ok bool) {
	s, _ = t.Text(env, nil)
	return s, !hasControl(s)
}

// CompileHeader is Compile for the value of a header field: fixed text that
// holds a control character is an error at once.
func CompileHeader(t Text, allow Source) (*Template, error) {
	c, err := Compile(t, allow)
	if err != nil {
		return nil, err
	}
	for _, p := range c.parts {
		if hasControl(p.text) {
			return nil, &Error{Template: "header value", Message: "it holds a control character"}
		}
	}
	return c, nil
}

func hasControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

// textOf writes any value as text.
func textOf(v any) string {
	if s, ok := scalar(v); ok {
		return s
	}
	if v == nil {
		return ""
	}
	b, err := appendJSON(nil, v)
	if err != nil {
		return ""
	}
	return string(b)
}

// scalar writes a string, number or boolean as text; ok is false for null,
// lists, objects and what is no JSON value.
func scalar(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		b, err := json.Marshal(v)
		return string(b), err == nil
	}
	return "", false
}
