package jws

import (
	"errors"
	"fmt"
)

// What can be wrong with a token or a key. Compare with errors.Is; the texts
// say what is wrong and never quote the token or a key.
var (
	// ErrMalformed: the text is not a token, or its JSON is not acceptable.
	ErrMalformed = errors.New("malformed token")
	// ErrAlgorithm: the token's algorithm is unknown here or not the key's.
	ErrAlgorithm = errors.New("algorithm not accepted")
	// ErrSignature: the signature is not one of this key over this token.
	ErrSignature = errors.New("bad signature")
	// ErrKey: the key material cannot be used.
	ErrKey = errors.New("unusable key")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

func badKey(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKey, fmt.Sprintf(format, args...))
}
