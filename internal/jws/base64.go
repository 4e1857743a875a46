package jws

// base64url without padding (RFC 4648 section 5), with exactly one spelling for
// each value. encoding/base64 is not used for reading: even its strict mode
// skips line breaks.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// foreign marks a byte that is not in the alphabet.
const foreign = 0xff

var sextet = func() (t [256]byte) {
	for i := range t {
		t[i] = foreign
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	return t
}()

// canonical64 reports whether s is the one spelling of some bytes: alphabet
// only, a possible length, unused trailing bits zero.
func canonical64(s string) bool {
	for i := range len(s) {
		if sextet[s[i]] == foreign {
			return false
		}
	}
	switch len(s) % 4 {
	case 1:
		return false
	case 2:
		return sextet[s[len(s)-1]]&0x0f == 0
	case 3:
		return sextet[s[len(s)-1]]&0x03 == 0
	}
	return true
}

// size64 is the length in bytes of what a canonical s stands for.
func size64(s string) int { return len(s) * 3 / 4 }

// append64 decodes s, which canonical64 has accepted, onto dst.
func append64(dst []byte, s string) []byte {
	for ; len(s) >= 4; s = s[4:] {
		v := uint32(sextet[s[0]])<<18 | uint32(sextet[s[1]])<<12 | uint32(sextet[s[2]])<<6 | uint32(sextet[s[3]])
		dst = append(dst, byte(v>>16), byte(v>>8), byte(v))
	}
	switch len(s) {
	case 2:
		dst = append(dst, sextet[s[0]]<<2|sextet[s[1]]>>4)
	case 3:
		v := uint32(sextet[s[0]])<<18 | uint32(sextet[s[1]])<<12 | uint32(sextet[s[2]])<<6
		dst = append(dst, byte(v>>16), byte(v>>8))
	}
	return dst
}

// decode64 reads a canonical spelling; ok is false for any other text.
func decode64(s string) (b []byte, ok bool) {
	if !canonical64(s) {
		return nil, false
	}
	return append64(make([]byte, 0, size64(s)), s), true
}
