package request

import (
	"strings"
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
	Nested                        // an escape of an escape, %25 and two hexadecimal digits: other text to whoever decodes twice
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
	HiddenDots    Problem = "the path hides a . or .. segment behind an encoded slash, a semicolon or a second escape"
	AboveRoot     Problem = "the path climbs above its root"
	LeadingSlash  Problem = "the path begins with //"
	HasSlash      Problem = "the path holds an encoded slash or a backslash"
	HasSemicolon  Problem = "the path holds a semicolon"
	HasEmpty      Problem = "the path holds an empty segment"
	HasNested     Problem = "the path holds an escape of an escape"
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
