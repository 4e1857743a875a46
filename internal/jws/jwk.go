package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
)

// jwk is one JWK as a map, with readers that are strict about types.
type jwk map[string]any

// privateMembers are those of RFC 7518 sections 6.2.2, 6.3.2, 6.4 and RFC 8037
// section 2: a published key that has one is no longer secret.
var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

func parseJWK(item any) (*Key, *Skipped) {
	m, ok := item.(map[string]any)
	if !ok {
		return nil, &Skipped{Reason: "not an object"}
	}
	j := jwk(m)
	id, idOK := j.optional("kid")
	no := &Skipped{ID: id}
	if no.Reason = j.leak(); no.Reason != "" {
		no.Alarm = true
		return nil, no
	}
	alg, algOK := j.optional("alg")
	switch {
	case !idOK || !algOK || alg == "" && j["alg"] != nil:
		no.Reason = "kid or alg is not a text, or alg is empty"
	case !j.forSignatures():
		no.Reason = "not meant for verifying signatures (use, key_ops)"
	}
	if no.Reason != "" {
		return nil, no
	}
	k, err := j.key(id, alg)
	if err != nil {
		no.Reason = strings.TrimPrefix(err.Error(), ErrKey.Error()+": ")
		return nil, no
	}
	return k, nil
}

// leak says which secret the key gives away, or "".
func (j jwk) leak() string {
	if j["kty"] == "oct" {
		return "a shared secret (oct) in a public key set"
	}
	for _, name := range privateMembers {
		if _, there := j[name]; there {
			return "a private member (" + name + ") in a public key set"
		}
	}
	return ""
}

// forSignatures reports whether use and key_ops, where present, allow verifying
// (RFC 7517 sections 4.2 and 4.3).
func (j jwk) forSignatures() bool {
	if use, there := j["use"]; there && use != "sig" {
		return false
	}
	ops, there := j["key_ops"]
	if !there {
		return true
	}
	list, _ := ops.([]any)
	for _, op := range list {
		if op == "verify" {
			return true
		}
	}
	return false
}

func (j jwk) key(id, alg string) (*Key, error) {
	public, err := j.public()
	if err != nil {
		return nil, err
	}
	return newPublic(id, alg, public)
}

func (j jwk) public() (any, error) {
	switch j["kty"] {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ecdsa()
	case "OKP":
		return j.ed25519()
	}
	return nil, badKey("a kty other than RSA, EC, OKP")
}

func (j jwk) rsa() (*rsa.PublicKey, error) {
	n, okN := j.bytes("n", maxRSABits/8+1)
	e, okE := j.bytes("e", 8)
	if !okN || !okE {
		return nil, badKey("n or e is missing, misspelt or too long")
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, badKey("an RSA exponent of more than 31 bits")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

// ecdsa wants coordinates of exactly the curve's size (RFC 7518 section
// 6.2.1.2) and a point on the curve.
func (j jwk) ecdsa() (*ecdsa.PublicKey, error) {
	crv := j["crv"]
	for i := range algorithms {
		a := &algorithms[i]
		if a.curve == nil || crv != a.curve.Params().Name {
			continue
		}
		x, okX := j.bytes("x", a.size)
		y, okY := j.bytes("y", a.size)
		if !okX || !okY || len(x) != a.size || len(y) != a.size {
			return nil, badKey("x or y is missing, misspelt or not of the curve's size")
		}
		point := append(append([]byte{4}, x...), y...)
		public, err := ecdsa.ParseUncompressedPublicKey(a.curve, point)
		if err != nil {
			return nil, badKey("a point that is not on its curve")
		}
		return public, nil
	}
	return nil, badKey("a curve other than P-256, P-384, P-521")
}

func (j jwk) ed25519() (ed25519.PublicKey, error) {
	if j["crv"] != "Ed25519" {
		return nil, badKey("an OKP curve other than Ed25519")
	}
	x, ok := j.bytes("x", ed25519.PublicKeySize)
	if !ok || len(x) != ed25519.PublicKeySize {
		return nil, badKey("x is missing, misspelt or not of 32 bytes")
	}
	return x, nil
}

// optional reads a text that may be absent.
func (j jwk) optional(name string) (string, bool) {
	v, there := j[name]
	if !there {
		return "", true
	}
	s, ok := v.(string)
	return s, ok
}

// bytes reads a canonical base64url text of 1 to limit bytes.
func (j jwk) bytes(name string, limit int) ([]byte, bool) {
	s, ok := j[name].(string)
	if !ok || s == "" || size64(s) > limit {
		return nil, false
	}
	return decode64(s)
}

// ParseJWK reads one public JWK (RFC 7517 section 4) by the rules of ParseJWKS.
// The error is ErrKey.
func ParseJWK(b []byte) (*Key, error) {
	m, err := DecodeObject(b, MaxToken)
	if err != nil {
		return nil, errors.Join(ErrKey, err)
	}
	k, no := parseJWK(m)
	if no != nil {
		return nil, badKey("%s", no.Reason)
	}
	return k, nil
}
