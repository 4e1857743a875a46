package flows

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
)

// private makes a key for an algorithm.
func private(t testing.TB, alg string) crypto.Signer {
	t.Helper()
	switch alg {
	case "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	case "ES256":
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case "RS256":
		return must(rsa.GenerateKey(rand.Reader, 2048))
	}
	t.Fatalf("no key for %s", alg)
	return nil
}

// signer makes a key of that algorithm and id.
func signer(t testing.TB, alg, kid string) *jws.Signer {
	t.Helper()
	return must(jws.NewSigner(alg, kid, private(t, alg)))
}

// shared signs with a secret.
func shared(text string) *jws.Signer { return must(jws.NewSigner("HS256", "", secret.New(text))) }

// sign makes a token of ten minutes for "someone", over which claims go; nil
// leaves a claim out.
func sign(t testing.TB, s *jws.Signer, claims map[string]any) string {
	t.Helper()
	now := time.Now()
	all := map[string]any{"sub": "someone", "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return must(s.Sign("JWT", all))
}

// publicPEM is the public half as PEM.
func publicPEM(key crypto.Signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key.Public()))}))
}
