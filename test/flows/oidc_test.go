package flows

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/oidc"
)

const realProvider = `
environment: test
tenantApi: false
mfa: false
oidc:
  - {name: real, issuer: "@ISSUER@", audience: [@AUDIENCE@], trustRoles: true, trustTenant: true}
rbac:
  roles: [{name: editor, permissions: ["docs:*"]}]
upstream: "@ECHO@"
routes:
  - {path: /orders, method: get, requireAuth: true}
  - {path: /orders/read, method: get, requiredScopes: ["orders:read"]}
  - {path: /orders/write, method: get, requiredScopes: ["orders:read", "orders:write"]}
  - {path: /docs, method: get, requiredPermissions: ["docs:write"]}
  - {path: /acme, method: get, tenant: acme}
  - {path: /globex, method: get, tenant: globex}
  - {path: /public, method: get}
`

func realWords(p *oidc.Server, audience string) map[string]string {
	return map[string]string{"ISSUER": p.Issuer, "AUDIENCE": audience}
}

// Tokens of a certified provider, in four families, through Portreeve to the
// application: who it is, its roles, tenant and scopes.
func TestARealProvidersTokensOpenTheDoor(t *testing.T) {
	t.Parallel()
	provider := oidc.Start(t)
	e := start(t, setting{Text: realProvider, Words: realWords(provider, `"urn:test:rs256", "urn:test:ps256", "urn:test:es256", "urn:test:eddsa"`)})
	for resource, alg := range provider.Algs {
		t.Run(alg, func(t *testing.T) {
			token, err := provider.Token(t.Context(), resource, "orders:read")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // verified, then remembered
				r := arrived(t, e.ask(t, "GET", "/orders", bearer(token), "X-Portreeve-Subject: root", "x_portreeve_roles: admin"))
				want := map[string]string{"X-Portreeve-Subject": provider.Client.ID, "X-Portreeve-Roles": "editor",
					"X-Portreeve-Tenant": "acme", "X-Portreeve-Provider": "real", "Authorization": "", "x_portreeve_roles": ""}
				for name, value := range want {
					if v := got(t, r, name); v != value {
						t.Errorf("%s arrived as %q, want %q", name, v, value)
					}
				}
			}
			for path, want := range map[string]int{"/orders/read": 200, "/orders/write": 403, "/docs": 200, "/acme": 200, "/globex": 403, "/public": 200} {
				status(t, e.ask(t, "GET", path, bearer(token)), want, "")
			}
		})
	}
}

func TestARealProvidersTokenIsForOneAudienceIssuerAndTime(t *testing.T) {
	t.Parallel()
	provider := oidc.Start(t)
	stranger := must(standin.NewIssuer(listen(t), standin.IssuerOptions{}))
	t.Cleanup(func() { _ = stranger.Close() })
	e := start(t, setting{Text: realProvider, Words: realWords(provider, `"urn:test:rs256"`)})
	token := must(provider.Token(t.Context(), "urn:test:rs256", ""))
	copied := claimsOf(t, token)
	foreign := must(rsa.GenerateKey(rand.Reader, 2048))
	by := func(alg, kid string, key any) string {
		return must(must(jws.NewSigner(alg, kid, key)).Sign("at+jwt", copied))
	}
	public := secret.New(strings.Repeat(provider.Issuer, 3)) // whatever anybody can know
	for _, c := range []struct{ name, token, reason string }{
		{"for another audience", must(provider.Token(t.Context(), "urn:test:ps256", "")), "wrong audience"},
		{"of an issuer nobody names", must(stranger.Mint(map[string]any{"aud": "urn:test:rs256"})), "unknown issuer"},
		{"of a stranger who says he is the provider", must(stranger.Mint(copied)), "unknown key"},
		{"by a stranger's key under the provider's key id", by("RS256", "RS256", foreign), "bad signature"},
		{"by a key of the provider for another algorithm", by("RS256", "ES256", foreign), "algorithm not accepted"},
		{"with a shared secret", by("HS256", "RS256", public), "algorithm not accepted"},
		{"unsigned", unsigned(copied), "malformed token"},
		{"with its signature changed", changed(token), "bad signature"},
		{"not a token", "let-me-in", "malformed token"},
		{"empty", "", "malformed token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, e.ask(t, "GET", "/orders", bearer(c.token)), c.reason, c.token)
			refused(t, e.ask(t, "GET", "/public", bearer(c.token)), c.reason, c.token) // present and bad is not absent
		})
	}
	arrived(t, e.ask(t, "GET", "/orders", bearer(token)))
	refused(t, e.ask(t, "GET", "/orders"), "", "")

	e.Clock.Advance(-2 * time.Minute)
	refused(t, e.ask(t, "GET", "/orders", bearer(must(provider.Token(t.Context(), "urn:test:rs256", "orders:read")))), "the token is not yet valid", "")
	e.Clock.Advance(2*time.Minute + 10*time.Minute + 30*time.Second) // past exp, within the leeway
	arrived(t, e.ask(t, "GET", "/orders", bearer(token)))
	e.Clock.Advance(31 * time.Second)
	refused(t, e.ask(t, "GET", "/orders", bearer(token)), "the token is expired", token)
}

// P6: whatever is cut off or changed, the credential is refused, also while the
// whole one is remembered.
func TestNoPartOfARealTokenOpensTheDoor(t *testing.T) {
	t.Parallel()
	provider := oidc.Start(t)
	e := start(t, setting{Text: realProvider, Words: realWords(provider, `"urn:test:es256", "urn:test:eddsa"`)})
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, resource := range []string{"urn:test:es256", "urn:test:eddsa"} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			token := must(provider.Token(t.Context(), resource, ""))
			arrived(t, e.ask(t, "GET", "/orders", bearer(token)))
			for i := range len(token) {
				variants := []string{token[:i], token[i+1:], token[:i] + token[i+1:]}
				if at := strings.IndexByte(alphabet, token[i]); at >= 0 {
					variants = append(variants, token[:i]+string(alphabet[at^1])+token[i+1:])
				}
				for _, v := range variants {
					if a := e.ask(t, "GET", "/orders", bearer(v)); a.Status != 401 {
						t.Fatalf("cut or changed at %d: status %d", i, a.Status)
					}
				}
			}
			arrived(t, e.ask(t, "GET", "/orders", bearer(token)))
		})
	}
}

func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	parsed, err := jws.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := jws.DecodeClaims(parsed.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// unsigned makes a token with alg "none" (RFC 7515 appendix A.5).
func unsigned(claims map[string]any) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64(encode(claims)) + "."
}

// changed replaces one character in the middle of the signature.
func changed(token string) string {
	at := strings.LastIndexByte(token, '.') + 20
	b := "A"
	if token[at] == 'A' {
		b = "B"
	}
	return token[:at] + b + token[at+1:]
}
