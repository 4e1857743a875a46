package shares

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// A share in bytes: what this is, k and n, x, set, mark, y, checksum.
const (
	version    = 1
	bodyBytes  = 3 + setBytes + markBytes + KeyBytes
	shareBytes = bodyBytes + checkBytes
	group      = 6
	maxText    = 512 // with blanks and hyphens wherever somebody put them
)

// crockford is base32 without letters that look like digits
// (https://www.crockford.com/base32.html).
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func encode(b []byte) string { return crockford.EncodeToString(b) }

// String is the share as it is printed: 84 letters and digits in groups of six.
func (s Share) String() string {
	set, err := crockford.DecodeString(s.Set)
	if err != nil || len(set) != setBytes {
		return ""
	}
	b := []byte{version, byte((s.K-1)<<4 | (s.N - 1)), byte(s.X)}
	b = append(append(append(b, set...), s.Mark[:]...), s.Y[:]...)
	text := encode(append(b, check(b)...))
	var out strings.Builder
	for i := 0; i < len(text); i += group {
		if i > 0 {
			out.WriteByte('-')
		}
		out.WriteString(text[i:min(i+group, len(text))])
	}
	return out.String()
}

// typed is what people type for what is printed.
var typed = strings.NewReplacer("-", "", " ", "", "\t", "", "O", "0", "I", "1", "L", "1")

// errTyped does not quote what was typed: it is a part of a key.
var errTyped = errors.New("is not a share as it was printed: its checksum is wrong, so that some letter is not what the sheet says")

// Parse reads a share as somebody typed it in: capitals or not, O for 0, I and L
// for 1, hyphens and blanks anywhere.
func Parse(text string) (s Share, err error) {
	if len(text) > maxText {
		return s, fmt.Errorf("is not a share: it has more than %d letters", maxText)
	}
	text = typed.Replace(strings.ToUpper(strings.TrimSpace(text)))
	if want := crockford.EncodedLen(shareBytes); len(text) != want {
		return s, fmt.Errorf("is not a share: it has %d letters and digits, and a share has %d", len(text), want)
	}
	b, err := crockford.DecodeString(text)
	if err != nil || len(b) != shareBytes || encode(b) != text {
		return s, errTyped
	}
	body := b[:bodyBytes]
	if string(check(body)) != string(b[bodyBytes:]) {
		return s, errTyped
	}
	s = Share{K: int(body[1]>>4) + 1, N: int(body[1]&15) + 1, X: int(body[2]), Set: encode(body[3 : 3+setBytes])}
	copy(s.Mark[:], body[3+setBytes:])
	copy(s.Y[:], body[3+setBytes+markBytes:])
	switch {
	case body[0] != version:
		return Share{}, fmt.Errorf("is a share of version %d, and only version %d is known here", body[0], version)
	case s.K < 2 || s.N < s.K || s.X < 1 || s.X > s.N:
		return Share{}, fmt.Errorf("is not a share: %w, numbered from 1", ErrCount)
	}
	return s, nil
}

// For reports whether a share is for a key.
func (s Share) For(kid string) bool {
	m, err := MarkOf(kid)
	return err == nil && m == s.Mark
}

// thumbprint is a kid in bytes.
func thumbprint(kid string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(kid)
	if err != nil || len(b) != 32 {
		return nil, errors.New("a kid is a thumbprint: 43 characters of base64url")
	}
	return b, nil
}
