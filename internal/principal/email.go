package principal

import "strings"

// FoldEmail is the one form in which e-mail addresses are compared, whether
// they come from a token or from the file, and its domain: what follows the
// only '@'. ok is false for what is no plain address. Only ASCII letters are
// folded: Unicode folding makes one address of two that different people own.
func FoldEmail(address string) (folded, domain string, ok bool) {
	at := strings.IndexByte(address, '@')
	if at <= 0 || at == len(address)-1 || at != strings.LastIndexByte(address, '@') || len(address) > 254 {
		return "", "", false
	}
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c == 0x7f {
			return "", "", false
		}
	}
	domain = strings.TrimSuffix(FoldASCII(address[at+1:]), ".")
	if domain == "" {
		return "", "", false
	}
	return FoldASCII(address[:at]) + "@" + domain, domain, true
}

// FoldASCII is s with A–Z in lower case and everything else as it is.
func FoldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
