package mfa

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainText reports whether a text for people is one line of at most most
// characters.
func plainText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

func hasColon(s string) bool { return strings.Contains(s, ":") }

// clipped is s as a label: one line, not too long.
func clipped(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == ':' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
