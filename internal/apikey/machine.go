package apikey

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// The parts of a machine token: tok_ and 24 random bytes in base64url. What the
// provisioning backend stored as token_prefix are its first eight characters, of
// which only four tell tokens apart.
const (
	tokenMark   = "tok_"
	tokenBytes  = 24
	tokenLen    = len(tokenMark) + tokenBytes/3*4
	tokenPrefix = 8
)

// newMachineToken makes a machine token.
func newMachineToken() token {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	text := tokenMark + base64.RawURLEncoding.EncodeToString(b[:])
	return token{text: text, format: formatToken, lookup: text[:tokenPrefix]}
}

// parseMachineToken reads a machine token. 24 bytes fill 32 characters without
// a rest, so no two spellings mean the same bytes.
func parseMachineToken(s string) (token, error) {
	if len(s) != tokenLen || !strings.HasPrefix(s, tokenMark) {
		return token{}, errNoToken
	}
	for i := len(tokenMark); i < len(s); i++ {
		if c := s[i]; c != '-' && c != '_' && !is62(s[i:i+1]) {
			return token{}, errNoToken
		}
	}
	return token{text: s, format: formatToken, lookup: s[:tokenPrefix]}, nil
}

// parseToken reads a credential of either format.
func parseToken(s string) (token, error) {
	switch {
	case strings.HasPrefix(s, keyMark):
		return parseKey(s)
	case strings.HasPrefix(s, tokenMark):
		return parseMachineToken(s)
	}
	return token{}, errNeither
}
