package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"

	"github.com/portreeve/portreeve/internal/secret"
)

// Bounds of key material.
const (
	minSecret  = 32   // bytes of an HMAC secret
	minRSABits = 2048 // RFC 7518 section 3.3
	maxRSABits = 8192 // more costs a verifier without limit
)

// Key is a public key or an HMAC secret with the algorithm it is good for. It
// is immutable and prints without its secret.
type Key struct {
	ID  string // kid; "" when the key has none
	Alg string // "RS256", …; "HS" for an HMAC secret of any of HS256, HS384, HS512

	rsa    *rsa.PublicKey
	ecdsa  *ecdsa.PublicKey
	ed     ed25519.PublicKey
	secret []byte
	print  string
}

// Allows reports whether the key is good for tokens of that algorithm: the
// key's own and no other. HMAC secrets and public keys never meet.
func (k *Key) Allows(alg string) bool {
	if k.Alg != hmacAny {
		return alg != "" && k.Alg == alg
	}
	a := algorithmNamed(alg)
	return a != nil && a.family == familyHMAC
}

// Thumbprint is a stable text of 43 characters for the key material and its
// algorithm, not its ID. For an HMAC secret it is a keyed digest, from which the
// secret cannot be had.
func (k *Key) Thumbprint() string { return k.print }

// Symmetric reports whether the key is an HMAC secret.
func (k *Key) Symmetric() bool { return k.secret != nil }

func (k Key) String() string               { return fmt.Sprintf("key %q (%s)", k.ID, k.Alg) }
func (k Key) GoString() string             { return k.String() }
func (k Key) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(k.String())) }
func (k Key) LogValue() slog.Value         { return slog.StringValue(k.String()) }
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// NewHMAC makes a key of a shared secret, whose bytes are the text's. alg is
// HS256, HS384 or HS512, or "" for any of them. Fewer than 32 bytes are ErrKey.
func NewHMAC(id string, s secret.Value, alg string) (*Key, error) {
	if s.Len() < minSecret {
		return nil, badKey("an HMAC secret needs at least %d bytes", minSecret)
	}
	if alg == "" {
		alg = hmacAny
	}
	if a := algorithmNamed(alg); alg != hmacAny && (a == nil || a.family != familyHMAC) {
		return nil, badKey("a shared secret is for HS256, HS384 or HS512")
	}
	text := []byte(s.Reveal())
	mac := hmac.New(sha256.New, text)
	mac.Write([]byte("portreeve thumbprint " + alg))
	return &Key{ID: id, Alg: alg, secret: text, print: base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}, nil
}

// newPublic makes a key of a public key of the standard library. alg "" is the
// type's usual one: RS256, ES256, ES384 or ES512 by the curve, EdDSA.
func newPublic(id, alg string, public any) (*Key, error) {
	k := &Key{ID: id, Alg: alg}
	var usual string
	var err error
	switch p := public.(type) {
	case *rsa.PublicKey:
		k.rsa, usual, err = p, "RS256", checkRSA(p)
	case *ecdsa.PublicKey:
		k.ecdsa = p
		usual, err = curveAlgorithm(p.Curve)
	case ed25519.PublicKey:
		k.ed, usual = p, "EdDSA"
	default:
		err = badKey("neither RSA nor a NIST curve nor Ed25519")
	}
	if err != nil {
		return nil, err
	}
	if k.Alg == "" {
		k.Alg = usual
	}
	if err := k.fits(); err != nil {
		return nil, err
	}
	return k, k.stamp(public)
}

// fits refuses an algorithm that the kind of key cannot do.
func (k *Key) fits() error {
	a := algorithmNamed(k.Alg)
	switch {
	case a == nil:
	case k.rsa != nil && (a.family == familyPKCS1 || a.family == familyPSS):
		return nil
	case k.ecdsa != nil && a.family == familyECDSA && a.curve == k.ecdsa.Curve:
		return nil
	case k.ed != nil && a.family == familyEdDSA:
		return nil
	}
	return badKey("the algorithm is not one of this kind of key")
}

// stamp computes the thumbprint over the key's SubjectPublicKeyInfo.
func (k *Key) stamp(public any) error {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return badKey("cannot be encoded")
	}
	sum := sha256.Sum256(append(der, k.Alg...))
	k.print = base64.RawURLEncoding.EncodeToString(sum[:])
	return nil
}

func checkRSA(p *rsa.PublicKey) error {
	bits := p.N.BitLen()
	switch {
	case bits < minRSABits || bits > maxRSABits:
		return badKey("an RSA key of %d bits; %d to %d are taken", bits, minRSABits, maxRSABits)
	case p.N.Bit(0) == 0 || p.E < 3 || p.E&1 == 0:
		return badKey("an RSA modulus or exponent that no key has")
	case factorable(p.N):
		return badKey("an RSA key that can be factored (ROCA, CVE-2017-15361)")
	}
	return nil
}

func curveAlgorithm(c elliptic.Curve) (string, error) {
	for i := range algorithms {
		if algorithms[i].curve != nil && algorithms[i].curve == c {
			return algorithms[i].name, nil
		}
	}
	return "", badKey("a curve other than P-256, P-384, P-521")
}
