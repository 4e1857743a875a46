package identity

import "strings"

// foldEmail is the form in which addresses are compared, and its domain: what
// follows the only '@'. ok is false for what is no plain address, which then
// never counts as verified. Only ASCII letters are folded: Unicode folding
// makes one address of two that different people own.
func foldEmail(address string) (folded, domain string, ok bool) {
	at := strings.IndexByte(address, '@')
	if at <= 0 || at == len(address)-1 || at != strings.LastIndexByte(address, '@') || len(address) > 254 {
		return "", "", false
	}
	for i := 0; i < len(address); i++ {
		if c := address[i]; c <= ' ' || c == 0x7f {
			return "", "", false
		}
	}
	folded = lowerASCII(address)
	return folded, folded[at+1:], folded[len(folded)-1] != '.'
}

func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
