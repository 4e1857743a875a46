package jws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
)

const claims = `{"iss":"https://issuer.example","sub":"u","exp":4102444800}`

func TestEveryAlgorithmIsVerified(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgorithms {
		if err := accept(mint(t, alg, claims), keyFor(t, alg)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// TestAnyChangeIsRefused flips every bit of every character, cuts the token at
// every length, and drops, doubles or adds characters.
func TestAnyChangeIsRefused(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgorithms {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			token, k := mint(t, alg, claims), keyFor(t, alg)
			refuse := func(what string, changed string) {
				if changed != token && accept(changed, k) == nil {
					t.Errorf("accepted after %s", what)
				}
			}
			step := 1
			if alg == "ES384" || alg == "ES512" {
				step = 5 // a check costs a millisecond and more
			}
			for i := 0; i < len(token); i += step {
				for bit := range 8 {
					b := []byte(token)
					b[i] ^= 1 << bit
					refuse(fmt.Sprintf("bit %d of byte %d flipped", bit, i), string(b))
				}
				refuse(fmt.Sprintf("a cut at %d", i), token[:i])
				refuse(fmt.Sprintf("byte %d dropped", i), token[:i]+token[i+1:])
				refuse(fmt.Sprintf("byte %d doubled", i), token[:i+1]+token[i:])
			}
			for _, add := range []string{"A", "AAAA", "=", "==", ".", " ", "\n", "\x00", ".AAAA"} {
				refuse("an addition behind", token+add)
				refuse("an addition before", add+token)
			}
		})
	}
}

// TestOnlyTheOwnAlgorithm tries every key on every algorithm's honest token,
// also those that the key could do.
func TestOnlyTheOwnAlgorithm(t *testing.T) {
	t.Parallel()
	for _, its := range allAlgorithms {
		k := keyFor(t, its)
		for _, alg := range allAlgorithms {
			err := accept(mint(t, alg, claims), k)
			if alg == its && err != nil || alg != its && !errors.Is(err, jws.ErrAlgorithm) {
				t.Errorf("key for %s, token %s: %v", its, alg, err)
			}
		}
	}
}

// TestPublicKeyIsNoSecret signs HS256 with the text of the public key: the
// oldest confusion of all.
func TestPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	public := string(pemOf(t, publicFor("RS256")))
	forged := signHMAC(t, public)
	if err := accept(forged, hmacKey(t, public, "HS256")); err != nil {
		t.Fatalf("the forgery is not even well made: %v", err)
	}
	for _, alg := range []string{"", "RS256", "PS256"} {
		k, err := jws.ParsePEM([]byte(public), "k", alg)
		if err != nil {
			t.Fatal(err)
		}
		if err := accept(forged, k); !errors.Is(err, jws.ErrAlgorithm) {
			t.Errorf("a token signed with the public key's text: %v", err)
		}
	}
}

func TestSaltIsAsLongAsTheHash(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"PS256", "PS384", "PS512"} {
		input := b64([]byte(`{"alg":"`+alg+`"}`)) + "." + b64([]byte(claims))
		k := keyFor(t, alg)
		size := hashOf[alg[2:]].Size()
		for _, salt := range []int{0, 1, 20, 32, 48, 64, size - 1, size, size + 1} {
			err := accept(input+"."+b64(signPSS(t, alg, input, max(salt, -1))), k)
			if salt == 0 {
				continue // SaltLength 0 means "as long as possible" to the signer
			}
			if (err == nil) != (salt == size) {
				t.Errorf("%s with %d bytes of salt: %v", alg, salt, err)
			}
		}
	}
}

func TestECDSASignatureHasOneShape(t *testing.T) {
	t.Parallel()
	for alg, size := range map[string]int{"ES256": 32, "ES384": 48, "ES512": 66} {
		input := b64([]byte(`{"alg":"`+alg+`"}`)) + "." + b64([]byte(claims))
		k := keyFor(t, alg)
		sig := sign(t, alg, input)
		r, s := sig[:size], sig[size:]
		for what, other := range map[string][]byte{
			"leading zeros on both": append(append([]byte{0}, r...), append([]byte{0}, s...)...),
			"a leading zero on s":   append(append(append([]byte(nil), r...), 0), s...),
			"trailing zero":         append(append([]byte(nil), sig...), 0),
			"r alone":               r,
			"all zero":              make([]byte, 2*size),
			"DER":                   der(r, s),
		} {
			if err := accept(input+"."+b64(other), k); !errors.Is(err, jws.ErrSignature) {
				t.Errorf("%s, %s: %v", alg, what, err)
			}
		}
		if err := accept(input+"."+b64(sig), k); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestMessagesNeverQuoteTheToken(t *testing.T) {
	t.Parallel()
	for _, token := range []string{
		"marker", "marker.marker.marker!", "e30.marker.marker", b64([]byte(`{"alg":"marker"}`)) + ".bWFya2Vy.bWFya2Vy",
		b64([]byte(`{"alg":"HS256","typ":"marker"}`)) + ".bWFya2Vy.bWFya2Vy", mint(t, "HS256", `{"marker":1}`),
	} {
		err := accept(token, hmacKey(t, "marker marker marker marker marker marker", "HS256"))
		if err == nil || strings.Contains(err.Error(), "marker") {
			t.Errorf("error %v", err)
		}
	}
}
