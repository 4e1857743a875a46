package envelope

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// MaxSealed bounds a sealed secret.
const MaxSealed = 64 << 10

// The two formats of a sealed secret.
const (
	FormatJWE = "jwe"
	// FormatRaw is RSA-OAEP with SHA-256 alone, in base64: nothing in it says whose
	// it is.
	FormatRaw = "rsa-oaep"
)

// Sealed is what the outside of a sealed secret says.
type Sealed struct {
	Kid                   string // "": it does not say
	Tenant, Machine, Kind string
	keyBytes              int
}

// IsJWE reports whether a ciphertext is meant as a JWE.
func IsJWE(ciphertext string) bool { return strings.Contains(ciphertext, ".") }

// ParseSealed reads a sealed secret: a compact JWE by RSA-OAEP-256 and A256GCM
// whose protected header has alg, enc, tenant, machine and kind, and may have kid
// and typ JWE.
func ParseSealed(compact string) (Sealed, error) {
	parts, err := split(compact, 5, MaxSealed)
	if err != nil {
		return Sealed{}, err
	}
	h, err := readHeader(parts[0], []string{"alg", "enc", "tenant", "machine", "kind"}, []string{"kid", "typ"})
	if err != nil {
		return Sealed{}, err
	}
	if err := first(h.is("alg", Algorithm), h.is("enc", "A256GCM"), h.is("typ", "JWE"), h.texts(255, "kid", "tenant", "machine", "kind")); err != nil {
		return Sealed{}, err
	}
	s := Sealed{Kid: h.text("kid"), Tenant: h.text("tenant"), Machine: h.text("machine"), Kind: h.text("kind"), keyBytes: len(parts[1])}
	return s, gcm(parts[2], parts[3], parts[4])
}

// To reports by nil that the secret can have been sealed to a key.
func (s Sealed) To(p Public) error {
	if s.keyBytes != p.Size() {
		return fmt.Errorf("must be sealed to the key: %d bytes of encrypted key", p.Size())
	}
	return nil
}

// CheckRaw checks the other format: base64 of exactly the modulus' length, and a
// number below the modulus.
func CheckRaw(text string, p Public) error {
	if len(text) > base64.StdEncoding.EncodedLen(MostBits/8) {
		return notSealed(p)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) != p.Size() {
		return notSealed(p)
	}
	if n := new(big.Int).SetBytes(b); n.Cmp(p.Key.N) >= 0 || n.BitLen() < 64 {
		return errors.New("must be RSA-OAEP with SHA-256 by the tenant's key: no number of this size comes out of it")
	}
	return nil
}

func notSealed(p Public) error {
	return fmt.Errorf("must be a compact JWE (%s, A256GCM) or the base64 of the %d bytes that RSA-OAEP with SHA-256 makes: nothing else is kept, least of all a secret as it is", Algorithm, p.Size())
}
