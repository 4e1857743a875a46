package oidc

import (
	"io"
	"net/http"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
)

// Real tokens in all four families, each verified by the key set that the same
// provider publishes, and by no other key in it.
func TestPortreeveVerifiesARealProvidersTokens(t *testing.T) {
	t.Parallel()
	s := Start(t)
	keys := keySet(t, s)
	if len(keys) != len(s.Algs) {
		t.Fatalf("got %d keys for %d algorithms", len(keys), len(s.Algs))
	}
	for resource, alg := range s.Algs {
		t.Run(alg, func(t *testing.T) {
			compact, err := s.Token(t.Context(), resource, "orders:read")
			if err != nil {
				t.Fatal(err)
			}
			token, err := jws.Parse(compact)
			if err != nil {
				t.Fatal(err)
			}
			if token.Header.Alg != alg || token.Header.Typ != "at+jwt" {
				t.Errorf("got header %+v", token.Header)
			}
			for _, k := range keys {
				if err := token.Verify(k); (err == nil) != (k.ID == token.Header.Kid) {
					t.Errorf("by key %q: %v", k.ID, err)
				}
			}
			claims, err := jws.DecodeClaims(token.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if claims["iss"] != s.Issuer || claims["aud"] != resource || claims["scope"] != "orders:read" || claims["tenant_id"] != "acme" {
				t.Errorf("got %v", claims)
			}
		})
	}
}

func keySet(t *testing.T, s *Server) []*jws.Key {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Issuer+"/jwks", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	keys, skipped, err := jws.ParseJWKS(body)
	if err != nil || len(skipped) != 0 {
		t.Fatalf("skipped %v: %v", skipped, err)
	}
	return keys
}

func TestAWrongSecretGetsNoToken(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Client.Secret = "guess"
	if token, err := s.Token(t.Context(), "urn:test:rs256", ""); err == nil {
		t.Errorf("got %q", token)
	}
}
