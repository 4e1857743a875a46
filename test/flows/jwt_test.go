package flows

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/standin"
)

// A secret is rotated under running traffic: both count, then the new one alone.
func TestASharedSecretIsRotated(t *testing.T) {
	t.Parallel()
	const text = `
environment: test
jwt: {secrets: [%]}
upstream: "@ECHO@"
routes: [{path: /orders, method: get, requireAuth: true}]
`
	with := func(secrets string) string { return strings.Replace(text, "%", secrets, 1) }
	const first, second, third = "first-secret-of-at-least-32-bytes!", "second-secret-of-at-least-32-bytes", "third-secret-of-at-least-32-bytes!"
	e := start(t, setting{Text: with(first)})
	old, fresh := sign(t, shared(first), nil), sign(t, shared(second), nil)
	arrived(t, e.ask(t, "GET", "/orders", bearer(old)))
	refused(t, e.ask(t, "GET", "/orders", bearer(fresh)), "bad signature", fresh)

	reload := func(secrets string) {
		t.Helper()
		e.write(t, "portreeve.yaml", strings.ReplaceAll(with(secrets), "@ECHO@", e.Echo))
		if err := e.App.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	reload(second + ", " + first)
	arrived(t, e.ask(t, "GET", "/orders", bearer(old)))
	arrived(t, e.ask(t, "GET", "/orders", bearer(fresh)))
	made, err := app.Token(e.Source, app.TokenRequest{Subject: "alice", Expires: time.Hour, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	reload(second)
	refused(t, e.ask(t, "GET", "/orders", bearer(old)), "bad signature", old) // remembered or not
	arrived(t, e.ask(t, "GET", "/orders", bearer(fresh)))
	arrived(t, e.ask(t, "GET", "/orders", bearer(made))) // signed with the current one
	reload(third)
	for _, token := range []string{old, fresh, made} {
		refused(t, e.ask(t, "GET", "/orders", bearer(token)), "bad signature", token)
	}
}

// Several providers side by side: by issuer, and one for tokens that name none.
func TestEachTokenBelongsToOneProvider(t *testing.T) {
	t.Parallel()
	rsaKey, edKey := private(t, "RS256"), private(t, "EdDSA")
	inFile, fetched := signer(t, "ES256", "f1"), issuer(t, standin.IssuerOptions{Alg: "ES256"})
	e := start(t, setting{
		Words: map[string]string{"SECRET": sharedSecret, "JWKS": fetched.URL() + "/jwks"},
		Files: map[string]string{"keys.json": jwks(inFile), "rsa.pem": publicPEM(rsaKey), "ed.pem": publicPEM(edKey)},
		Text: `
environment: test
jwt:
  - {name: house, secret: "@SECRET@"}
  - {name: pem, publicKey: ["{{file.rsa.pem}}", "{{file.ed.pem}}"], issuer: "https://pem.test", audience: api}
  - {name: file, jwksFile: keys.json, issuer: "https://file.test", algorithm: ES256}
  - {name: url, jwksURL: "@JWKS@", issuer: "https://url.test", audience: [api, api2]}
upstream: "@ECHO@"
routes:
  - {path: /any, method: get, requireAuth: true}
  - {path: /pem, method: get, authProvider: pem}
  - {path: /jwt, method: get, authProvider: jwt}
  - {path: /two, method: get, authProvider: [file, url]}
`})
	rsaBy, edBy := must(jws.NewSigner("RS256", "", rsaKey)), must(jws.NewSigner("EdDSA", "", edKey))
	pssBy := must(jws.NewSigner("RS256", "unknown-id", rsaKey))
	for _, c := range []struct {
		name, provider, reason string
		by                     *jws.Signer
		claims                 map[string]any
	}{
		{"no issuer: the one that has none", "house", "", shared(sharedSecret), nil},
		{"an issuer that nobody names: likewise", "house", "", shared(sharedSecret), map[string]any{"iss": "https://elsewhere.test"}},
		{"a named issuer is that provider's alone", "", "algorithm not accepted", shared(sharedSecret), map[string]any{"iss": "https://pem.test", "aud": "api"}},
		{"PEM, RSA", "pem", "", rsaBy, map[string]any{"iss": "https://pem.test", "aud": "api"}},
		{"PEM, Ed25519", "pem", "", edBy, map[string]any{"iss": "https://pem.test", "aud": []string{"x", "api"}}},
		{"PEM has no ids: a token may name any", "pem", "", pssBy, map[string]any{"iss": "https://pem.test", "aud": "api"}},
		{"PEM, not meant for us", "", "wrong audience", rsaBy, map[string]any{"iss": "https://pem.test", "aud": "apis"}},
		{"PEM without issuer is the house's, which has secrets", "", "algorithm not accepted", rsaBy, map[string]any{"aud": "api"}},
		{"PEM under the file's issuer", "", "algorithm not accepted", rsaBy, map[string]any{"iss": "https://file.test"}},
		{"a file of keys", "file", "", inFile, map[string]any{"iss": "https://file.test"}},
		{"a file of keys, issuer with a slash more", "", "algorithm not accepted", inFile, map[string]any{"iss": "https://file.test/"}},
		{"the file's key under the URL's issuer", "", "unknown key", inFile, map[string]any{"iss": "https://url.test", "aud": "api"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := sign(t, c.by, c.claims)
			ans := e.ask(t, "GET", "/any", bearer(token))
			if c.reason != "" {
				refused(t, ans, c.reason, token)
				return
			}
			if p := got(t, arrived(t, ans), "X-Portreeve-Provider"); p != c.provider {
				t.Errorf("it was taken by %q", p)
			}
			for path, counts := range map[string]bool{"/pem": c.provider == "pem", "/jwt": true, "/two": c.provider == "file"} {
				if ans := e.ask(t, "GET", path, bearer(token)); counts {
					arrived(t, ans)
				} else {
					refused(t, ans, "", token)
				}
			}
		})
	}
	byURL := must(fetched.Mint(map[string]any{"iss": "https://url.test", "aud": "api2"}))
	if p := got(t, arrived(t, e.ask(t, "GET", "/two", bearer(byURL))), "X-Portreeve-Provider"); p != "url" {
		t.Errorf("a fetched key's token was taken by %q", p)
	}
}

// The times of a token that a shared secret signed, at the boundaries.
func TestTheTimesOfAToken(t *testing.T) {
	t.Parallel()
	e := start(t, setting{Words: map[string]string{"SECRET": sharedSecret}, Text: `
environment: test
jwt: {secret: "@SECRET@", leeway: 30s, maxTokenAge: 48h}
upstream: "@ECHO@"
routes: [{path: /orders, method: get, requireAuth: true}]
`})
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, c := range []struct {
		name, reason string
		claims       map[string]any
	}{
		{"within the leeway", "", map[string]any{"exp": at(-20 * time.Second)}},
		{"past the leeway", "the token is expired", map[string]any{"exp": at(-31 * time.Second)}},
		{"soon", "", map[string]any{"nbf": at(20 * time.Second), "iat": at(20 * time.Second)}},
		{"later", "the token is not yet valid", map[string]any{"nbf": at(45 * time.Second)}},
		{"made later", "the token is not yet valid", map[string]any{"iat": at(45 * time.Second)}},
		{"within maxTokenAge", "", map[string]any{"exp": at(48 * time.Hour)}},
		{"for longer than maxTokenAge", "the token is valid for longer than is accepted here", map[string]any{"exp": at(48*time.Hour + 2*time.Minute)}},
		{"for ever", "malformed token", map[string]any{"exp": nil}},
		{"until 1e300", "malformed token", map[string]any{"exp": 1e300}},
		{"until a word", "malformed token", map[string]any{"exp": "tomorrow"}},
		{"since a word", "malformed token", map[string]any{"nbf": "now"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := sign(t, shared(sharedSecret), c.claims)
			ans := e.ask(t, "GET", "/orders", bearer(token))
			if c.reason == "" {
				status(t, ans, http.StatusOK, "")
			} else {
				refused(t, ans, c.reason, token)
			}
		})
	}
}
