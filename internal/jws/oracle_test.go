package jws_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/portreeve/portreeve/internal/jws"
)

// byGoJose and byGolangJWT say whether the libraries take a token when they are
// told the one algorithm and key.
func byGoJose(token, alg string, key any) error {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return err
	}
	_, err = parsed.Verify(key)
	return err
}

func byGolangJWT(token, alg string, key any) error {
	p := jwt.NewParser(jwt.WithValidMethods([]string{alg}), jwt.WithoutClaimsValidation(), jwt.WithJSONNumber(), jwt.WithStrictDecoding())
	_, err := p.Parse(token, func(*jwt.Token) (any, error) { return key, nil })
	return err
}

// byUs is the same with us, claims included.
func byUs(token string, k *jws.Key) error {
	parsed, err := jws.Parse(token)
	if err != nil {
		return err
	}
	if err := parsed.Verify(k); err != nil {
		return err
	}
	_, err = jws.DecodeClaims(parsed.Payload)
	return err
}

// TestLibrariesAgree: honest tokens of every algorithm, and each under every
// other algorithm's key.
func TestLibrariesAgree(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgorithms {
		token := mint(t, alg, claims)
		for _, other := range allAlgorithms {
			ours := byUs(token, keyFor(t, other)) == nil
			jose, jwts := byGoJose(token, other, publicFor(other)) == nil, byGolangJWT(token, other, publicFor(other)) == nil
			if ours != (alg == other) || jose != ours || jwts != ours {
				t.Errorf("token %s, key %s: we %t, go-jose %t, golang-jwt %t", alg, other, ours, jose, jwts)
			}
		}
	}
}

