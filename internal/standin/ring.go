package standin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/portreeve/portreeve/internal/jws"
)

// ring is the signing keys of a stand-in: it signs with the first, publishes
// all, and rotates as real issuers do, the old key staying published until it is
// retired.
type ring struct {
	alg string
	rsa func() *rsa.PrivateKey // nil means a new key each time

	mu   sync.RWMutex
	keys []ringKey
}

type ringKey struct {
	id      string
	signer  *jws.Signer
	private crypto.Signer
}

func (k *ring) begin(alg string) error {
	if alg == "" {
		alg = "RS256"
	}
	k.alg = alg
	return k.Rotate()
}

// Rotate makes a new key and signs with it from now on. The old ones stay
// published.
func (k *ring) Rotate() error {
	private, err := k.newKey()
	if err != nil {
		return err
	}
	id := unique()
	signer, err := jws.NewSigner(k.alg, id, private)
	if err != nil {
		return fmt.Errorf("make a %s key: %w", k.alg, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append([]ringKey{{id, signer, private}}, k.keys...)
	return nil
}

// Retire takes every key but the newest out of the published set.
func (k *ring) Retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = k.keys[:1:1]
}

func (k *ring) newKey() (crypto.Signer, error) {
	switch k.alg {
	case "RS256":
		if k.rsa != nil {
			return k.rsa(), nil
		}
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return nil, fmt.Errorf("stand-ins sign with RS256, ES256 or EdDSA, not %q", k.alg)
}

// sign makes a token of claims over defaults. A nil claim is left out.
func (k *ring) sign(claims, defaults map[string]any) (string, error) {
	all := maps.Clone(defaults)
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	k.mu.RLock()
	signer := k.keys[0].signer
	k.mu.RUnlock()
	return signer.Sign("JWT", all)
}

// known returns the signers that are published, the newest first.
func (k *ring) known() []ringKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return append([]ringKey(nil), k.keys...)
}

// published returns the public keys as JWKs, the newest first.
func (k *ring) published() []json.RawMessage {
	out := []json.RawMessage{}
	for _, key := range k.known() {
		out = append(out, key.signer.JWK())
	}
	return out
}

// unique is an identifier of 128 random bits.
func unique() string { return rand.Text() }
