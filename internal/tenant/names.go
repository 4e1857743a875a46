package tenant

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// madeID reports whether an id may be given to a tenant that is made here:
// [a-z0-9][a-z0-9-]{0,62}, what fits a host name, a path and a header.
func madeID(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !word && (c != '-' || i == 0) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// keptID reports whether an id that was given elsewhere (an import, the
// configuration) can be kept: what policy lets a claim name.
func keptID(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !word && strings.IndexByte("-_.:", c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= 128 && s != "." && s != ".."
}

// newUserID makes an id that nothing else will ever have.
func newUserID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return "usr_" + hex.EncodeToString(b[:])
}

// plainText reports whether a text for people is one line of at most most
// characters.
func plainText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

// visible reports whether s is 1 to most visible ASCII characters.
func visible(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= most
}
