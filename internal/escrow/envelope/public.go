package envelope

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/jws"
)

// Moduli in bits: what new keys have at least, what imported ones may have, and
// what nobody needs.
const (
	NewBits      = 3072
	ImportedBits = 2048
	MostBits     = 8192
)

// MaxJWK bounds a JWK as it is sent.
const MaxJWK = 8 << 10

// Algorithm is what secrets are sealed by.
const Algorithm = "RSA-OAEP-256"

// Public is a tenant's public key: what machines seal to.
type Public struct {
	Kid string // thumbprint by SHA-256 (RFC 7638)
	Key *rsa.PublicKey
	// JWK is the key with kty, n, e, use, alg and kid, and nothing else that was sent.
	JWK json.RawMessage
}

// Size is the modulus in bytes, and so the length of whatever is sealed to the
// key alone.
func (p Public) Size() int { return p.Key.Size() }

// secretMembers are the members of a JWK that make it a secret.
var secretMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// members reads a JWK. One with a private member is refused before anything of it
// is looked at.
func members(raw []byte) (map[string]any, error) {
	m, err := jws.DecodeObject(raw, MaxJWK)
	if err != nil {
		return nil, errors.New("must be a JWK: one JSON object, no member of it twice")
	}
	for _, name := range secretMembers {
		if _, there := m[name]; there {
			return nil, errors.New("has a private member: it must be the public key alone, and the key that it belongs to is no longer secret")
		}
	}
	return m, nil
}

// ParsePublic reads an RSA public key of at least least bits. What WebCrypto
// exports beside the key (ext, key_ops, alg) may stand there if it says the same.
func ParsePublic(raw []byte, least int) (Public, error) {
	m, err := members(raw)
	if err != nil {
		return Public{}, err
	}
	n, e, err := numbers(m)
	if err != nil {
		return Public{}, err
	}
	p := Public{Key: &rsa.PublicKey{N: n, E: e}}
	if err := sound(p.Key, least); err != nil {
		return Public{}, err
	}
	core := struct { // in the order of RFC 7638
		E   string `json:"e"`
		Kty string `json:"kty"`
		N   string `json:"n"`
	}{encode(big.NewInt(int64(e)).Bytes()), "RSA", encode(n.Bytes())}
	p.Kid = thumbprint(core)
	p.JWK, err = json.Marshal(map[string]string{"kty": "RSA", "use": "enc", "alg": Algorithm, "kid": p.Kid, "n": core.N, "e": core.E})
	if err != nil {
		return Public{}, err
	}
	return p, first(says(m, "use", "enc"), says(m, "alg", Algorithm), says(m, "kid", p.Kid), forSealing(m))
}

// numbers are the modulus and exponent.
func numbers(m map[string]any) (n *big.Int, e int, err error) {
	if m["kty"] != "RSA" {
		return nil, 0, errors.New("must be an RSA key (kty)")
	}
	var parts [2]*big.Int
	for i, name := range []string{"n", "e"} {
		text, _ := m[name].(string)
		b, err := decode(text)
		if err != nil || len(b) == 0 || b[0] == 0 || len(b) > MostBits/8 {
			return nil, 0, fmt.Errorf("must have %s as base64url without leading zeros", name)
		}
		parts[i] = new(big.Int).SetBytes(b)
	}
	if parts[1].BitLen() > 31 {
		return nil, 0, errExponent
	}
	return parts[0], int(parts[1].Int64()), nil
}

var errExponent = errors.New("must have the exponent 65537")

// sound refuses keys that are weak, or none.
func sound(k *rsa.PublicKey, least int) error {
	bits := k.N.BitLen()
	switch {
	case k.E != 65537 && (least >= NewBits || k.E < 3 || k.E&1 == 0):
		return errExponent
	case bits < least:
		return fmt.Errorf("must have a modulus of at least %d bits; it has %d", least, bits)
	case bits > MostBits:
		return fmt.Errorf("must have a modulus of at most %d bits", MostBits)
	case bits%8 != 0:
		return errors.New("must have a modulus of whole bytes")
	case easy(k.N):
		return errors.New("can be factored: it is no key that a sound generator made")
	}
	// The fingerprint of CVE-2017-15361, as for keys that sign.
	raw, err := json.Marshal(map[string]string{"kty": "RSA", "alg": "RS256", "n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes())})
	if err != nil {
		return err
	}
	if _, err := jws.ParseJWK(raw); err != nil {
		return errors.New("can be factored: it is no key that a sound generator made")
	}
	return nil
}

// easy reports whether a modulus falls to trial division, or has factors so close
// that Fermat's method finds them at once.
func easy(n *big.Int) bool {
	var r big.Int
	for p := int64(2); p < 1<<12; p++ {
		if r.Mod(n, big.NewInt(p)).Sign() == 0 {
			return true
		}
	}
	a := new(big.Int).Sqrt(n)
	for range 64 {
		b2 := new(big.Int).Sub(new(big.Int).Mul(a, a), n)
		if b2.Sign() >= 0 {
			b := new(big.Int).Sqrt(b2)
			if b.Mul(b, b).Cmp(b2) == 0 {
				return true
			}
		}
		a.Add(a, big.NewInt(1))
	}
	return false
}

// says requires a member that is there to have a value.
func says(m map[string]any, name, value string) error {
	if v, there := m[name]; there && v != value {
		if name == "kid" {
			return errors.New("must have as kid its thumbprint (RFC 7638), or none")
		}
		return fmt.Errorf("must say %s %s, or nothing of it", name, value)
	}
	return nil
}

// forSealing refuses a key that is meant for something else.
func forSealing(m map[string]any) error {
	v, there := m["key_ops"]
	if !there {
		return nil
	}
	ops, ok := v.([]any)
	if ok = ok && len(ops) > 0; ok {
		ok = !slices.ContainsFunc(ops, func(op any) bool { return op != "encrypt" && op != "wrapKey" })
	}
	if !ok {
		return errors.New("must say in key_ops encrypt or wrapKey, or nothing of it")
	}
	return nil
}

// thumbprint is RFC 7638 over a struct whose fields stand in the order of the RFC.
func thumbprint(core any) string {
	raw, err := json.Marshal(core)
	if err != nil || strings.Contains(string(raw), `\`) {
		return "" // base64url and fixed words need no escapes
	}
	sum := sha256.Sum256(raw)
	return encode(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
