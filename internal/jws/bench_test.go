package jws_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
)

// benchClaims are of the size of a usual access token's.
const benchClaims = `{"iss":"https://issuer.example/","sub":"auth0|5f7c8ec7c33c6c004bbafe82","aud":["https://api.example","https://issuer.example/userinfo"],"iat":1700000000,"exp":4102444800,"azp":"my_client_id","scope":"openid profile email read:users","permissions":["users:read","users:write"],"email":"user@example.com","email_verified":true}`

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA", "HS256"} {
		token := mint(b, alg, benchClaims)
		k := keyFor(b, alg)
		b.Run(alg+"/whole", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if accept(token, k) != nil {
					b.Fatal("refused")
				}
			}
		})
		b.Run(alg+"/crypto", func(b *testing.B) { bare(b, token, publicFor(alg)) })
		b.Run(alg+"/go-jose", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if byGoJose(token, alg, publicFor(alg)) != nil {
					b.Fatal("refused")
				}
			}
		})
		b.Run(alg+"/golang-jwt", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if byGolangJWT(token, alg, publicFor(alg)) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}

// bare is the standard library's check alone, on bytes already decoded.
func bare(b *testing.B, token string, public any) {
	i := strings.LastIndexByte(token, '.')
	input := []byte(token[:i])
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil {
		b.Fatal(err)
	}
	var ok bool
	b.ReportAllocs()
	for b.Loop() {
		switch k := public.(type) {
		case *rsa.PublicKey:
			sum := sha256.Sum256(input)
			ok = rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil
		case *ecdsa.PublicKey:
			sum := sha256.Sum256(input)
			ok = ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
		case ed25519.PublicKey:
			ok = ed25519.Verify(k, input, signature)
		case []byte:
			mac := hmac.New(sha256.New, k)
			mac.Write(input)
			ok = hmac.Equal(signature, mac.Sum(nil))
		}
		if !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	token := mint(b, "RS256", benchClaims)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jws.Parse(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeClaims(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jws.DecodeClaims([]byte(benchClaims)); err != nil {
			b.Fatal(err)
		}
	}
}
