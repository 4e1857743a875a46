package jws_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes by their crypto.Hash
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
)

const hmacSecret = "a shared secret of more than sixty-four bytes, which is what HS512 likes best"

var allAlgorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// testKeys are made once for all tests.
var testKeys = sync.OnceValue(func() (k struct {
	rsa              *rsa.PrivateKey
	p256, p384, p521 *ecdsa.PrivateKey
	ed               ed25519.PrivateKey
}) {
	var err error
	must := func() {
		if err != nil {
			panic(err)
		}
	}
	k.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must()
	k.p256, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must()
	k.p384, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must()
	k.p521, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	must()
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	must()
	return k
})

var hashOf = map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}

func privateFor(alg string) any {
	k := testKeys()
	switch {
	case alg[:2] == "HS":
		return []byte(hmacSecret)
	case alg[:2] == "RS" || alg[:2] == "PS":
		return k.rsa
	case alg == "ES256":
		return k.p256
	case alg == "ES384":
		return k.p384
	case alg == "ES512":
		return k.p521
	}
	return k.ed
}

// publicFor is what the libraries verify with.
func publicFor(alg string) any {
	if s, ok := privateFor(alg).(crypto.Signer); ok {
		return s.Public()
	}
	return privateFor(alg)
}

// keyFor is what we verify with, made through the public doors of the package.
func keyFor(t testing.TB, alg string) *jws.Key {
	t.Helper()
	if alg[:2] == "HS" {
		return hmacKey(t, hmacSecret, alg)
	}
	k, err := jws.ParsePEM(pemOf(t, publicFor(alg)), "k", alg)
	if err != nil {
		t.Fatalf("public key for %s: %v", alg, err)
	}
	return k
}

func hmacKey(t testing.TB, text, alg string) *jws.Key {
	t.Helper()
	k, err := jws.NewHMAC("k", secret.New(text), alg)
	if err != nil {
		t.Fatalf("HMAC key for %s: %v", alg, err)
	}
	return k
}

func pemOf(t testing.TB, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign is an independent signer: it shares no code with the package.
func sign(t testing.TB, alg, input string) []byte {
	t.Helper()
	h := hashOf[alg[len(alg)-3:]]
	sum := []byte(nil)
	if h != 0 {
		d := h.New()
		d.Write([]byte(input))
		sum = d.Sum(nil)
	}
	var out []byte
	var err error
	switch k := privateFor(alg).(type) {
	case []byte:
		mac := hmac.New(h.New, k)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	case *rsa.PrivateKey:
		if alg[0] == 'P' {
			return signPSS(t, alg, input, h.Size())
		}
		out, err = rsa.SignPKCS1v15(rand.Reader, k, h, sum)
	case *ecdsa.PrivateKey:
		r, s, e := ecdsa.Sign(rand.Reader, k, sum)
		size := (k.Curve.Params().BitSize + 7) / 8
		out, err = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), e
	case ed25519.PrivateKey:
		out = ed25519.Sign(k, []byte(input))
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func signPSS(t testing.TB, alg, input string, salt int) []byte {
	t.Helper()
	h := hashOf[alg[2:]]
	d := h.New()
	d.Write([]byte(input))
	out, err := rsa.SignPSS(rand.Reader, testKeys().rsa, h, d.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mintRaw signs exactly these header and payload bytes.
func mintRaw(t testing.TB, alg, header, payload string) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(sign(t, alg, input))
}

func mint(t testing.TB, alg, payload string) string {
	t.Helper()
	return mintRaw(t, alg, `{"alg":"`+alg+`","kid":"k","typ":"JWT"}`, payload)
}

// accept is the whole way a token goes.
func accept(token string, k *jws.Key) error {
	parsed, err := jws.Parse(token)
	if err != nil {
		return err
	}
	return parsed.Verify(k)
}

func split(token string) (header, payload, signature string) {
	p := strings.SplitN(token, ".", 3)
	return p[0], p[1], p[2]
}
