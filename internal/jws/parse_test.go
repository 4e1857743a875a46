package jws_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	many := `{"alg":"HS256"`
	for i := range 31 {
		many += `,"m` + strings.Repeat("x", i) + `":0`
	}
	for _, c := range []struct {
		name, header string
		want         error // nil: parsed
	}{
		{"least", `{"alg":"HS256"}`, nil},
		{"typ JWT", `{"typ":"JWT","alg":"HS256"}`, nil},
		{"typ at+jwt", `{"typ":"at+jwt","alg":"HS256"}`, nil},
		{"typ in another case", `{"typ":"jwt","alg":"HS256"}`, nil},
		{"typ as a whole media type", `{"typ":"application/at+jwt","alg":"HS256"}`, nil},
		{"unknown members", `{"alg":"HS256","x":[1,{"y":null}],"cty":"JWT"}`, nil},
		{"keys brought along are read past", `{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"jku":"https://x","x5u":"https://x","x5c":["AA"]}`, nil},
		{"blanks", " {\r\n\t\"alg\" : \"HS256\" } ", nil},
		{"an escaped name", `{"\u0061lg":"HS256"}`, nil},
		{"32 members", many + "}", nil},
		{"33 members", many + `,"n":0}`, jws.ErrMalformed},
		{"empty", `{}`, jws.ErrMalformed},
		{"no alg", `{"typ":"JWT"}`, jws.ErrMalformed},
		{"alg twice", `{"alg":"HS256","alg":"HS256"}`, jws.ErrMalformed},
		{"alg twice, once escaped", `{"alg":"HS256","\u0061lg":"HS256"}`, jws.ErrMalformed},
		{"a nested name twice", `{"alg":"HS256","x":{"a":1,"a":2}}`, jws.ErrMalformed},
		{"names in another case are other names", `{"alg":"HS256","ALG":"none"}`, nil},
		{"only ALG", `{"ALG":"HS256"}`, jws.ErrMalformed},
		{"none", `{"alg":"none"}`, jws.ErrAlgorithm},
		{"NoNe", `{"alg":"NoNe"}`, jws.ErrAlgorithm},
		{"hs256", `{"alg":"hs256"}`, jws.ErrAlgorithm},
		{"HS", `{"alg":"HS"}`, jws.ErrAlgorithm},
		{"empty alg", `{"alg":""}`, jws.ErrAlgorithm},
		{"ES256K", `{"alg":"ES256K"}`, jws.ErrAlgorithm},
		{"an encryption algorithm", `{"alg":"dir","enc":"A256GCM"}`, jws.ErrAlgorithm},
		{"alg null", `{"alg":null}`, jws.ErrMalformed},
		{"alg a list", `{"alg":["HS256"]}`, jws.ErrMalformed},
		{"kid a number", `{"alg":"HS256","kid":1}`, jws.ErrMalformed},
		{"typ a number", `{"alg":"HS256","typ":1}`, jws.ErrMalformed},
		{"typ of another use", `{"alg":"HS256","typ":"dpop+jwt"}`, jws.ErrMalformed},
		{"typ empty", `{"alg":"HS256","typ":""}`, jws.ErrMalformed},
		{"crit", `{"alg":"HS256","crit":["exp"]}`, jws.ErrMalformed},
		{"crit empty", `{"alg":"HS256","crit":[]}`, jws.ErrMalformed},
		{"b64 false", `{"alg":"HS256","b64":false}`, jws.ErrMalformed},
		{"two objects", `{"alg":"HS256"}{}`, jws.ErrMalformed},
		{"a trailing comma", `{"alg":"HS256",}`, jws.ErrMalformed},
		{"a comment", `{"alg":"HS256"/**/}`, jws.ErrMalformed},
		{"a list", `["alg"]`, jws.ErrMalformed},
		{"a BOM", "\ufeff" + `{"alg":"HS256"}`, jws.ErrMalformed},
		{"not UTF-8", "{\"alg\":\"HS256\",\"kid\":\"\xff\"}", jws.ErrMalformed},
		{"half a surrogate pair", `{"alg":"HS256","kid":"\ud800"}`, jws.ErrMalformed},
		{"nested too deep", `{"alg":"HS256","x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, jws.ErrMalformed},
		{"cut", `{"alg":"HS256"`, jws.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := accept(mintRaw(t, "HS256", c.header, claims), keyFor(t, "HS256"))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	good := mint(t, "HS256", claims)
	h, p, s := split(good)
	for name, token := range map[string]string{
		"empty": "", "one part": h, "two parts": h + "." + p, "four parts": good + "." + s,
		"five parts, as of encryption": "a.b.c.d.e", "dots alone": "..", "very many dots": strings.Repeat(".", 10000),
		"no header": "." + p + "." + s, "no signature": h + "." + p + ".",
		"padding": good + "=", "standard alphabet": h + "." + p + ".+/" + s[2:], "a line break": h + ".\n" + p + "." + s,
		"JSON serialisation":     `{"payload":"` + p + `","protected":"` + h + `","signature":"` + s + `"}`,
		"a length no bytes have": h + "." + p + ".AAAAA", "trailing bits": h + "." + p + ".AB",
		"too long": h + "." + strings.Repeat("A", jws.MaxToken) + "." + s,
	} {
		if _, err := jws.Parse(token); !errors.Is(err, jws.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestShapeCostsNothing holds that a text of wrong shape is refused before
// anything of its size is allocated.
func TestShapeCostsNothing(t *testing.T) {
	big := strings.Repeat("A", jws.MaxToken-4) + ".!.A"
	if n := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			_, _ = jws.Parse(big)
		}
	}).AllocedBytesPerOp(); n > 512 {
		t.Errorf("%d bytes for a refusal", n)
	}
}

func TestWhatParseTells(t *testing.T) {
	t.Parallel()
	token, err := jws.Parse(mint(t, "ES256", claims))
	if err != nil {
		t.Fatal(err)
	}
	if want := (jws.Header{Alg: "ES256", Kid: "k", Typ: "JWT"}); token.Header != want {
		t.Errorf("header %+v", token.Header)
	}
	if string(token.Payload) != claims {
		t.Errorf("payload %s", token.Payload)
	}
	if err := token.Verify(nil); !errors.Is(err, jws.ErrKey) {
		t.Errorf("no key: %v", err)
	}
	if err := token.Verify(&jws.Key{Alg: "ES256"}); !errors.Is(err, jws.ErrSignature) {
		t.Errorf("a key without material: %v", err)
	}
	if err := token.Verify(&jws.Key{}); !errors.Is(err, jws.ErrAlgorithm) {
		t.Errorf("an empty key: %v", err)
	}
	if err := (&jws.Token{}).Verify(&jws.Key{}); err == nil {
		t.Error("an empty token is verified by an empty key")
	}
}
