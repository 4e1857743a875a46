package request

import "strings"

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
