package request

import (
	"strings"
	"unicode/utf8"
)

// Flag marks what a segment holds that some upstreams read as structure. A
// literal of a route never matches a flagged segment, and a site must allow a
// flag by name before a path that carries it gets any further than a 400.
type Flag uint8

// The flags.
const (
	EncodedSlash Flag = 1 << iota // %2F, %5C or a backslash
	Semicolon                     // ; or %3B
	Empty                         // nothing between two slashes
)

// Segment is one piece of a canonical path.
type Segment struct {
	Text  string // canonical spelling, what the upstream gets
	Value string // decoded once: what a literal is compared with and a parameter yields
	Flags Flag
}

// Path is a canonical path: what routing, policy, limits, audit and the
// upstream all see. The root is one empty segment; "/a/" ends in one.
type Path struct {
	Segments []Segment
	Flags    Flag // of all segments together
}

// String joins the segments: the path as it is forwarded.
func (p Path) String() string {
	switch len(p.Segments) {
	case 0:
		return "/"
	case 1:
		return "/" + p.Segments[0].Text
	}
	n := 0
	for i := range p.Segments {
		n += 1 + len(p.Segments[i].Text)
	}
	var b strings.Builder
	b.Grow(n)
	for i := range p.Segments {
		b.WriteByte('/')
		b.WriteString(p.Segments[i].Text)
	}
	return b.String()
}

// PathRules is what a site allows.
type PathRules struct {
	Allow       Flag // flags that are no problem here
	ResolveDots bool // "." and ".." are resolved instead of refused
	Report      bool // strictness: report; problems are listed, the canonical form goes on
}

// Problem names what is wrong with a target, in words for log and trace. It
// never quotes the target.
type Problem string

// The problems. All but the Fatal ones are passed over with strictness: report.
const (
	NotAPath      Problem = "the request target does not begin with /"
	Fragment      Problem = "the request target holds #"
	BadEscape     Problem = "the path holds an invalid percent escape"
	RawByte       Problem = "the path holds bytes above 0x7F that are not percent-encoded"
	NotUTF8       Problem = "the path's escapes are not UTF-8"
	ControlByte   Problem = "the path holds a control character"
	DotSegment    Problem = "the path holds a . or .. segment"
	HiddenDots    Problem = "the path hides a . or .. segment behind an encoded slash or a semicolon"
	AboveRoot     Problem = "the path climbs above its root"
	LeadingSlash  Problem = "the path begins with //"
	HasSlash      Problem = "the path holds an encoded slash or a backslash"
	HasSemicolon  Problem = "the path holds a semicolon"
	HasEmpty      Problem = "the path holds an empty segment"
	TooManyPieces Problem = "the path has too many segments"
)

// MaxSegments bounds a path's segments: far above any real one, and it keeps
// the work before authentication small.
const MaxSegments = 256

// Fatal reports whether no site setting passes the problem over: the target
// has no canonical form, or one that readers are known to disagree about.
func (p Problem) Fatal() bool {
	switch p {
	case NotAPath, Fragment, HiddenDots, AboveRoot, LeadingSlash, TooManyPieces:
		return true
	}
	return false
}

// Target is a request target taken apart.
type Target struct {
	Path     Path
	Query    string
	HasQuery bool
	Problems []Problem
}

// Refused reports whether the target must not get further, and why.
func (t *Target) Refused(rules PathRules) (Problem, bool) {
	for _, p := range t.Problems {
		if !rules.Report || p.Fatal() {
			return p, true
		}
	}
	return "", false
}

func (t *Target) problem(p Problem) {
	for _, q := range t.Problems {
		if q == p {
			return
		}
	}
	t.Problems = append(t.Problems, p)
}

