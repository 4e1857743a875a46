package jws

import (
	"encoding/json"
	"math/big"
)

// JWK is the public key as a JWK with kid, alg and use, for a key set; nil for
// HS256, whose key has no public half.
func (s *Signer) JWK() json.RawMessage { return s.public.JWK() }

// JWK is a public key as a JWK (RFC 7517) with kid, alg and use; nil for an
// HMAC secret.
func (k *Key) JWK() json.RawMessage {
	m := map[string]string{"alg": k.Alg, "use": "sig"}
	if k.ID != "" {
		m["kid"] = k.ID
	}
	switch {
	case k.rsa != nil:
		m["kty"] = "RSA"
		m["n"] = encode64(k.rsa.N.Bytes())
		m["e"] = encode64(big.NewInt(int64(k.rsa.E)).Bytes())
	case k.ecdsa != nil:
		point, err := k.ecdsa.Bytes()
		if err != nil {
			return nil
		}
		half := 1 + len(point)/2
		m["kty"], m["crv"] = "EC", k.ecdsa.Curve.Params().Name
		m["x"], m["y"] = encode64(point[1:half]), encode64(point[half:])
	case k.ed != nil:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", encode64(k.ed)
	default:
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	return b
}
