package envelope

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"testing"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var pair = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072)) })

func jwkOf(n *big.Int, e int) string {
	return `{"kty":"RSA","n":"` + encode(n.Bytes()) + `","e":"` + encode(big.NewInt(int64(e)).Bytes()) + `"}`
}

func object(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return string(must(json.Marshal(m)))
}

// jwe is the outside of a JWE: a header, and parts of these lengths.
func jwe(header string, key, iv, text, tag int) string {
	return strings.Join([]string{encode([]byte(header)), encode(make([]byte, key)), encode(make([]byte, iv)), encode(make([]byte, text)), encode(make([]byte, tag))}, ".")
}

func jws1(key ed25519.PrivateKey, header, payload string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}

// refused wants an error that says some words.
func refused(t *testing.T, name string, err error, words string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %v, want %q", name, err, words)
	}
}

// rawOf is a secret sealed by RSA-OAEP alone.
func rawOf(k *rsa.PublicKey) string {
	return base64.StdEncoding.EncodeToString(must(rsa.EncryptOAEP(sha256.New(), rand.Reader, k, []byte("hunter2"), nil)))
}
