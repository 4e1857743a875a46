package config

import (
	"regexp"
	"strings"
)

// stretch is a part of a scalar's text once values from outside are resolved.
type stretch struct {
	text    string
	literal bool // never scanned again: from outside, or an escape
	outside bool // a variable's or a file's; never quoted in a message
}

// text is a resolved scalar.
type text struct {
	stretches []stretch
	whole     bool // one value from outside and nothing else: takes the key's type
	fallback  bool // holds a `:-default`, which is written in the file
}

// outside reports whether any part came from outside.
func (t text) outside() bool {
	for _, s := range t.stretches {
		if s.outside {
			return true
		}
	}
	return false
}

// inFile is how many bytes of a secret make it one that is written in the file,
// if no more than that come from outside.
const inFile = 16

// written reports whether the text stands in the file: all of it, or, beside a
// value from outside that is next to nothing, enough of it.
func (t text) written() bool {
	inside, outside := 0, 0
	for _, s := range t.stretches {
		if s.outside {
			outside += len(s.text)
		} else {
			inside += len(s.text)
		}
	}
	return !t.outside() || inside >= inFile && outside < inFile
}

// templated reports whether a part would be read as a request template.
func (t text) templated() bool {
	for _, s := range t.stretches {
		if !s.literal && strings.Contains(s.text, "{{") {
			return true
		}
	}
	return false
}

func (t text) String() string {
	var b strings.Builder
	for _, s := range t.stretches {
		b.WriteString(s.text)
	}
	return b.String()
}

var (
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	entities = strings.NewReplacer("&#123;&#123;", "{{", "&#125;&#125;", "}}")
)

// resolve reads the values from outside in a scalar, once, from left to right:
// {{env.NAME}}, {{env.NAME:-default}}, {{file.path}}, ${NAME} and the escapes
// {{{{ and $${. Any other {{…}} is left for the template compiler. What is
// missing is reported at path; ok is then false.
func (d *Document) resolve(n *node, path string) (out text, ok bool) {
	if n.resolved != nil {
		return *n.resolved, true
	}
	ok = true
	for rest := entities.Replace(n.text); rest != ""; {
		plain, found := cutMark(rest)
		if plain != "" {
			out.stretches = append(out.stretches, stretch{text: plain})
		}
		rest = rest[len(plain):]
		if !found {
			break
		}
		var s stretch
		var fine bool
		s, rest, fine = d.mark(rest, path, &out)
		ok = ok && fine
		out.stretches = append(out.stretches, s)
	}
	out.whole = len(out.stretches) == 1 && out.stretches[0].outside
	return out, ok
}

// cutMark is the text before the next mark.
func cutMark(s string) (plain string, found bool) {
	end := len(s)
	for _, mark := range [...]string{"{{", "$${", "${"} {
		if i := strings.Index(s[:end], mark); i >= 0 {
			end, found = i, true
		}
	}
	return s[:end], found
}

// mark reads what stands at the beginning of s, which is one of the marks.
func (d *Document) mark(s, path string, out *text) (st stretch, rest string, ok bool) {
	switch {
	case strings.HasPrefix(s, "$${"):
		return stretch{text: "${", literal: true}, s[3:], true
	case strings.HasPrefix(s, "{{{{"):
		return stretch{text: "{{", literal: true}, s[4:], true
	case strings.HasPrefix(s, "${"):
		inside, rest, closed := strings.Cut(s[2:], "}")
		if !closed || !variable.MatchString(inside) {
			d.report(path, false, "${ must be followed by a variable's name and }; {{env.NAME:-text}} has a default, and $${ stands for ${ itself")
			return stretch{literal: true}, s[2:], false
		}
		value, ok := d.variable(inside, path)
		return stretch{value, true, true}, rest, ok
	}
	inside, rest, closed := strings.Cut(s[2:], "}}")
	trimmed := strings.TrimSpace(inside)
	if name, is := strings.CutPrefix(trimmed, "env."); is && closed {
		name, fallback, has := strings.Cut(name, ":-")
		st, used, ok := d.environment(name, fallback, has, path)
		out.fallback = out.fallback || used
		return st, rest, ok
	}
	if name, is := strings.CutPrefix(trimmed, "file."); is && closed {
		value, ok := d.file(name, path)
		return stretch{value, true, true}, rest, ok
	}
	if !closed {
		return stretch{text: s}, "", true
	}
	return stretch{text: s[:len(s)-len(rest)]}, rest, true
}
