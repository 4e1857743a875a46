package proxy

// The byte classes of RFC 9110 section 5.6.2 and 5.5.
const (
	tokenByte uint8 = 1 << iota // tchar
	valueByte                   // field-vchar, blank and tab
	plainByte                   // may stand in a request target: no control, blank or '#'
)

var classes = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
			t[c] |= tokenByte
		}
		if b == '\t' || b >= ' ' && b != 0x7F {
			t[c] |= valueByte
		}
		if b > ' ' && b != 0x7F && b != '#' {
			t[c] |= plainByte
		}
	}
	for _, b := range []byte("!#$%&'*+-.^_`|~") {
		t[b] |= tokenByte
	}
	return t
}()

func only(s string, class uint8) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

func isToken(s string) bool { return s != "" && only(s, tokenByte) }
func valueOK(s string) bool { return only(s, valueByte) }

// targetOK reports whether s can stand in a request line and be read back as
// it is. A path begins with exactly one slash: a second one would be read as an
// authority by some.
func targetOK(s string, path bool) bool {
	if path && (s == "" || s[0] != '/' || len(s) > 1 && s[1] == '/') {
		return false
	}
	return only(s, plainByte)
}

// blanks cuts blanks and tabs from both ends (OWS).
func blanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
