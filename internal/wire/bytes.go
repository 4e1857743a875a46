package wire

import "strings"

const (
	tokenByte  uint8 = 1 << iota // RFC 9110 tchar
	valueByte                    // field value: no control character but HTAB
	targetByte                   // request target: no control character, no blank
)

var classes = func() (t [256]uint8) {
	for c := range t {
		if c == '\t' || c >= ' ' && c != 0x7F {
			t[c] |= valueByte
		}
		if c > ' ' && c != 0x7F {
			t[c] |= targetByte
		}
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c < 0x80 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0:
			t[c] |= tokenByte
		}
	}
	return t
}()

func isToken(c byte) bool { return classes[c]&tokenByte != 0 }

// all reports whether every byte of s is of the class; the empty string is.
func all(s string, class uint8) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

func token(s string) bool { return s != "" && all(s, tokenByte) }

func trim(s string) string { return strings.Trim(s, " \t") }

// same compares under ASCII case alone. strings.EqualFold would also take the
// long s for an s and the Kelvin sign for a k. lower is in lower case.
func same(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// listed reports whether the comma-separated list holds the word, which is in
// lower case.
func listed(list, word string) bool {
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		if same(trim(item), word) {
			return true
		}
	}
	return false
}
