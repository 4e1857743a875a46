package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"math/big"
)

// Verify reports by a nil error that k signed the token. The algorithm must be
// the key's own (ErrAlgorithm); any other failure is ErrSignature.
func (t *Token) Verify(k *Key) error {
	if k == nil {
		return ErrKey
	}
	a := algorithmNamed(t.Header.Alg)
	if a == nil || !k.Allows(a.name) {
		return ErrAlgorithm
	}
	if !k.signed(a, t.input, t.signature) {
		return ErrSignature
	}
	return nil
}

// signed reports whether signature is k's over input. A key lacking the field
// that the family needs has signed nothing.
func (k *Key) signed(a *algorithm, input, signature []byte) bool {
	switch a.family {
	case familyHMAC:
		return k.secret != nil && hmac.Equal(signature, authenticate(a, k.secret, input))
	case familyPKCS1, familyPSS:
		return k.rsa != nil && k.signedRSA(a, input, signature)
	case familyECDSA:
		return k.ecdsa != nil && k.signedECDSA(a, input, signature)
	case familyEdDSA:
		return k.ed != nil && ed25519.Verify(k.ed, input, signature)
	}
	return false
}

func authenticate(a *algorithm, secret, input []byte) []byte {
	var h func() hash.Hash
	switch a.name {
	case "HS256":
		h = sha256.New
	case "HS384":
		h = sha512.New384
	default:
		h = sha512.New
	}
	mac := hmac.New(h, secret)
	mac.Write(input)
	return mac.Sum(nil)
}

func (k *Key) signedRSA(a *algorithm, input, signature []byte) bool {
	var room [sha512.Size]byte
	sum := digest(a.hash, input, &room)
	if a.family == familyPKCS1 {
		return rsa.VerifyPKCS1v15(k.rsa, a.hash, sum, signature) == nil
	}
	// The salt is exactly as long as the hash (RFC 7518 section 3.5); the
	// library's PSSSaltLengthAuto would take any.
	return rsa.VerifyPSS(k.rsa, a.hash, sum, signature, &rsa.PSSOptions{SaltLength: a.hash.Size()}) == nil
}

// signedECDSA reads r and s, each of exactly the curve's size (RFC 7518 section
// 3.4): any other length is a second spelling of the same signature.
func (k *Key) signedECDSA(a *algorithm, input, signature []byte) bool {
	if len(signature) != 2*a.size {
		return false
	}
	var room [sha512.Size]byte
	r := new(big.Int).SetBytes(signature[:a.size])
	s := new(big.Int).SetBytes(signature[a.size:])
	return ecdsa.Verify(k.ecdsa, digest(a.hash, input, &room), r, s)
}
