package jws

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
)

type family uint8

const (
	familyHMAC family = iota
	familyPKCS1
	familyPSS
	familyECDSA
	familyEdDSA
)

// hmacAny is the Alg of an HMAC key that takes any of the three.
const hmacAny = "HS"

// algorithm is one row of RFC 7518 section 3.1 or RFC 8037 section 3.1.
type algorithm struct {
	name   string
	family family
	hash   crypto.Hash    // 0 for EdDSA
	curve  elliptic.Curve // ECDSA
	size   int            // bytes of each of r and s for ECDSA (RFC 7518 section 3.4)
}

var algorithms = [...]algorithm{
	{name: "HS256", family: familyHMAC, hash: crypto.SHA256},
	{name: "HS384", family: familyHMAC, hash: crypto.SHA384},
	{name: "HS512", family: familyHMAC, hash: crypto.SHA512},
	{name: "RS256", family: familyPKCS1, hash: crypto.SHA256},
	{name: "RS384", family: familyPKCS1, hash: crypto.SHA384},
	{name: "RS512", family: familyPKCS1, hash: crypto.SHA512},
	{name: "PS256", family: familyPSS, hash: crypto.SHA256},
	{name: "PS384", family: familyPSS, hash: crypto.SHA384},
	{name: "PS512", family: familyPSS, hash: crypto.SHA512},
	{name: "ES256", family: familyECDSA, hash: crypto.SHA256, curve: elliptic.P256(), size: 32},
	{name: "ES384", family: familyECDSA, hash: crypto.SHA384, curve: elliptic.P384(), size: 48},
	{name: "ES512", family: familyECDSA, hash: crypto.SHA512, curve: elliptic.P521(), size: 66},
	{name: "EdDSA", family: familyEdDSA},
}

// algorithmNamed returns the row of that exact name (names are case-sensitive,
// RFC 7515 section 4.1.1), or nil.
func algorithmNamed(name string) *algorithm {
	for i := range algorithms {
		if algorithms[i].name == name {
			return &algorithms[i]
		}
	}
	return nil
}

// digest hashes input into room and returns the used part of it.
func digest(h crypto.Hash, input []byte, room *[sha512.Size]byte) []byte {
	switch h {
	case crypto.SHA256:
		sum := sha256.Sum256(input)
		return append(room[:0], sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return append(room[:0], sum[:]...)
	default:
		sum := sha512.Sum512(input)
		return append(room[:0], sum[:]...)
	}
}
