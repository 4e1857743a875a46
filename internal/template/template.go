package template

// Template is a compiled text. It is immutable and safe for concurrent use.
type Template struct {
	parts []part
	uses  Source
}

type part struct {
	text string
	ref  *Ref // nil: text
}

// Compile reads the templates in t. The error of a source that is unknown or
// not in allow is an *Error and names the nearest one.
func Compile(t Text, allow Source) (*Template, error) {
	parts, err := parse(t, allow)
	if err != nil {
		return nil, err
	}
	c := &Template{parts: parts}
	for _, p := range parts {
		if p.ref != nil {
			c.uses |= p.ref.Source
		}
	}
	return c, nil
}

// Uses is the set of sources that the template reads.
func (t *Template) Uses() Source { return t.uses }

// Refs lists what the template reads, in order.
func (t *Template) Refs() []Ref {
	var out []Ref
	for _, p := range t.parts {
		if p.ref != nil {
			out = append(out, *p.ref)
		}
	}
	return out
}

// Literal returns the text of a template that reads nothing.
func (t *Template) Literal() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].ref == nil:
		return t.parts[0].text, true
	}
	return "", false
}

// Alone returns the only template of a text that is nothing else.
func (t *Template) Alone() (ref Ref, ok bool) {
	if only := t.alone(); only != nil {
		return *only, true
	}
	return Ref{}, false
}

// alone returns the only template of a text that is nothing else.
func (t *Template) alone() *Ref {
	if len(t.parts) == 1 {
		return t.parts[0].ref
	}
	return nil
}
