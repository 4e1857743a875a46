package envelope

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
)

// A challenge is 32 bytes, sealed as the content key of a secret is. Whoever
// answers one opens it for the server, so that a server could ask for a secret's
// content key instead. The second half of a challenge is therefore made of the
// first, which no content key's is.
const (
	challengeHalf = 16
	challengeType = "portreeve-escrow-challenge"
)

// NewChallenge draws what a challenge for a key opens to.
func NewChallenge(kid string) []byte {
	b := make([]byte, challengeHalf, 2*challengeHalf)
	_, _ = rand.Read(b) // never fails
	return append(b, challengeMark(kid, b)...)
}

// IsChallenge reports whether something that was opened may be sent as a proof.
func IsChallenge(opened []byte, kid string) bool {
	return len(opened) == 2*challengeHalf &&
		subtle.ConstantTimeCompare(challengeMark(kid, opened[:challengeHalf]), opened[challengeHalf:]) == 1
}

func challengeMark(kid string, drawn []byte) []byte {
	sum := sha256.Sum256(append([]byte(challengeType+"\x00"+kid), drawn...))
	return sum[:challengeHalf]
}
