package lockout

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// longestAccount is how much of what somebody typed is worth folding; whatever is
// longer is one account, which nobody has.
const longestAccount = 1024

// fold is the one form under which an account is counted, whatever way it is
// spelled. It is coarser than principal.FoldEmail, which decides who somebody is
// and must never make one of two: here it is the provider that decides, in ways
// of its own (JavaScript's toLowerCase reads the Kelvin sign as k), and two
// spellings that it takes for one account must not be two counters. Where it takes
// them for two accounts they share one, which costs little: others' failures count
// from their own address only.
func fold(account string) string {
	if len(account) > longestAccount {
		return "(long)"
	}
	s := strings.ToValidUTF8(account, "\uFFFD")
	for range 4 { // what is left out can bring together what composes anew
		once := domain(plain(s))
		if once == s {
			break
		}
		s = once
	}
	return s
}

// plain is Unicode's NFKC_Casefold, without blanks and what does not show.
func plain(s string) string {
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return one(r)
	}, s)
}

// one is the same for all cases of a letter. cases.Fold leaves some apart (those of
// Cherokee), and unicode.ToLower others (K and the Kelvin sign are one by way of k).
func one(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

// domain writes the domain of an address as the name system does.
func domain(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return s
	}
	name := strings.TrimRight(s[at+1:], ".")
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		name = ascii
	}
	return s[:at+1] + name
}
