package jws_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
)

func pemBlock(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func certificate(t *testing.T) string {
	t.Helper()
	k := testKeys().p256
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	return pemBlock("CERTIFICATE", der, err)
}

func TestPEM(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(keys.ed)
	rsaPEM := string(pemOf(t, publicFor("RS256")))
	for _, c := range []struct{ name, text, alg, want string }{
		{"RSA", rsaPEM, "", "RS256"},
		{"RSA for PS512", rsaPEM, "PS512", "PS512"},
		{"RSA in the older form", pemBlock("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&keys.rsa.PublicKey), nil), "", "RS256"},
		{"P-256", string(pemOf(t, publicFor("ES256"))), "", "ES256"},
		{"P-384", string(pemOf(t, publicFor("ES384"))), "", "ES384"},
		{"P-521", string(pemOf(t, publicFor("ES512"))), "ES512", "ES512"},
		{"Ed25519", string(pemOf(t, publicFor("EdDSA"))), "", "EdDSA"},
		{"an expired certificate", certificate(t), "", "ES256"},
		{"blanks around", "\n" + rsaPEM + "\n\n", "", "RS256"},
		{"RSA for ES256", rsaPEM, "ES256", ""},
		{"RSA for HS256", rsaPEM, "HS256", ""},
		{"RSA for HS", rsaPEM, "HS", ""},
		{"RSA for none", rsaPEM, "none", ""},
		{"P-256 for ES384", string(pemOf(t, publicFor("ES256"))), "ES384", ""},
		{"RSA of 1024 bits", string(pemOf(t, small.Public())), "", ""},
		{"P-224", string(pemOf(t, p224.Public())), "", ""},
		{"a private key", pemBlock("PRIVATE KEY", private, err), "", ""},
		{"two keys", rsaPEM + rsaPEM, "", ""},
		{"text behind", rsaPEM + "x", "", ""},
		{"no PEM", "hello", "", ""},
		{"nothing", "", "", ""},
		{"garbage inside", pemBlock("PUBLIC KEY", []byte("hello"), nil), "", ""},
		{"another block", pemBlock("DH PARAMETERS", []byte("hello"), nil), "", ""},
	} {
		k, err := jws.ParsePEM([]byte(c.text), "id", c.alg)
		switch {
		case c.want == "" && !errors.Is(err, jws.ErrKey):
			t.Errorf("%s: taken: %v", c.name, err)
		case c.want != "" && (err != nil || k.Alg != c.want || k.ID != "id"):
			t.Errorf("%s: got %v, %v", c.name, k, err)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		length int
		alg    string
		ok     bool
	}{{31, "", false}, {32, "", true}, {32, "HS512", true}, {64, "HS384", true}, {64, "RS256", false}, {64, "none", false}, {0, "", false}} {
		_, err := jws.NewHMAC("", secret.New(strings.Repeat("s", c.length)), c.alg)
		if (err == nil) != c.ok {
			t.Errorf("%d bytes for %q: %v", c.length, c.alg, err)
		}
	}
	family := hmacKey(t, hmacSecret, "")
	for _, alg := range allAlgorithms {
		if family.Allows(alg) != strings.HasPrefix(alg, "HS") {
			t.Errorf("a secret without an algorithm and %s", alg)
		}
	}
	for _, alg := range []string{"", "HS", "none"} {
		if family.Allows(alg) {
			t.Errorf("a secret without an algorithm takes %q", alg)
		}
	}
}

func TestASecretNeverPrints(t *testing.T) {
	t.Parallel()
	k := hmacKey(t, hmacSecret, "")
	j, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "pointer", k, "value", *k)
	out := fmt.Sprintf("%v %+v %#v %s %x %d %v %#v %s %s", k, k, k, k, k, k, *k, *k, j, log.String())
	holder := struct{ K *jws.Key }{k}
	out += fmt.Sprintf("%+v %#v", holder, holder) + k.Thumbprint()
	if strings.Contains(out, hmacSecret[:8]) || strings.Contains(out, fmt.Sprintf("%x", hmacSecret[:8])) || strings.Contains(out, fmt.Sprint([]byte(hmacSecret[:8]))[1:20]) {
		t.Errorf("printed: %s", out)
	}
}

func TestThumbprints(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, alg := range append([]string{""}, allAlgorithms...) {
		k := hmacKey(t, hmacSecret, "")
		if alg != "" {
			k = keyFor(t, alg)
		}
		if len(k.Thumbprint()) != 43 || seen[k.Thumbprint()] != "" {
			t.Errorf("%q and %q have the thumbprint %q", alg, seen[k.Thumbprint()], k.Thumbprint())
		}
		seen[k.Thumbprint()] = alg + " "
	}
	a, err := jws.ParsePEM(pemOf(t, publicFor("ES256")), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := jws.ParseJWK(a.JWK())
	if err != nil {
		t.Fatal(err)
	}
	b.ID = "b"
	if a.Thumbprint() != b.Thumbprint() {
		t.Error("the same key by PEM and JWK has two thumbprints")
	}
}

func TestSignersRoundTrip(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	for alg, private := range map[string]any{
		"HS256": secret.New(hmacSecret), "RS256": keys.rsa, "ES256": keys.p256, "EdDSA": keys.ed,
	} {
		s, err := jws.NewSigner(alg, "kid-1", private)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		token, err := s.Sign("at+jwt", map[string]any{"sub": "<u>", "exp": 1})
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		public := s.Public()
		if alg != "HS256" {
			if public, err = jws.ParseJWK(s.JWK()); err != nil {
				t.Fatalf("%s: own JWK: %v", alg, err)
			}
		} else if s.JWK() != nil {
			t.Error("a shared secret has a JWK")
		}
		parsed, err := jws.Parse(token)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if want := (jws.Header{Alg: alg, Kid: "kid-1", Typ: "at+jwt"}); parsed.Header != want {
			t.Errorf("%s: header %+v", alg, parsed.Header)
		}
		if err := parsed.Verify(public); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if got, err := jws.DecodeClaims(parsed.Payload); err != nil || got["sub"] != "<u>" {
			t.Errorf("%s: %v %v", alg, got, err)
		}
	}
}

func TestSignersThatAreRefused(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	for name, c := range map[string]struct {
		alg string
		key any
	}{
		"none": {"none", keys.ed}, "another curve": {"ES256", keys.p384}, "PS256": {"PS256", keys.rsa}, "RSA key for EdDSA": {"EdDSA", keys.rsa},
		"a short secret": {"HS256", secret.New("short")}, "a secret for RS256": {"RS256", secret.New(hmacSecret)},
		"a key for HS256": {"HS256", keys.rsa}, "no key": {"RS256", nil}, "a text": {"HS256", hmacSecret}, "a public key": {"EdDSA", keys.ed.Public()},
		"a cut Ed25519 key": {"EdDSA", ed25519.PrivateKey(nil)}, "no RSA key": {"RS256", (*rsa.PrivateKey)(nil)},
	} {
		if _, err := jws.NewSigner(c.alg, "", c.key); !errors.Is(err, jws.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := jws.NewSigner("EdDSA", "", keys.ed)
	if err != nil {
		t.Fatal(err)
	}
	for name, claims := range map[string]any{
		"a list": []int{1}, "nothing": nil, "too much": map[string]string{"a": strings.Repeat("a", jws.MaxToken)}, "a channel": make(chan int),
	} {
		if _, err := s.Sign("", claims); err == nil {
			t.Errorf("%s is signed", name)
		}
	}
}
