package template

import (
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// splitOrigin returns the length of scheme and authority at the beginning of a
// URL's fixed text, 0 for a path. open says that a template follows the text.
func splitOrigin(s string, open bool) (n int, problem string) {
	if strings.HasPrefix(s, "/") {
		if strings.HasPrefix(s, "//") {
			return 0, "it begins with //, which names a host; write the scheme too"
		}
		return 0, ""
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		if open {
			return 0, "a template cannot stand before the path; begin with / or scheme://host/"
		}
		return 0, "begin with / or scheme://host"
	}
	if !schemeOK(scheme) {
		return 0, "the scheme is not one to send a browser to"
	}
	end := strings.IndexAny(rest, "/?#")
	if open && (end < 0 || rest[end] != '/') {
		return 0, "a template cannot stand before the first / after the host"
	}
	if end < 0 {
		end = len(rest)
	}
	if _, ok := request.CanonicalHost(rest[:end]); !ok {
		return 0, "the host is not valid"
	}
	return len(scheme) + len("://") + end, ""
}

// schemeOK reports whether scheme is well formed (RFC 3986 section 3.1) and
// not one whose content runs in the page that it is opened from.
func schemeOK(scheme string) bool {
	for i, c := range []byte(strings.ToLower(scheme)) {
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	switch strings.ToLower(scheme) {
	case "", "javascript", "vbscript", "data", "blob", "file":
		return false
	}
	return true
}

// place is the part of a URL behind its origin.
type place uint8

const (
	inPath place = iota
	inQuery
	inFragment
)

// urlWriter gathers fixed text and cuts it where templates stand.
type urlWriter struct {
	out     URLTemplate
	place   place
	fixed   strings.Builder
	segment []segmentPart // the path segment being read
	live    bool          // a template stands in it
}

func (w *urlWriter) template(ref *Ref) {
	w.out.uses |= ref.Source
	w.out.refs = append(w.out.refs, *ref)
	if w.place == inPath {
		w.segment, w.live = append(w.segment, segmentPart{ref: ref}), true
		return
	}
	w.flush()
	w.out.chunks = append(w.out.chunks, chunk{ref: ref})
}

// text reads fixed text, which is URL syntax: its slashes part segments, ? and
// # begin query and fragment.
func (w *urlWriter) text(s string) (problem string) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			v, ok := hexByte(s, i)
			if !ok {
				return "it holds an invalid percent escape"
			}
			w.put(s[i:i+3], v)
			i += 2
		case c == '#' && w.place != inFragment, c == '?' && w.place == inPath:
			if problem := w.endSegment(); problem != "" {
				return problem
			}
			w.place = inFragment
			if c == '?' {
				w.place = inQuery
			}
			w.fixed.WriteByte(c)
		case c == '/' && w.place == inPath:
			if problem := w.endSegment(); problem != "" {
				return problem
			}
			w.fixed.WriteByte(c)
		case c >= 0x80:
			w.put(fmt.Sprintf("%%%02X", c), c)
		case !allowed(c, w.place):
			return fmt.Sprintf("%q does not belong in a URL; percent-encode it", c)
		default:
			w.put(s[i:i+1], c)
		}
	}
	return ""
}

// put adds one character: as written, and what it stands for.
func (w *urlWriter) put(written string, value byte) {
	if w.place != inPath {
		w.fixed.WriteString(written)
		return
	}
	if n := len(w.segment); n == 0 || w.segment[n-1].ref != nil {
		w.segment = append(w.segment, segmentPart{})
	}
	last := &w.segment[len(w.segment)-1]
	last.text += written
	last.value += string([]byte{value})
}

// endSegment closes the path segment that was being read.
func (w *urlWriter) endSegment() (problem string) {
	segment, live := w.segment, w.live
	w.segment, w.live = nil, false
	switch {
	case live:
		w.flush()
		w.out.chunks = append(w.out.chunks, chunk{segment: segment})
	case len(segment) > 0:
		if request.HidesDots(segment[0].value) {
			return "its path holds a . or .. segment"
		}
		w.fixed.WriteString(segment[0].text)
	}
	return ""
}

func (w *urlWriter) flush() {
	if w.fixed.Len() > 0 {
		w.out.chunks = append(w.out.chunks, chunk{fixed: w.fixed.String()})
		w.fixed.Reset()
	}
}

func (w *urlWriter) finish() (problem string) {
	if w.place == inPath {
		problem = w.endSegment()
	}
	w.flush()
	return problem
}

// allowed reports whether an ASCII character may stand in that part of a URL
// as it is: RFC 3986 pchar, besides / ? in query and fragment, and the square
// brackets that many query strings hold.
func allowed(c byte, p place) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0:
		return true
	}
	return p != inPath && strings.IndexByte("/?[]", c) >= 0
}

func hexByte(s string, i int) (v byte, ok bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	for _, c := range []byte(s[i+1 : i+3]) {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | (c - '0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | (c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			v = v<<4 | (c - 'A' + 10)
		default:
			return 0, false
		}
	}
	return v, true
}
