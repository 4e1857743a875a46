package jws

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapedText reads the rest of a string whose first escape is at index at.
func (r *reader) escapedText(at int) ([]byte, error) {
	out := append([]byte(nil), r.b[r.i:at]...)
	r.i = at
	for r.i < len(r.b) {
		c := r.b[r.i]
		r.i++
		switch {
		case c == '"':
			return out, validText(out)
		case c < ' ':
			return nil, malformed("control character in a JSON string")
		case c != '\\':
			out = append(out, c)
		default:
			char, err := r.escape()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, char)
		}
	}
	return nil, malformed("JSON string without an end")
}

// escape reads what follows a backslash (RFC 8259 section 7).
func (r *reader) escape() (rune, error) {
	c := r.peek()
	r.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return r.codePoint()
	}
	return 0, malformed("unknown escape in a JSON string")
}

// codePoint reads the digits of \uXXXX and, for a surrogate, of its other half.
// A lone surrogate is refused: read as U+FFFD it would make different names
// equal.
func (r *reader) codePoint() (rune, error) {
	first, ok := r.hex4()
	if !ok {
		return 0, malformed("bad \\u escape in a JSON string")
	}
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	if !r.take('\\') || !r.take('u') {
		return 0, malformed("half a surrogate pair in a JSON string")
	}
	second, ok := r.hex4()
	char := utf16.DecodeRune(first, second)
	if !ok || char == utf8.RuneError {
		return 0, malformed("half a surrogate pair in a JSON string")
	}
	return char, nil
}

func (r *reader) hex4() (rune, bool) {
	if len(r.b)-r.i < 4 {
		return 0, false
	}
	var v rune
	for _, c := range r.b[r.i : r.i+4] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		v = v<<4 | d
	}
	r.i += 4
	return v, true
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case digit(c):
		return rune(c - '0'), true
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}
