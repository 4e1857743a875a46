package identity

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/park"
)

func TestWhichKeysAreTried(t *testing.T) {
	t.Parallel()
	k := func(id, alg string) *jws.Key { return &jws.Key{ID: id, Alg: alg} }
	bare := []*jws.Key{k("", "RS256"), k("", "ES256"), k("", "RS256"), k("", "RS256"), k("", "RS256")}
	mixed := []*jws.Key{k("a", "RS256"), k("b", "ES256"), k("", "RS256")}
	for _, c := range []struct {
		name  string
		all   []*jws.Key
		head  jws.Header
		want  int
		named bool
	}{
		{"the named one alone", mixed, jws.Header{Alg: "RS256", Kid: "a"}, 1, true},
		{"the named one is for another algorithm", mixed, jws.Header{Alg: "RS256", Kid: "b"}, 0, true},
		{"no name: all of the algorithm", mixed, jws.Header{Alg: "RS256"}, 2, false},
		{"a name that no key has: those without", mixed, jws.Header{Alg: "RS256", Kid: "x"}, 1, false},
		{"a name that no key has", mixed[:2], jws.Header{Alg: "RS256", Kid: "x"}, 0, false},
		{"at most three", bare, jws.Header{Alg: "RS256", Kid: "x"}, 3, false},
		{"none of the algorithm", bare, jws.Header{Alg: "EdDSA"}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			keys, named := candidates(c.all, c.head)
			if len(keys) != c.want || named != c.named {
				t.Errorf("%d keys, named %v", len(keys), named)
			}
			for _, x := range keys {
				if !x.Allows(c.head.Alg) {
					t.Errorf("a key for %s", x.Alg)
				}
			}
		})
	}
}

// A job that found no room is a 503 and says nothing about the token.
func TestAFullQueueIsNoVerdict(t *testing.T) {
	t.Parallel()
	set := keyset.New(keyset.Config{File: filepath.Join(t.TempDir(), "none.json")})
	fetching := NewOIDC(&OIDCConfig{Name: "idp", Issuer: "https://idp.example", Audience: []string{"api"}},
		Deps{Keys: func(keyset.Config) *keyset.Set { return set }})
	for name, s := range map[string]*Site{
		"signature": site(t, nil, newOIDC("idp", "https://idp.example", "api")), "keys": site(t, nil, fetching),
	} {
		a := Ask{View: withBearer(mint(rs(), oidcBody())), Now: clock}
		r := s.Identify(a)
		if r.Job == nil {
			t.Fatalf("%s: no job: %v", name, r.Fault)
		}
		a.Settled = []park.Settled{{Key: r.Job.Key, Err: fault.New(fault.Unavailable, "busy", "")}}
		if r := s.Identify(a); r.Fault == nil || r.Fault.Kind != fault.Unavailable || r.Fault.Code != "busy" {
			t.Errorf("%s: %v", name, r.Fault)
		}
		a.Settled = []park.Settled{{Key: r.Job.Key, Value: "x"}}
		if r := s.Identify(a); r.Fault == nil || r.Who.Authenticated() {
			t.Errorf("%s: a result of another kind passes: %+v", name, r)
		}
	}
}

// No fault's text shows the caller anything of the token or the settings.
func TestFaultsAreSilent(t *testing.T) {
	t.Parallel()
	s := site(t, nil, newAccess(), newOIDC("idp", "https://idp.example", "api-secret-name"))
	for _, b := range []body{oidcBody().with("aud", "canary"), oidcBody().with("iss", "canary"), oidcBody().with("exp", 1), oidcBody().with("sub", "canary\n")} {
		r := ask(t, s, withBearer(mint(rs(), b)), clock)
		for _, text := range []string{r.Fault.Text(), Challenge(r.Fault)} {
			if strings.Contains(text, "canary") || strings.Contains(text, "api-secret") || strings.Contains(text, "idp.example") {
				t.Errorf("%q", text)
			}
		}
	}
}
