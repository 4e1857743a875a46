package jws

import (
	"encoding/json"
	"unicode/utf8"
)

// number reads RFC 8259 section 6: no leading zero, plus sign or bare point.
func (r *reader) number() (any, error) {
	start := r.i
	r.take('-')
	if !r.take('0') && !r.digits() {
		return nil, malformed("JSON number without digits")
	}
	if r.take('.') && !r.digits() {
		return nil, malformed("JSON number without digits after the point")
	}
	if r.take('e') || r.take('E') {
		if !r.take('+') {
			r.take('-')
		}
		if !r.digits() {
			return nil, malformed("JSON number without an exponent")
		}
	}
	return json.Number(r.b[start:r.i]), nil
}

func (r *reader) digits() bool {
	start := r.i
	for digit(r.peek()) {
		r.i++
	}
	return r.i > start
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (r *reader) blanks() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end (0 begins nothing in JSON).
func (r *reader) peek() byte {
	if r.i < len(r.b) {
		return r.b[r.i]
	}
	return 0
}

func (r *reader) take(c byte) bool {
	if r.i < len(r.b) && r.b[r.i] == c {
		r.i++
		return true
	}
	return false
}

// text reads a string. Without escapes the result is a part of the input.
func (r *reader) text() ([]byte, error) {
	if !r.take('"') {
		return nil, malformed("JSON string expected")
	}
	for i := r.i; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			s := r.b[r.i:i]
			r.i = i + 1
			return s, validText(s)
		case c == '\\':
			return r.escapedText(i)
		case c < ' ':
			return nil, malformed("control character in a JSON string")
		}
	}
	return nil, malformed("JSON string without an end")
}

func validText(s []byte) error {
	if !utf8.Valid(s) {
		return malformed("JSON that is not UTF-8")
	}
	return nil
}
