package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/portreeve/portreeve/internal/secret"
)

// Signer makes tokens: for the command line, for signed assertions and for
// stand-ins in tests. It is safe for concurrent use.
type Signer struct {
	alg     *algorithm
	kid     string
	private crypto.Signer // nil for HMAC
	public  *Key
}

// NewSigner makes a signer for HS256, RS256, ES256 or EdDSA. key is a
// secret.Value (HS256, at least 32 bytes), *rsa.PrivateKey (at least 2048
// bits), *ecdsa.PrivateKey (P-256) or ed25519.PrivateKey. kid may be "". The
// error is ErrKey.
func NewSigner(alg, kid string, key any) (*Signer, error) {
	switch alg {
	case "HS256", "RS256", "ES256", "EdDSA":
	default:
		return nil, badKey("tokens are signed with HS256, RS256, ES256 or EdDSA")
	}
	s := &Signer{alg: algorithmNamed(alg), kid: kid}
	var err error
	switch k := key.(type) {
	case secret.Value:
		s.public, err = NewHMAC(kid, k, alg)
	default:
		if s.private = privateKey(key); s.private == nil {
			return nil, badKey("neither a secret nor a whole private key")
		}
		s.public, err = newPublic(kid, alg, s.private.Public())
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// privateKey is key as a signer, nil when it is none or has no material.
func privateKey(key any) crypto.Signer {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k != nil && k.N != nil {
			return k
		}
	case *ecdsa.PrivateKey:
		if k != nil && k.Curve != nil {
			return k
		}
	case ed25519.PrivateKey:
		if len(k) == ed25519.PrivateKeySize {
			return k
		}
	}
	return nil
}

// Sign makes a token of the claims, which must encode as a JSON object. typ is
// the header's typ; "" leaves it out.
func (s *Signer) Sign(typ string, claims any) (string, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid,omitempty"`
		Typ string `json:"typ,omitempty"`
	}{s.alg.name, s.kid, typ})
	if err != nil {
		return "", fmt.Errorf("encode the token's header: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	if len(payload) == 0 || payload[0] != '{' {
		return "", malformed("claims that are not an object")
	}
	input := encode64(header) + "." + encode64(payload)
	signature, err := s.signature([]byte(input))
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	token := input + "." + encode64(signature)
	if len(token) > MaxToken {
		return "", malformed("longer than %d bytes", MaxToken)
	}
	return token, nil
}

func (s *Signer) signature(input []byte) ([]byte, error) {
	var room [sha512.Size]byte
	switch s.alg.family {
	case familyHMAC:
		return authenticate(s.alg, s.public.secret, input), nil
	case familyEdDSA:
		return s.private.Sign(rand.Reader, input, crypto.Hash(0))
	case familyECDSA:
		return s.rawECDSA(digest(s.alg.hash, input, &room))
	default:
		return s.private.Sign(rand.Reader, digest(s.alg.hash, input, &room), s.alg.hash)
	}
}

// rawECDSA is r and s side by side, each of the curve's size (RFC 7518 section
// 3.4).
func (s *Signer) rawECDSA(sum []byte) ([]byte, error) {
	r, v, err := ecdsa.Sign(rand.Reader, s.private.(*ecdsa.PrivateKey), sum)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 2*s.alg.size)
	r.FillBytes(out[:s.alg.size])
	v.FillBytes(out[s.alg.size:])
	return out, nil
}

// Public is the key that verifies the signer's tokens; for HS256 the secret
// itself.
func (s *Signer) Public() *Key { return s.public }

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
