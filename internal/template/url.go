package template

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/request"
)

// URLTemplate is a compiled URL whose templates cannot leave their place: each
// yields one path segment (or a part of one), one query value or a part of the
// fragment, percent-encoded but for unreserved characters (RFC 3986 section
// 2.3). Scheme, host and port are fixed. It is immutable.
type URLTemplate struct {
	chunks []chunk
	uses   Source
	refs   []Ref
}

// chunk is fixed text, a path segment that holds templates, or one template
// behind the path.
type chunk struct {
	fixed   string
	segment []segmentPart
	ref     *Ref
}

// segmentPart is text, as written and decoded, or a template.
type segmentPart struct {
	text, value string
	ref         *Ref
}

// CompileURL reads a redirect's target: scheme://host/… or a path. A template
// in scheme, host or port, or before the first slash after them, is an error,
// and so are characters that do not belong in a URL. Text above 0x7F is
// percent-encoded.
func CompileURL(t Text, allow Source) (*URLTemplate, error) {
	return compileURL(t, allow, false)
}

// CompilePath is CompileURL for a rewrite: the result begins with one slash.
func CompilePath(t Text, allow Source) (*URLTemplate, error) {
	return compileURL(t, allow, true)
}

func compileURL(t Text, allow Source, pathOnly bool) (*URLTemplate, error) {
	parts, err := parse(t, allow)
	if err != nil {
		return nil, err
	}
	fail := func(format string, a ...any) error {
		return &Error{Template: clip(t.String()), Message: fmt.Sprintf(format, a...)}
	}
	if len(parts) == 0 {
		return nil, fail("the URL is empty")
	}
	head := parts[0].text // empty when a template comes first
	origin, problem := splitOrigin(head, len(parts) > 1 || parts[0].ref != nil)
	if problem != "" {
		return nil, fail("%s", problem)
	}
	if pathOnly && origin > 0 {
		return nil, fail("a path begins with / and names no host")
	}
	parts[0].text = head[origin:]
	w := &urlWriter{}
	w.fixed.WriteString(head[:origin])
	for _, p := range parts {
		if p.ref != nil {
			w.template(p.ref)
		} else if problem := w.text(p.text); problem != "" {
			return nil, fail("%s", problem)
		}
	}
	if problem := w.finish(); problem != "" {
		return nil, fail("%s", problem)
	}
	return &w.out, nil
}

// Uses is the set of sources that the URL reads.
func (u *URLTemplate) Uses() Source { return u.uses }

// Refs lists what the URL reads, in order.
func (u *URLTemplate) Refs() []Ref { return u.refs }

// Literal returns the text of a URL that reads nothing.
func (u *URLTemplate) Literal() (string, bool) {
	if len(u.chunks) == 1 && u.chunks[0].ref == nil && u.chunks[0].segment == nil {
		return u.chunks[0].fixed, true
	}
	return "", false
}

// String evaluates the URL. ok is false when a path segment would be empty or
// a dot segment (also one that hides behind a slash or semicolon), or would
// hold a control character or what is not UTF-8, and when a template in the
// path is missing without being optional, or no scalar. In query and fragment
// a missing value is empty.
func (u *URLTemplate) String(env Env) (s string, ok bool) {
	if s, ok := u.Literal(); ok {
		return s, true
	}
	var b strings.Builder
	for i := range u.chunks {
		switch c := &u.chunks[i]; {
		case c.segment != nil:
			if !writeSegment(&b, c.segment, env) {
				return "", false
			}
		case c.ref != nil:
			v, _ := env.Lookup(c.ref.Source, c.ref.Path)
			b.WriteString(request.EscapeQuery(textOf(v)))
		default:
			b.WriteString(c.fixed)
		}
	}
	return b.String(), true
}

func writeSegment(b *strings.Builder, parts []segmentPart, env Env) bool {
	var value strings.Builder
	for i := range parts {
		p := &parts[i]
		if p.ref == nil {
			b.WriteString(p.text)
			value.WriteString(p.value)
			continue
		}
		v, found := env.Lookup(p.ref.Source, p.ref.Path)
		s, ok := scalar(v)
		if !ok && (!p.ref.Optional || found && v != nil) {
			return false
		}
		b.WriteString(request.EscapeQuery(s)) // as strict as a segment's own escape
		value.WriteString(s)
	}
	whole := value.String()
	return whole != "" && utf8.ValidString(whole) && !hasControl(whole) && !request.HidesDots(whole)
}
