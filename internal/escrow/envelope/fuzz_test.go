package envelope

import (
	"crypto/ed25519"
	"strings"
	"testing"
)

// Whatever is taken has one spelling and keeps its bounds, and no error quotes
// what was sent.

func FuzzPublic(f *testing.F) {
	f.Add(rfc7638)
	f.Add(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := ParsePublic([]byte(raw), ImportedBits)
		if err != nil {
			return
		}
		again, err := ParsePublic(p.JWK, ImportedBits)
		if err != nil || again.Kid != p.Kid || p.Key.N.BitLen() < ImportedBits || strings.Contains(string(p.JWK), `"d"`) {
			t.Errorf("%s became %s: %v", raw, p.JWK, err)
		}
	})
}

func FuzzSigner(f *testing.F) {
	f.Add(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := ParseSigner([]byte(raw))
		if err != nil {
			return
		}
		if again, err := ParseSigner(s.JWK); err != nil || again.Kid != s.Kid || len(s.Key) != ed25519.PublicKeySize {
			t.Errorf("%s became %s: %v", raw, s.JWK, err)
		}
	})
}

func FuzzStatement(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	by := must(ParseSigner([]byte(`{"kty":"OKP","crv":"Ed25519","x":"` + encode(key.Public().(ed25519.PublicKey)) + `"}`)))
	good := jws1(key, object("alg", "EdDSA", "typ", TypeStatement, "kid", by.Kid), object("kid", "k", "tenant", "t", "createdAt", "x", "predecessor", nil))
	f.Add(good)
	f.Add(strings.Repeat(".", 2))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := VerifyStatement(text, by); err == nil && text != good {
			t.Errorf("%q is signed", text)
		}
		_, _ = VerifySuccession(text, by)
		_, _, _ = ParseStatement(text)
	})
}

func FuzzEnvelopes(f *testing.F) {
	f.Add(jwe(object("alg", Algorithm, "enc", "A256GCM", "tenant", "t", "machine", "m", "kind", "k"), 384, 12, 5, 16))
	f.Add(jwe(object("alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", encode(make([]byte, 16)), "p2c", 600000), 40, 12, 1, 16))
	f.Add(jwe(object("alg", "dir", "enc", "A256GCM", "typ", TypeRecovery, "kid", "k", "set", "s", "k", 2, "n", 3), 0, 12, 9, 16))
	p := must(ParsePublic([]byte(rfc7638), ImportedBits))
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSealed(text); err == nil && (s.Tenant == "" || len(text) > MaxSealed) {
			t.Errorf("%q: %+v", text, s)
		}
		if r, err := ParseRecovery(text, "k"); err == nil && (r.K < 2 || r.N > MostShares || r.K > r.N) {
			t.Errorf("%q: %+v", text, r)
		}
		if CheckWrapping(text, "k") == nil && len(text) > MaxWrapping {
			t.Errorf("%d bytes", len(text))
		}
		_ = CheckRaw(text, p)
	})
}

func FuzzImported(f *testing.F) {
	f.Add(`{"v":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","iv":"AAAAAAAAAAAAAAAA","ct":"AAAAAAAAAAAAAAAAAAAAAAAAAAAA","iter":100000}`)
	f.Fuzz(func(t *testing.T, raw string) {
		w, err := ParseImported([]byte(raw))
		if err == nil && (w.Iterations > mostImported || w.Salt == "" || w.IV == "" || w.Ciphertext == "") {
			t.Errorf("%q: %+v", raw, w)
		}
	})
}
