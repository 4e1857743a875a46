package portal

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// maxFields bounds how many values a form posts.
const maxFields = 500

// form is what a page posted. Its values and problems go back into the page when
// it is shown again. The zero form is an empty one.
type form struct {
	values url.Values
	issues map[string]string // by field
	more   []string          // problems that no field of the form has
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

// Issue is what is wrong with a field, "" if nothing. It is for templates.
func (f *form) Issue(name string) string {
	if f == nil {
		return ""
	}
	return f.issues[name]
}

// Issues are what is wrong with fields. It is for templates.
func (f *form) Issues() map[string]string {
	if f == nil {
		return nil
	}
	return f.issues
}

// Problems are what is wrong and belongs to no field. It is for templates.
func (f *form) Problems() []string {
	if f == nil {
		return nil
	}
	return f.more
}

// wrong notes what is wrong with a field.
func (f *form) wrong(field, issue string) {
	if f.issues == nil {
		f.issues = map[string]string{}
	}
	if f.issues[field] == "" {
		f.issues[field] = sentence(upper(issue))
	}
}

// problems takes up what an operation found wrong with the form, and reports
// whether that is all there was: then the page is shown again. fields maps the
// operation's fields to the form's; those that it does not name keep theirs.
func (f *form) problems(err error, fields ...string) bool {
	var no *refusal
	if !errors.As(err, &no) {
		return false
	}
	said := no.Kind() == fault.Forbidden && len(no.Fault.Details) > 0 // nobody grants what they do not hold: which, stands there
	if no.Kind() != fault.BadRequest && no.Kind() != fault.Conflict && !no.Factor && !said {
		return false
	}
	if no.Factor {
		f.wrong("mfaCode", "Your second factor is needed for this")
		return true
	}
	if len(no.Fault.Details) == 0 || said {
		f.more = append(f.more, sentence(no.Fault.Text()))
	}
	for _, d := range no.Fault.Details {
		name := d.Field
		for i := 0; i+1 < len(fields); i += 2 {
			if name == fields[i] || strings.HasPrefix(name, fields[i]+"[") || strings.HasPrefix(name, fields[i]+".") {
				name = fields[i+1]
			}
		}
		if cut := strings.IndexByte(name, '['); cut > 0 {
			name = name[:cut]
		}
		f.wrong(name, d.Issue)
	}
	return true
}

// Kind is the refusal's.
func (r *refusal) Kind() fault.Kind { return r.Fault.Kind }

// Asks reports whether a form has to ask for a code. It is for templates.
func (f *form) Asks() bool { return f.Issue("mfaCode") != "" }

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// stepUpBy spends the code of a second factor that a form came with, or takes what
// a passkey was good for: it goes along with what the form asks.
func (v *visit) stepUpBy(f *form) error {
	code := f.get("mfaCode")
	v.stepUp = f.get("stepUp") // of a passkey, by the page's script
	f.values.Del("stepUp")
	if code == "" {
		return nil
	}
	var out struct {
		StepUpToken string `json:"stepUpToken"`
	}
	err := v.ask("POST", "/mfa/verify", map[string]string{"code": code}, &out)
	f.values.Del("mfaCode")
	if err != nil && !is(err, fault.BadRequest) {
		return err
	}
	if err != nil {
		f.wrong("mfaCode", "This code is wrong, or was used before; wait for the next one")
	}
	v.stepUp = out.StepUpToken // "" after a wrong one: the operation asks again
	return nil
}

// showsPasskeys reports whether the reader has a passkey to show.
func (v *visit) showsPasskeys() bool {
	var out struct{ Passkeys []struct{ ID string } }
	return v.ask("GET", "/mfa", nil, &out) == nil && len(out.Passkeys) > 0
}

// done leads on to a page after a form, with a message (messages.go).
func (v *visit) done(to, message string) (request.Reply, error) {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	if message != "" {
		to += sep + "done=" + url.QueryEscape(message)
	}
	return request.Reply{Status: 303, Header: append(request.Header{{Name: "Location", Value: to}}, v.s.headers()...)}, nil
}

// errNothing is for a form that says nothing that its page can do.
var errNothing = fault.New(fault.BadRequest, "bad_form", "The form says nothing that this page can do")

// gone reports whether an operation found nothing to work on.
func gone(err error) bool { return is(err, fault.NotFound) }