// ParseTarget makes the canonical form of a request target in origin form or,
// its authority already compared with Host, absolute form. buf is scratch space
// for the segments and may be nil. Every problem is listed; ask Refused.
func ParseTarget(target string, rules PathRules, buf []Segment) Target {
	var t Target
	target = originForm(target)
	if target == "" || target[0] != '/' {
		t.problem(NotAPath)
		return t
	}
	if strings.IndexByte(target, '#') >= 0 {
		t.problem(Fragment)
		return t
	}
	path := target
	if i := strings.IndexByte(target, '?'); i >= 0 {
		path, t.Query, t.HasQuery = target[:i], target[i+1:], true
	}
	segs := buf[:0]
	for rest := path[1:]; ; {
		piece, tail, more := strings.Cut(rest, "/")
		if len(segs) == MaxSegments {
			t.problem(TooManyPieces)
			return t
		}
		seg := t.segment(piece)
		if piece == "" && more {
			seg.Flags |= Empty
			if len(segs) == 0 {
				t.problem(LeadingSlash)
			}
		}
		if isDots(seg.Text) {
			if !rules.ResolveDots {
				t.problem(DotSegment)
			}
			if seg.Text == ".." {
				if len(segs) == 0 {
					t.problem(AboveRoot)
				} else {
					segs = segs[:len(segs)-1]
				}
			}
			if !more { // "/a/." and "/a/b/.." name the directory "/a/"
				segs = append(segs, Segment{})
			}
		} else {
			segs = append(segs, seg)
		}
		if !more {
			break
		}
		rest = tail
	}
	for i := range segs {
		t.Path.Flags |= segs[i].Flags
	}
	if len(segs) > 1 && segs[0].Text == "" { // dots can uncover a second slash
		t.problem(LeadingSlash)
	}
	t.Path.Segments = segs
	for _, f := range [...]struct {
		flag Flag
		is   Problem
	}{{EncodedSlash, HasSlash}, {Semicolon, HasSemicolon}, {Empty, HasEmpty}} {
		if t.Path.Flags&f.flag&^rules.Allow != 0 {
			t.problem(f.is)
		}
	}
	return t
}

// originForm cuts scheme and authority off an absolute-form target.
func originForm(target string) string {
	if target != "" && target[0] == '/' {
		return target
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return target
	}
	i := strings.IndexAny(rest, "/?#")
	switch {
	case i < 0:
		return "/"
	case rest[i] == '/':
		return rest[i:]
	default:
		return "/" + rest[i:]
	}
}

func isDots(s string) bool { return s == "." || s == ".." }

// plain reports whether a byte may stand in a canonical segment as it is:
// RFC 3986 pchar without '%', and without ';', which sets a flag.
func plain(c byte) bool {
	if unreserved(c) {
		return true
	}
	switch c {
	case '!', '$', '&', '\'', '(', ')', '*', '+', ',', '=', ':', '@':
		return true
	}
	return false
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

const upperHex = "0123456789ABCDEF"

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// segment canonicalises one piece. The common one has nothing to change and
// costs no allocation.
func (t *Target) segment(raw string) Segment {
	i := 0
	for i < len(raw) && plain(raw[i]) {
		i++
	}
	if i == len(raw) {
		return Segment{Text: raw, Value: raw}
	}
	var flags Flag
	text, value := make([]byte, 0, len(raw)+8), make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		escaped := false
		if c == '%' {
			if i+2 < len(raw) {
				hi, ok1 := unhex(raw[i+1])
				lo, ok2 := unhex(raw[i+2])
				if ok1 && ok2 {
					c, escaped = hi<<4|lo, true
					i += 2
				}
			}
			if !escaped {
				t.problem(BadEscape)
			}
		} else if c >= 0x80 {
			t.problem(RawByte)
		}
		value = append(value, c)
		switch {
		case c < 0x20 || c == 0x7F:
			t.problem(ControlByte)
		case c == '/' || c == '\\':
			flags |= EncodedSlash
		case c == ';':
			flags |= Semicolon
		}
		switch {
		case unreserved(c), !escaped && (plain(c) || c == ';'):
			text = append(text, c)
		default:
			text = append(text, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	if !utf8.Valid(value) {
		t.problem(NotUTF8)
	}
	seg := Segment{Text: string(text), Value: string(value), Flags: flags}
	if flags != 0 {
		for _, part := range strings.FieldsFunc(seg.Value, func(r rune) bool { return r == '/' || r == '\\' }) {
			name, _, _ := strings.Cut(part, ";")
			if isDots(name) {
				t.problem(HiddenDots)
			}
		}
	}
	return seg
}

// EscapeSegment writes a value as one canonical path segment. "." and ".."
// have no such form: ok is false.
func EscapeSegment(value string) (text string, ok bool) {
	if isDots(value) {
		return "", false
	}
	b := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if c := value[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b), true
}

// EscapeQuery writes a value as one query value: everything but unreserved
// characters is percent-encoded.
func EscapeQuery(value string) string {
	b := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if c := value[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

// unescapeQuery decodes one query name or value; what does not decode is
// returned as written.
func unescapeQuery(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return s
			}
			hi, ok1 := unhex(s[i+1])
			lo, ok2 := unhex(s[i+2])
			if !ok1 || !ok2 {
				return s
			}
			b = append(b, hi<<4|lo)
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
