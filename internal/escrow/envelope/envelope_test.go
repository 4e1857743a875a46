package envelope

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// RFC 7638 section 3.1, whose key has 2048 bits.
const rfc7638 = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","kid":"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"}`

func TestThumbprints(t *testing.T) {
	t.Parallel()
	p, err := ParsePublic([]byte(rfc7638), ImportedBits)
	if err != nil || p.Kid != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("%v %v", p.Kid, err)
	}
	// RFC 8037 appendix A.3.
	s, err := ParseSigner([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil || s.Kid != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("%v %v", s.Kid, err)
	}
	if again, err := ParsePublic(p.JWK, ImportedBits); err != nil || again.Kid != p.Kid || string(again.JWK) != string(p.JWK) {
		t.Errorf("%s %v", again.JWK, err)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	n := pair().N
	one := big.NewInt(1)
	square := new(big.Int).Mul(pair().Primes[0], pair().Primes[0])
	for name, c := range map[string]struct{ jwk, words string }{
		"too few bits":       {rfc7638, "at least 3072"},
		"no JSON":            {"x", "one JSON object"},
		"a list":             {"[]", "one JSON object"},
		"d":                  {strings.Replace(jwkOf(n, 65537), "{", `{"d":"AQAB",`, 1), "private member"},
		"p, null":            {strings.Replace(jwkOf(n, 65537), "{", `{"p":null,`, 1), "private member"},
		"oct":                {`{"kty":"oct","k":"AAAA"}`, "private member"},
		"exponent 1":         {jwkOf(n, 1), "65537"},
		"exponent 3":         {jwkOf(n, 3), "65537"},
		"a long exponent":    {strings.Replace(jwkOf(n, 65537), "AQAB", "AQABAQABAQAB", 1), "65537"},
		"even":               {jwkOf(new(big.Int).Sub(n, one), 65537), "factored"},
		"a small factor":     {jwkOf(new(big.Int).Mul(new(big.Int).Rsh(n, 8), big.NewInt(251)), 65537), ""},
		"a square":           {jwkOf(square, 65537), "factored"},
		"a leading zero":     {`{"kty":"RSA","e":"AQAB","n":"` + encode(append([]byte{0}, n.Bytes()...)) + `"}`, "leading zeros"},
		"padding":            {strings.Replace(jwkOf(n, 65537), `","e"`, `=","e"`, 1), "base64url"},
		"a line break":       {strings.Replace(jwkOf(n, 65537), `","e"`, `\n","e"`, 1), "base64url"},
		"another kid":        {strings.Replace(jwkOf(n, 65537), "{", `{"kid":"x",`, 1), "thumbprint"},
		"another algorithm":  {strings.Replace(jwkOf(n, 65537), "{", `{"alg":"RSA1_5",`, 1), "alg RSA-OAEP-256"},
		"SHA-1":              {strings.Replace(jwkOf(n, 65537), "{", `{"alg":"RSA-OAEP",`, 1), "alg RSA-OAEP-256"},
		"for signing":        {strings.Replace(jwkOf(n, 65537), "{", `{"key_ops":["verify"],`, 1), "key_ops"},
		"for nothing":        {strings.Replace(jwkOf(n, 65537), "{", `{"key_ops":[],`, 1), "key_ops"},
		"a modulus of texts": {`{"kty":"RSA","n":7,"e":"AQAB"}`, "n as base64url"},
	} {
		_, err := ParsePublic([]byte(c.jwk), NewBits)
		refused(t, name, err, c.words)
	}
	for name, jwk := range map[string]string{"x of 31 bytes": `{"kty":"OKP","crv":"Ed25519","x":"` + encode(make([]byte, 31)) + `"}`, "P-256": `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`,
		"for encryption": `{"kty":"OKP","crv":"Ed25519","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`} {
		if _, err := ParseSigner([]byte(jwk)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for i, y := range lowOrderPoints {
		for _, sign := range []byte{0, 0x80} {
			x := y
			x[31] |= sign
			_, err := ParseSigner([]byte(`{"kty":"OKP","crv":"Ed25519","x":"` + encode(x[:]) + `"}`))
			refused(t, "low order "+string(rune('0'+i)), err, "nobody signed")
		}
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	by := must(ParseSigner([]byte(`{"kty":"OKP","crv":"Ed25519","x":"` + encode(public) + `"}`)))
	head := object("alg", "EdDSA", "typ", TypeStatement, "kid", by.Kid)
	payload := object("kid", "k", "tenant", "t", "createdAt", "2026-11-21T12:00:05.000Z", "predecessor", nil)
	good := jws1(private, head, payload)
	s, err := VerifyStatement(good, by)
	if want := (Statement{"k", "t", "2026-11-21T12:00:05.000Z", ""}); err != nil || s != want || s.Mismatch(want) != nil {
		t.Fatalf("%v %v", s, err)
	}
	if s, signer, err := ParseStatement(good); err != nil || signer != by.Kid || s.Kid != "k" {
		t.Errorf("%v %v %v", s, signer, err)
	}
	for i := range good { // P6: any change, any cut
		for _, c := range []byte{good[i] ^ 1, 'A', '.'} {
			if c == good[i] {
				continue
			}
			if _, err := VerifyStatement(good[:i]+string(c)+good[i+1:], by); err == nil {
				t.Fatalf("a change at %d was not seen", i)
			}
		}
		if _, err := VerifyStatement(good[:i], by); err == nil {
			t.Fatalf("a cut at %d was not seen", i)
		}
	}
	for name, c := range map[string]struct{ head, payload, words string }{
		"none":           {object("alg", "none", "typ", TypeStatement, "kid", by.Kid), payload, "alg EdDSA"},
		"another type":   {object("alg", "EdDSA", "typ", TypeSuccession, "kid", by.Kid), payload, "typ"},
		"no kid":         {object("alg", "EdDSA", "typ", TypeStatement), payload, "must have kid"},
		"another's kid":  {object("alg", "EdDSA", "typ", TypeStatement, "kid", "x"), payload, "name its thumbprint"},
		"crit":           {object("alg", "EdDSA", "typ", TypeStatement, "kid", by.Kid, "crit", []string{"b64"}), payload, "must not have crit"},
		"its own key":    {object("alg", "EdDSA", "typ", TypeStatement, "kid", by.Kid, "jwk", by.JWK), payload, "nothing that is not described"},
		"a list":         {head, `[]`, "one JSON object"},
		"too little":     {head, object("kid", "k"), "exactly"},
		"too much":       {head, strings.Replace(payload, "{", `{"x":"y",`, 1), "exactly"},
		"null elsewhere": {head, object("kid", nil, "tenant", "t", "createdAt", "x", "predecessor", nil), "exactly"},
		"twice":          {head, strings.Replace(payload, "{", `{"kid":"k",`, 1), "twice"},
	} {
		_, err := VerifyStatement(jws1(private, c.head, c.payload), by)
		refused(t, name, err, c.words)
	}
	for _, want := range []Statement{{"x", "t", s.CreatedAt, ""}, {"k", "x", s.CreatedAt, ""}, {"k", "t", "x", ""}, {"k", "t", s.CreatedAt, "x"}} {
		if s.Mismatch(want) == nil {
			t.Errorf("%v is %v", s, want)
		}
	}
}

func TestWrappings(t *testing.T) {
	t.Parallel()
	head := func(pairs ...any) string {
		m := []any{"alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", encode(make([]byte, 16)), "p2c", 600000}
		return object(append(m, pairs...)...)
	}
	for _, good := range []string{jwe(head(), 40, 12, 1, 16), jwe(head("kid", "k", "cty", "jwk-set+json", "p2c", 1000000, "p2s", encode(make([]byte, 64))), 40, 12, 4000, 16)} {
		if err := CheckWrapping(good, "k"); err != nil {
			t.Error(err)
		}
	}
	for name, c := range map[string]struct{ text, words string }{
		"too long":              {jwe(head(), 40, 12, 16<<10, 16), "at most 16384 bytes"},
		"four parts":            {"a.b.c.d", "5 parts"},
		"six parts":             {"a.b.c.d.e.f", "5 parts"},
		"p2c 2^31":              {jwe(head("p2c", 1<<31), 40, 12, 1, 16), "p2c"},
		"p2c one too many":      {jwe(head("p2c", 1000001), 40, 12, 1, 16), "p2c"},
		"p2c one too few":       {jwe(head("p2c", 599999), 40, 12, 1, 16), "p2c"},
		"p2c a text":            {jwe(head("p2c", "600000"), 40, 12, 1, 16), "p2c"},
		"p2c 6e5":               {jwe(strings.Replace(head(), "600000", "6e5", 1), 40, 12, 1, 16), "p2c"},
		"p2c 600000.0":          {jwe(strings.Replace(head(), "600000", "600000.0", 1), 40, 12, 1, 16), "p2c"},
		"p2c minus":             {jwe(head("p2c", -600000), 40, 12, 1, 16), "p2c"},
		"a short salt":          {jwe(head("p2s", encode(make([]byte, 15))), 40, 12, 1, 16), "p2s"},
		"a long salt":           {jwe(head("p2s", encode(make([]byte, 65))), 40, 12, 1, 16), "p2s"},
		"no salt":               {jwe(head("p2s", nil), 40, 12, 1, 16), "p2s"},
		"HS256":                 {jwe(head("alg", "PBES2-HS256+A128KW"), 40, 12, 1, 16), "alg"},
		"dir":                   {jwe(head("alg", "dir"), 0, 12, 1, 16), "alg"},
		"CBC":                   {jwe(head("enc", "A256CBC-HS512"), 40, 16, 16, 32), "enc"},
		"zip":                   {jwe(head("zip", "DEF"), 40, 12, 1, 16), "must not have zip"},
		"another kid":           {jwe(head("kid", "x"), 40, 12, 1, 16), "kid"},
		"cty":                   {jwe(head("cty", "text"), 40, 12, 1, 16), "cty"},
		"a member more":         {jwe(head("apu", "x"), 40, 12, 1, 16), "nothing that is not described"},
		"a short encrypted key": {jwe(head(), 24, 12, 1, 16), "32 bytes"},
		"a short IV":            {jwe(head(), 40, 11, 1, 16), "IV of 12"},
		"nothing in it":         {jwe(head(), 40, 12, 0, 16), "ciphertext"},
		"padding":               {jwe(head(), 40, 12, 1, 16) + "=", "base64url"},
	} {
		refused(t, name, CheckWrapping(c.text, "k"), c.words)
	}
}

func TestRecoveryCopies(t *testing.T) {
	t.Parallel()
	head := func(k, n any) string {
		return object("alg", "dir", "enc", "A256GCM", "typ", TypeRecovery, "kid", "k", "set", "s", "k", k, "n", n)
	}
	if r, err := ParseRecovery(jwe(head(2, 3), 0, 12, 9, 16), "k"); err != nil || r != (Recovery{"s", 2, 3}) {
		t.Errorf("%v %v", r, err)
	}
	for name, c := range map[string][2]any{"one of one": {1, 1}, "more than there are": {4, 3}, "seventeen": {2, 17}, "texts": {"2", "3"}, "fractions": {2.5, 3}} {
		_, err := ParseRecovery(jwe(head(c[0], c[1]), 0, 12, 9, 16), "k")
		refused(t, name, err, "2 ≤ k ≤ n ≤ 16")
	}
	_, err := ParseRecovery(jwe(head(2, 3), 32, 12, 9, 16), "k")
	refused(t, "an encrypted key", err, "no encrypted key")
	_, err = ParseRecovery(jwe(head(2, 3), 0, 12, 9, 16), "x")
	refused(t, "of another key", err, "kid")
}

func TestSealedSecrets(t *testing.T) {
	t.Parallel()
	p := must(ParsePublic([]byte(jwkOf(pair().N, 65537)), NewBits))
	head := object("alg", Algorithm, "enc", "A256GCM", "tenant", "t", "machine", "m", "kind", "k")
	s, err := ParseSealed(jwe(head, 384, 12, 5, 16))
	if err != nil || s.Tenant != "t" || s.Machine != "m" || s.Kind != "k" || s.Kid != "" || s.To(p) != nil {
		t.Errorf("%v %v", s, err)
	}
	if s := must(ParseSealed(jwe(head, 256, 12, 5, 16))); s.To(p) == nil {
		t.Error("256 bytes are sealed to a key of 384")
	}
	for name, c := range map[string]struct{ text, words string }{
		"a number as tenant": {jwe(strings.Replace(head, `"tenant":"t"`, `"tenant":7`, 1), 384, 12, 5, 16), "tenant"},
		"no kind":            {jwe(strings.Replace(head, `"kind":"k",`, ``, 1), 384, 12, 5, 16), "must have kind"},
		"an empty machine":   {jwe(strings.Replace(head, `"machine":"m"`, `"machine":""`, 1), 384, 12, 5, 16), "machine"},
		"long":               {jwe(head, 384, 12, MaxSealed, 16), "at most"},
		"three parts":        {"a.b.c", "5 parts"},
	} {
		_, err := ParseSealed(c.text)
		refused(t, name, err, c.words)
	}
	raw := rawOf(p.Key)
	if err := CheckRaw(raw, p); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{"plain": "hunter2", "a line break": raw[:64] + "\n" + raw[64:], "cut": raw[:len(raw)-4], "longer": "AAAA" + raw,
		"not below the modulus": base64.StdEncoding.EncodeToString(p.Key.N.Bytes()), "a small number": base64.StdEncoding.EncodeToString(make([]byte, 384)), "huge": strings.Repeat("A", 1<<20)} {
		if CheckRaw(text, p) == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestOlderWrappings(t *testing.T) {
	t.Parallel()
	salt, iv, text := base64.StdEncoding.EncodeToString(make([]byte, 16)), encode(make([]byte, 12)), base64.StdEncoding.EncodeToString(make([]byte, 100))
	w, err := ParseImported([]byte(object("v", 1, "salt", salt, "iv", iv, "ct", text, "iter", 100000, "hash", "sha256")))
	if err != nil || w.Hash != "SHA-256" || w.Iterations != 100000 || w.Format != FormatImported || w.Ciphertext != text {
		t.Errorf("%+v %v", w, err)
	}
	raw := must(json.Marshal(w))
	if again, err := ParseImported(raw); err != nil || again != w {
		t.Errorf("%+v %v", again, err)
	}
	for name, c := range map[string]struct{ text, words string }{
		"no count":      {object("salt", salt, "iv", iv, "ciphertext", text), "iterations"},
		"a hostile one": {object("salt", salt, "iv", iv, "ciphertext", text, "iterations", 1<<40), "iterations"},
		"MD5":           {object("salt", salt, "iv", iv, "ciphertext", text, "iterations", 100000, "hash", "MD5"), "hash"},
		"no salt":       {object("iv", iv, "ciphertext", text, "iterations", 100000), "salt"},
		"no text":       {object("salt", salt, "iv", iv, "iterations", 100000), "ciphertext"},
		"another":       {object("format", "argon2"), "format"},
		"no JSON":       {"x", "JSON"},
	} {
		_, err := ParseImported([]byte(c.text))
		refused(t, name, err, c.words)
	}
}
