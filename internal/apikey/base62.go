package apikey

import "crypto/rand"

// alphabet is base 62 in the order of ASCII, so that texts sort as their
// numbers do.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// random62 is n random base-62 characters, every one as likely as any other:
// bytes from 248 up (4 × 62) are thrown away instead of wrapped around.
func random62(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		_, _ = rand.Read(buf[:]) // never fails: crypto/rand ends the process instead
		for _, b := range buf {
			if b < 248 && len(out) < n {
				out = append(out, alphabet[b%62])
			}
		}
	}
	return string(out)
}

// checksum62 writes a CRC-32 as six base-62 characters, the most significant
// first: 62⁶ is more than 2³², so every sum has exactly one spelling.
func checksum62(sum uint32) [6]byte {
	var out [6]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[sum%62]
		sum /= 62
	}
	return out
}

func is62(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return true
}
