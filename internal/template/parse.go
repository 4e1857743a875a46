package template

import (
	"fmt"
	"strings"
	"unicode"
)

// maxIndex bounds {{body.list[n]}}: no list in a 1 MiB body is longer.
const maxIndex = 1 << 20

// Error says what is wrong with a template.
type Error struct {
	Template string // as written, with its braces; never a value from outside
	Message  string
	Nearest  string // what was probably meant, or ""
}

func (e *Error) Error() string {
	s := e.Template + ": " + e.Message
	if e.Nearest != "" {
		s += fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	return s
}

// parse takes a text apart. Adjacent texts are joined, so that a text without
// templates is one part.
func parse(t Text, allow Source) ([]part, error) {
	var out []part
	text := func(s string) {
		if s == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].ref == nil {
			out[n-1].text += s
			return
		}
		out = append(out, part{text: s})
	}
	for _, p := range t.Pieces {
		if p.Literal {
			text(p.Text)
			continue
		}
		rest := p.Text
		for {
			i := strings.Index(rest, "{{")
			if i < 0 {
				text(rest)
				break
			}
			text(rest[:i])
			rest = rest[i:]
			if strings.HasPrefix(rest, "{{{{") {
				text("{{")
				rest = rest[4:]
				continue
			}
			end := closing(rest)
			if end < 0 {
				return nil, &Error{Template: clip(rest), Message: "the template is not closed by }}"}
			}
			ref, err := parseRef(rest[:end], allow)
			if err != nil {
				return nil, err
			}
			out = append(out, part{ref: ref})
			rest = rest[end:]
		}
	}
	return out, nil
}

// closing returns the index behind the }} that closes s, which begins with {{,
// or -1. Braces in a quoted name close nothing.
func closing(s string) int {
	quoted := false
	for i := 2; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case strings.HasPrefix(s[i:], "{{"):
			return -1
		case strings.HasPrefix(s[i:], "}}"):
			return i + 2
		}
	}
	return -1
}

// parseRef reads one template, braces included.
func parseRef(written string, allow Source) (*Ref, error) {
	fail := func(format string, a ...any) error {
		return &Error{Template: clip(written), Message: fmt.Sprintf(format, a...)}
	}
	expr := strings.TrimSpace(written[2 : len(written)-2])
	ref := &Ref{}
	if strings.HasSuffix(expr, "?") {
		ref.Optional = true
		expr = strings.TrimSpace(strings.TrimSuffix(expr, "?"))
	}
	if expr == "" {
		return nil, fail("the template is empty")
	}
	word, rest := cutName(expr)
	src, found := findSource(word)
	if !found {
		return nil, &Error{
			Template: clip(written),
			Message:  fmt.Sprintf("unknown source %q (here: %s)", word, allow),
			Nearest:  nearest(word, allow),
		}
	}
	if src&allow == 0 {
		return nil, fail("%s is not read here (here: %s)", word, orNone(allow))
	}
	ref.Source = src
	if src == Secret && strings.HasPrefix(rest, ":") {
		rest = "." + rest[1:]
	}
	path, problem := parsePath(rest)
	if problem != "" {
		return nil, fail("%s", problem)
	}
	ref.Path = path
	if e := checkFields(ref, word); e != nil {
		e.Template = clip(written)
		return nil, e
	}
	return ref, nil
}

// parsePath reads .name, [0] and ["any name"] steps.
func parsePath(s string) (path []Step, problem string) {
	for s != "" {
		switch s[0] {
		case '.':
			name, rest := cutName(s[1:])
			if name == "" {
				return nil, "a name is missing after the dot"
			}
			path, s = append(path, Step{Name: name}), rest
		case '[':
			step, rest, problem := bracket(s)
			if problem != "" {
				return nil, problem
			}
			path, s = append(path, step), rest
		default:
			return nil, fmt.Sprintf("%q is not a dot, a bracket or the end", clip(s))
		}
	}
	return path, ""
}

// bracket reads [0] or ["any name"].
func bracket(s string) (step Step, rest, problem string) {
	if strings.HasPrefix(s, `["`) {
		name, tail, ok := strings.Cut(s[2:], `"]`)
		if !ok || name == "" || strings.Contains(name, `"`) {
			return step, "", `a quoted name ends in "]`
		}
		return Step{Name: name}, tail, ""
	}
	digits, tail, ok := strings.Cut(s[1:], "]")
	if !ok || digits == "" || len(digits) > 7 || len(digits) > 1 && digits[0] == '0' {
		return step, "", "an index is a number, as in [0]"
	}
	n := 0
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return step, "", "an index is a number, as in [0]"
		}
		n = n*10 + int(c-'0')
	}
	if n > maxIndex {
		return step, "", "the index is too large"
	}
	return Step{Index: n, IsIndex: true}, tail, ""
}

// cutName cuts the leading name off s.
func cutName(s string) (name, rest string) {
	for i, r := range s {
		if strings.ContainsRune(`.[]{}()?:"'|`, r) || unicode.IsSpace(r) || unicode.IsControl(r) {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// checkFields holds a path against what its source has.
func checkFields(ref *Ref, word string) *Error {
	switch ref.Source {
	case Auth, Body:
		return nil
	case Now:
		if len(ref.Path) > 0 {
			return &Error{Message: "now has no fields"}
		}
		return nil
	}
	if len(ref.Path) != 1 || ref.Path[0].IsIndex {
		return &Error{Message: fmt.Sprintf("%s is read by one name, as in {{%s.%s}}", word, word, exampleField(ref.Source))}
	}
	for _, s := range sources {
		if s.is != ref.Source || s.fields == nil {
			continue
		}
		for _, f := range s.fields {
			if f == ref.Path[0].Name {
				return nil
			}
		}
		return &Error{
			Message: fmt.Sprintf("%s has no field %q (it has %s)", word, ref.Path[0].Name, strings.Join(s.fields, ", ")),
			Nearest: closest(ref.Path[0].Name, s.fields),
		}
	}
	return nil
}

func exampleField(s Source) string {
	switch s {
	case Headers:
		return "X-Name"
	case Secret:
		return "KEY"
	}
	return "id"
}

func findSource(word string) (Source, bool) {
	for _, s := range sources {
		if s.name == word {
			return s.is, true
		}
	}
	return 0, false
}

func orNone(s Source) string {
	if s == 0 {
		return "no templates"
	}
	return s.String()
}

// clip keeps a message short.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
