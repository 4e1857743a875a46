package portal

import (
	"errors"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
)

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

// namely notes what is wrong with the parts of a list by their text, where an
// operation counts them: scopes[2].
func (f *form) namely(err error, field string, list []string) *form {
	var no *refusal
	if !errors.As(err, &no) {
		return f
	}
	var text []string
	for _, d := range no.Fault.Details {
		at, ok := strings.CutPrefix(d.Field, field+"[")
		n, errN := strconv.Atoi(strings.TrimSuffix(at, "]"))
		if d.Field == field {
			text = append(text, d.Issue)
		} else if ok && errN == nil && n >= 0 && n < len(list) {
			text = append(text, `"`+short(list[n], 60)+`" `+d.Issue)
		}
	}
	if len(text) > 0 {
		f.wrong(field, strings.Join(text, "; "))
	}
	return f
}
