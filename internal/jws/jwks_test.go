package jws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
)

const (
	edX = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	ecX = `"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"`
	ecY = `"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
)

func TestKeysOfASet(t *testing.T) {
	t.Parallel()
	n := func(bytes int) string { return b64(append([]byte{0x80}, append(make([]byte, bytes-2), 1)...)) }
	for _, c := range []struct {
		name, key, want string // want: alg, or "" for skipped
		alarm           bool
	}{
		{"Ed25519", `{` + edX + `,"kid":"a"}`, "EdDSA", false},
		{"Ed25519 with use and ops", `{` + edX + `,"use":"sig","key_ops":["verify"],"alg":"EdDSA"}`, "EdDSA", false},
		{"P-256", `{"kty":"EC","crv":"P-256",` + ecX + `,` + ecY + `}`, "ES256", false},
		{"RSA for PS384", `{"kty":"RSA","e":"AQAB","n":"` + n(256) + `","alg":"PS384"}`, "PS384", false},
		{"RSA without alg", `{"kty":"RSA","e":"AQAB","n":"` + n(256) + `","x5t":"zz","x5c":["zz"]}`, "RS256", false},
		{"RSA with a leading zero byte", `{"kty":"RSA","e":"AQAB","n":"` + b64(append([]byte{0, 0x80}, append(make([]byte, 254), 1)...)) + `"}`, "RS256", false},
		{"a shared secret", `{"kty":"oct","k":"AAAA","alg":"HS256"}`, "", true},
		{"a private Ed25519 key", `{` + edX + `,"d":"AAAA"}`, "", true},
		{"a private RSA key's prime", `{"kty":"RSA","e":"AQAB","n":"` + n(256) + `","p":"AAAA"}`, "", true},
		{"a public key with k", `{` + edX + `,"k":""}`, "", true},
		{"for encryption", `{` + edX + `,"use":"enc"}`, "", false},
		{"use is a list", `{` + edX + `,"use":["sig"]}`, "", false},
		{"ops without verify", `{` + edX + `,"key_ops":["sign"]}`, "", false},
		{"ops is a text", `{` + edX + `,"key_ops":"verify"}`, "", false},
		{"another kind", `{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}`, "", false},
		{"no kind", `{"crv":"Ed25519"}`, "", false},
		{"kind in another case", `{"kty":"ec","crv":"P-256",` + ecX + `,` + ecY + `}`, "", false},
		{"alg of another kind", `{` + edX + `,"alg":"RS256"}`, "", false},
		{"alg HS256 on a public key", `{` + edX + `,"alg":"HS256"}`, "", false},
		{"alg none", `{` + edX + `,"alg":"none"}`, "", false},
		{"alg empty", `{` + edX + `,"alg":""}`, "", false},
		{"alg for encryption", `{"kty":"RSA","e":"AQAB","n":"` + n(256) + `","alg":"RSA-OAEP"}`, "", false},
		{"kid is a number", `{` + edX + `,"kid":1}`, "", false},
		{"RSA of 2040 bits", `{"kty":"RSA","e":"AQAB","n":"` + n(255) + `"}`, "", false},
		{"RSA of 8208 bits", `{"kty":"RSA","e":"AQAB","n":"` + n(1026) + `"}`, "", false},
		{"RSA with exponent 1", `{"kty":"RSA","e":"AQ","n":"` + n(256) + `"}`, "", false},
		{"RSA with an even exponent", `{"kty":"RSA","e":"AQAA","n":"` + n(256) + `"}`, "", false},
		{"RSA with a huge exponent", `{"kty":"RSA","e":"AQAAAAE","n":"` + n(256) + `"}`, "", false},
		{"RSA without n", `{"kty":"RSA","e":"AQAB"}`, "", false},
		{"RSA with padding", `{"kty":"RSA","e":"AQAB","n":"` + n(256) + `="}`, "", false},
		{"a point off the curve", `{"kty":"EC","crv":"P-256",` + ecX + `,"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw"}`, "", false},
		{"a short coordinate", `{"kty":"EC","crv":"P-256",` + ecX + `,"y":"AQ"}`, "", false},
		{"secp256k1", `{"kty":"EC","crv":"secp256k1",` + ecX + `,` + ecY + `}`, "", false},
		{"X25519", `{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, "", false},
		{"Ed25519 cut", `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"}`, "", false},
		{"no object", `"hello"`, "", false},
		{"null", `null`, "", false},
	} {
		keys, skipped, err := jws.ParseJWKS([]byte(`{"keys":[` + c.key + `],"public_certs":[]}`))
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "" && (len(keys) != 0 || len(skipped) != 1 || skipped[0].Reason == "" || skipped[0].Alarm != c.alarm):
			t.Errorf("%s: keys %v, skipped %+v", c.name, keys, skipped)
		case c.want != "" && (len(keys) != 1 || keys[0].Alg != c.want || len(skipped) != 0):
			t.Errorf("%s: keys %v, skipped %v", c.name, keys, skipped)
		}
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{},`, 256) + `{}`
	for name, text := range map[string]string{
		"nothing": "", "HTML": "<html>", "a list": "[]", "no keys": "{}", "keys null": `{"keys":null}`, "keys a map": `{"keys":{}}`,
		"a member twice": `{"keys":[],"keys":[]}`, "a key's member twice": `{"keys":[{"kty":"EC","kty":"RSA"}]}`,
		"cut": `{"keys":[`, "257 keys": `{"keys":[` + many + `]}`, "too large": `{"keys":[],"x":"` + strings.Repeat("a", jws.MaxKeySet) + `"}`,
	} {
		if keys, _, err := jws.ParseJWKS([]byte(text)); !errors.Is(err, jws.ErrKey) || keys != nil {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	if keys, skipped, err := jws.ParseJWKS([]byte(`{"keys":[]}`)); err != nil || len(keys)+len(skipped) != 0 {
		t.Errorf("an empty set: %v %v %v", keys, skipped, err)
	}
}

func TestDoublesInASet(t *testing.T) {
	t.Parallel()
	ec := `{"kty":"EC","crv":"P-256",` + ecX + `,` + ecY + `,"kid":"a"}`
	ed := `{` + edX + `,"kid":"a"}`
	other := string(must(jws.ParsePEM(pemOf(t, publicFor("EdDSA")), "a", "")).JWK())
	same := `{` + edX + `,"kid":"b"}`
	keys, skipped, err := jws.ParseJWKS([]byte(fmt.Sprintf(`{"keys":[%s,%s,%s,%s]}`, ec, ed, other, same)))
	if err != nil || len(keys) != 2 || len(skipped) != 2 {
		t.Fatalf("keys %v, skipped %v, %v", keys, skipped, err)
	}
	if keys[0].Alg != "ES256" || keys[1].Alg != "EdDSA" || skipped[0].Index != 2 || skipped[1].Index != 3 || skipped[0].ID != "a" {
		t.Errorf("keys %v, skipped %v", keys, skipped)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzKeySet: any bytes give keys or an error, never a panic, and every key
// taken survives its own JWK.
func FuzzKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{` + edX + `,"kid":"a"},{"kty":"EC","crv":"P-256",` + ecX + `,` + ecY + `}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AQ"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, _, err := jws.ParseJWKS(b)
		if err != nil {
			return
		}
		for _, k := range keys {
			again, err := jws.ParseJWK(k.JWK())
			if err != nil || again.Thumbprint() != k.Thumbprint() || k.Symmetric() {
				t.Fatalf("%v: %v, %v", k, again, err)
			}
		}
	})
}
