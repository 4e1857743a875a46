package identity

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

func unsigned(header string, b body) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc(must(json.Marshal(b))) + "."
}

const plainHeader = `{"alg":"none","typ":"JWT"}`

func TestEmulator(t *testing.T) {
	t.Parallel()
	make := func(env string, on bool) *Provider {
		return NewFirebase(&FirebaseConfig{ProjectID: "demo-project", Emulator: on}, issuerKeys(env))
	}
	token := unsigned(plainHeader, firebaseBody())
	for _, c := range []struct {
		name     string
		provider *Provider
		token    string
		want     string
	}{
		{"in test with the switch", make("test", true), token, ""},
		{"in dev with the switch", make("dev", true), token, ""},
		{"in prod the switch does nothing", make("prod", true), token, CodeMalformed},
		{"in test without the switch", make("test", false), token, CodeMalformed},
		{"a signed token", make("test", true), mint(rs(), firebaseBody()), CodeWrongAlgorithm},
		{"another project", make("test", true), unsigned(plainHeader, firebaseBody().with("aud", "x")), CodeWrongAudience},
		{"expired", make("test", true), unsigned(plainHeader, firebaseBody().with("exp", unix(-3600e9))), CodeExpired},
		{"no auth_time", make("test", true), unsigned(plainHeader, firebaseBody().with("auth_time", nil)), CodeMalformed},
		{"another algorithm's name", make("test", true), unsigned(`{"alg":"RS256"}`, firebaseBody()), CodeMalformed},
		{"none in capitals", make("test", true), unsigned(`{"alg":"NONE"}`, firebaseBody()), CodeMalformed},
		{"crit", make("test", true), unsigned(`{"alg":"none","crit":["x"]}`, firebaseBody()), CodeMalformed},
		{"a signature", make("test", true), token + "AA", CodeWrongAlgorithm},
		{"four parts", make("test", true), token + ".", CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := site(t, NewMemory(0), c.provider, newHMAC(nil))
			r, _ := asking(t, s, Ask{View: withBearer(c.token), Now: clock, Accept: must(s.Accept([]string{"firebase"}))})
			got := code(r)
			if got == CodeMalformed && c.want == CodeWrongAlgorithm || got == CodeWrongAlgorithm && c.want == CodeMalformed {
				got = c.want // which of the two reasons it is does not matter
			}
			if got != c.want || c.want == "" && r.Provider.Name != "firebase" {
				t.Errorf("got %q, want %q", code(r), c.want)
			}
		})
	}
}

// Beside an emulator, no other provider takes an unsigned token.
func TestTheEmulatorWeakensNobodyElse(t *testing.T) {
	t.Parallel()
	p := NewFirebase(&FirebaseConfig{ProjectID: "demo-project", Emulator: true}, issuerKeys("test"))
	s := site(t, NewMemory(0), p, newHMAC(nil), newOIDC("idp", "https://idp.example", "api"), newAccess())
	for name, v := range map[string]body{"jwt": hmacBody(), "oidc": oidcBody(), "access": accessBody()} {
		if r := ask(t, s, withBearer(unsigned(plainHeader, v)), clock); r.Fault == nil {
			t.Errorf("%s takes it", name)
		}
	}
	if r := ask(t, s, withAccess(unsigned(plainHeader, accessBody())), clock); r.Fault == nil {
		t.Error("the Access header takes it")
	}
}
