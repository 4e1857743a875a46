package mailcheck

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Lengths in bytes (RFC 5321 section 4.5.3.1, and its erratum 1690 for the whole).
const (
	longestLocal   = 64
	longestDomain  = 253
	longestAddress = 254
)

// parse is the ASCII form of an address's domain; ok is false for what has not the
// form of an address.
func parse(email string) (domain string, ok bool) {
	at := strings.LastIndexByte(email, '@')
	if at < 0 || len(email) > longestAddress || !utf8.ValidString(email) || !local(email[:at]) {
		return "", false
	}
	return host(email[at+1:])
}

// local reports whether s is a dot-atom, of ASCII or of what is printed in any
// script.
func local(s string) bool {
	if s == "" || len(s) > longestLocal || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		if r < utf8.RuneSelf {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r))
		}
		return !(unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
	})
}

// host is the ASCII form of a domain of at least two labels.
func host(s string) (ascii string, ok bool) {
	if s == "" || len(s) > longestAddress || strings.HasSuffix(s, ".") {
		return "", false
	}
	ascii, err := lookup().ToASCII(s)
	if err != nil || len(ascii) > longestDomain || strings.HasSuffix(ascii, ".") {
		return "", false
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 {
		return "", false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.ContainsFunc(l, func(r rune) bool {
			return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-')
		}) {
			return "", false
		}
	}
	top := labels[len(labels)-1]
	return ascii, len(top) > 1 && strings.ContainsFunc(top, func(r rune) bool { return r < '0' || r > '9' }) // 127.0.0.1 is no domain
}

// lookup maps names as browsers do before they ask for them: capitals and full-width
// letters are folded, what IDNA 2008 does not know is refused.
func lookup() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.CheckHyphens(false))
}