// TestDisagreements is the whole list of what we read otherwise than the
// libraries, each with its reason.
func TestDisagreements(t *testing.T) {
	t.Parallel()
	hs := func(header, payload string) string { return mintRaw(t, "HS256", header, payload) }
	good := hs(`{"alg":"HS256"}`, claims)
	pss := b64([]byte(`{"alg":"PS256"}`)) + "." + b64([]byte(claims))
	h, p, s := split(good)
	type verdicts struct{ us, jose, jwt bool }
	for _, c := range []struct {
		name, alg, token string
		want             verdicts
		why              string
	}{
		{"PS256 with 20 bytes of salt", "PS256", pss + "." + b64(signPSS(t, "PS256", pss, 20)), verdicts{false, true, true}, "RFC 7518 section 3.5 wants the hash's length"},
		{"trailing bits in the signature", "HS256", h + "." + p + "." + s[:42] + bump(s[42:]), verdicts{false, true, false}, "a second spelling of one token; golang-jwt only with strict decoding"},
		{"a line break in the signature", "HS256", h + "." + p + "." + s[:8] + "\n" + s[8:], verdicts{false, true, true}, "encoding/base64 skips line breaks, strict or not"},
		{"a blank before the signature", "HS256", h + "." + p + ". " + s, verdicts{false, false, false}, "nobody takes it"},
		{"a blank behind the token", "HS256", good + " ", verdicts{false, false, false}, "nobody takes it"},
		{"a header member twice", "HS256", hs(`{"alg":"HS256","x":1,"x":2}`, claims), verdicts{false, false, true}, "two readers may see two headers"},
		{"alg twice", "HS256", hs(`{"alg":"none","alg":"HS256"}`, claims), verdicts{false, false, true}, "as above"},
		{"a claim twice", "HS256", hs(`{"alg":"HS256"}`, `{"sub":"a","sub":"b"}`), verdicts{false, true, true}, "go-jose's verifier does not look at claims; golang-jwt takes the last"},
		{"crit", "HS256", hs(`{"alg":"HS256","crit":["exp"],"exp":1}`, claims), verdicts{false, false, true}, "RFC 7515 section 4.1.11"},
		{"b64 false with crit", "HS256", hs(`{"alg":"HS256","crit":["b64"],"b64":false}`, claims), verdicts{false, false, true}, "RFC 7797: what was signed is another text"},
		{"typ of a proof", "HS256", hs(`{"alg":"HS256","typ":"dpop+jwt"}`, claims), verdicts{false, true, true}, "RFC 8725 section 3.11: a token of another use"},
		{"a cnf claim", "HS256", hs(`{"alg":"HS256"}`, `{"sub":"a","cnf":{"jkt":"x"}}`), verdicts{false, true, true}, "RFC 7800: bound to a key"},
		{"kid is a number", "HS256", hs(`{"alg":"HS256","kid":1}`, claims), verdicts{false, false, true}, "RFC 7515 section 4.1.4: a text"},
		{"typ is a number", "HS256", hs(`{"alg":"HS256","typ":1}`, claims), verdicts{false, true, true}, "RFC 7515 section 4.1.9: a text"},
		{"half a surrogate pair in the header", "HS256", hs(`{"alg":"HS256","kid":"\ud800"}`, claims), verdicts{false, true, true}, "read as U+FFFD it is another kid"},
		{"a header that is not UTF-8", "HS256", hs("{\"alg\":\"HS256\",\"kid\":\"\xff\"}", claims), verdicts{false, true, true}, "as above"},
		{"longer than 16 KiB", "HS256", hs(`{"alg":"HS256"}`, `{"a":"`+strings.Repeat("a", jws.MaxToken)+`"}`), verdicts{false, true, true}, "work before authentication is bounded"},
		{"33 members in the header", "HS256", hs(`{"alg":"HS256",`+manyMembers(32)+`}`, claims), verdicts{false, true, true}, "as above"},
		{"nested 40 deep", "HS256", hs(`{"alg":"HS256"}`, `{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`), verdicts{false, true, true}, "as above"},
		{"a payload that is no JSON", "HS256", hs(`{"alg":"HS256"}`, "hello"), verdicts{false, true, false}, "a signed text without claims"},
		{"a payload that is null", "HS256", hs(`{"alg":"HS256"}`, "null"), verdicts{false, true, true}, "no claims set"},
		{"text behind the claims", "HS256", hs(`{"alg":"HS256"}`, claims+"x"), verdicts{false, true, true}, "golang-jwt's decoder for json.Number stops at the end of the object"},
		{"an embedded key", "HS256", hs(`{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}`, claims), verdicts{true, false, true}, "jwk is read past; go-jose refuses one that is not public"},
		{"an embedded chain of nonsense", "HS256", hs(`{"alg":"HS256","x5c":["AA"]}`, claims), verdicts{true, false, true}, "x5c is read past; go-jose parses it"},
		{"a nonce that is a number", "HS256", hs(`{"alg":"HS256","nonce":1}`, claims), verdicts{true, false, true}, "an ACME parameter (RFC 8555 section 6.5.2), read past; go-jose wants a text"},
	} {
		got := verdicts{
			byUs(c.token, keyFor(t, c.alg)) == nil,
			byGoJose(c.token, c.alg, publicFor(c.alg)) == nil,
			byGolangJWT(c.token, c.alg, publicFor(c.alg)) == nil,
		}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v (%s)", c.name, got, c.want, c.why)
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"` + strings.Repeat("m", i+1) + `":0`)
		if i < n-1 {
			b.WriteByte(',')
		}
	}
	return b.String()
}

// bump sets a trailing bit that stands for nothing in the last character.
func bump(last string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.Index(alphabet, last)|1])
}

// theyParseMore are the header members that go-jose reads and we read past.
var theyParseMore = []string{`"jwk"`, `"x5c"`, `"nonce"`, `\u`}

// fuzzAgree holds one signed token against both libraries: what we accept they
// accept.
func fuzzAgree(t *testing.T, token, header string) {
	if byUs(token, keyFor(t, "HS256")) != nil {
		return
	}
	if err := byGolangJWT(token, "HS256", publicFor("HS256")); err != nil {
		t.Fatalf("accepted %q (header %q), golang-jwt: %v", token, header, err)
	}
	err := byGoJose(token, "HS256", publicFor("HS256"))
	for _, m := range theyParseMore {
		if strings.Contains(header, m) {
			err = nil
		}
	}
	if err != nil {
		t.Fatalf("accepted %q (header %q), go-jose: %v", token, header, err)
	}
}

// FuzzSigned signs any header and payload honestly.
func FuzzSigned(f *testing.F) {
	for _, h := range []string{
		`{"alg":"HS256"}`, `{"typ":"JWT","alg":"HS256","kid":"a"}`, `{"alg":"HS256","x":[1,2,{"a":null}]}`, `{"alg":"HS256","alg":"HS256"}`,
		`{"alg":"none"}`, `{"alg":"HS256","crit":["b64"]}`, ` {"alg" : "HS256"}`, `{"alg":"HS256","jku":1,"x5t":"","cty":1}`, `{"Alg":"none","alg":"HS256"}`,
	} {
		f.Add(h, `{"sub":"a"}`)
	}
	f.Add(`{"alg":"HS256"}`, `{"sub":"a","aud":["a","b"],"exp":1e3,"iat":1.5}`)
	f.Add(`{"alg":"HS256"}`, `{"exp":"x","nbf":null,"iss":1,"aud":{}}`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		fuzzAgree(t, mintRaw(t, "HS256", header, payload), header)
	})
}

// FuzzText takes any text as a token: no panic, one class of error, and
// nothing but the honest token is accepted.
func FuzzText(f *testing.F) {
	honest := mint(f, "HS256", claims)
	f.Add(honest)
	f.Add(honest + "=")
	f.Add("..")
	f.Add(strings.Repeat(".", 100))
	f.Fuzz(func(t *testing.T, token string) {
		err := byUs(token, keyFor(t, "HS256"))
		if err == nil && token != honest {
			t.Fatalf("accepted %q", token)
		}
		if err != nil && !errors.Is(err, jws.ErrMalformed) && !errors.Is(err, jws.ErrAlgorithm) && !errors.Is(err, jws.ErrSignature) {
			t.Fatalf("error of no class: %v", err)
		}
	})
}
