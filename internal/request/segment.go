package request

import (
	"strings"
	"unicode/utf8"
)

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
	if _, nested := unescapeAgain(seg.Value); nested {
		seg.Flags |= Nested
	}
	if seg.Flags != 0 && HidesDots(seg.Value) {
		t.problem(HiddenDots)
	}
	return seg
}

// unescapeAgain is what a reader makes of a segment that it decodes a second
// time. nested reports whether that is another text.
func unescapeAgain(value string) (again string, nested bool) {
	if strings.IndexByte(value, '%') < 0 {
		return value, false
	}
	b := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '%' && i+2 < len(value) {
			hi, ok1 := unhex(value[i+1])
			lo, ok2 := unhex(value[i+2])
			if ok1 && ok2 {
				c, nested = hi<<4|lo, true
				i += 2
			}
		}
		b = append(b, c)
	}
	return string(b), nested
}

// HidesDots reports whether a decoded segment is a dot segment, or holds one, to
// a reader for whom it has a structure: who takes encoded slashes for slashes,
// cuts parameters, or decodes a second time.
func HidesDots(value string) bool {
	if again, nested := unescapeAgain(value); nested && holdsDots(again) {
		return true
	}
	return holdsDots(value)
}

func holdsDots(value string) bool {
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == '/' || r == '\\' }) {
		if name, _, _ := strings.Cut(part, ";"); isDots(name) {
			return true
		}
	}
	return false
}
