package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
)

// random is 256 random bits in base64url: cookies, states, nonces, links.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newID makes an id that nothing else will ever have.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return "ses_" + hex.EncodeToString(b[:])
}

// hashOf is what of a secret with 256 random bits is stored: nothing slower is
// called for.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// digestOf is the digest of a list of texts.
func digestOf(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// plausible reports whether a text can be one that random made: nothing else is
// looked up.
func plausible(s string) bool {
	if len(s) != 43 {
		return false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32
}

// next is the cookie that comes after the one with that hash where nobody is there
// to be handed a new one: any node, and any tab that still shows the old one, comes
// to the same. Who reads the store alone does not, since the key is not in it.
func (s *Service) next(hash string) (string, error) {
	key, err := s.d.Keys.Derive("session-cookie", "")
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(hash))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)), nil
}
