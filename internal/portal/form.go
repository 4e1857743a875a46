package portal

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
)

// maxFields bounds how many values a form posts.
const maxFields = 500

// form is what a page posted. Its values and problems go back into the page when
// it is shown again. The zero form is an empty one.
type form struct {
	values url.Values
	issues map[string]string // by field
	more   []string          // problems that no field of the form has

	meanwhile *meanwhile // what it is about was changed since; nil: it was not
}

func readForm(v *visit) (*form, error) {
	kind, _, _ := strings.Cut(v.c.View.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, fault.New(fault.BadRequest, "bad_form", "This page takes its own form")
	}
	values, err := url.ParseQuery(string(v.c.Body))
	if err != nil {
		return nil, fault.New(fault.BadRequest, "bad_form", "The form cannot be read")
	}
	n := 0
	for name, list := range values {
		for i, s := range list {
			if n++; n > maxFields || !utf8.ValidString(name) || !utf8.ValidString(s) {
				return nil, fault.New(fault.BadRequest, "bad_form", "The form cannot be read")
			}
			list[i] = strings.ReplaceAll(s, "\r\n", "\n") // as browsers send line breaks
		}
	}
	return &form{values: values}, nil
}

// Get is a value; "" for one that is missing. It is for templates too.
func (f *form) Get(name string) string {
	if f == nil {
		return ""
	}
	return f.values.Get(name)
}

func (f *form) get(name string) string { return strings.TrimSpace(f.Get(name)) }

// all are the values of a name, without empty ones.
func (f *form) all(name string) (out []string) {
	for _, s := range f.values[name] {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// lines are the lines, words or comma-separated parts of a value.
func (f *form) lines(name string) []string {
	return strings.FieldsFunc(f.Get(name), func(r rune) bool { return r == '\n' || r == ',' || r == ' ' || r == '\t' })
}

// Has reports whether a value was chosen. It is for templates.
func (f *form) Has(name, value string) bool {
	if f == nil {
		return false
	}
	for _, s := range f.values[name] {
		if s == value {
			return true
		}
	}
	return false
}

// errNothing is for a form that says nothing that its page can do.
var errNothing = fault.New(fault.BadRequest, "bad_form", "The form says nothing that this page can do")
