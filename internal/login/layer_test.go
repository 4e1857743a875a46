package login

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/jws"
)

var netAddr = netip.MustParseAddr("203.0.113.9")

// issuer makes the kit's provider one with keys.
func issuer(t *testing.T, k *kit) *jws.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jws.NewSigner("ES256", "k1", private)
	if err != nil {
		t.Fatal(err)
	}
	k.answers = func(w http.ResponseWriter, r *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": k.provider.URL + "/", "jwks_uri": k.provider.URL + "/jwks"})
		case "/jwks":
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": []json.RawMessage{s.JWK()}})
		case "/userinfo":
			_, _ = w.Write([]byte(cmp.Or(k.info, `{"sub":"auth0|1","email":"Ann@Example.com","email_verified":true}`)))
		}
	}
	return s
}

func access(t *testing.T, k *kit, s *jws.Signer, change func(map[string]any)) string {
	t.Helper()
	c := map[string]any{"iss": k.provider.URL + "/", "sub": "auth0|1", "aud": []string{"https://api.example", k.provider.URL + "/userinfo"},
		"iat": k.clock().Unix(), "exp": k.clock().Add(time.Hour).Unix(), "azp": "app"}
	if change != nil {
		change(c)
	}
	token, err := s.Sign("JWT", c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestASessionTokenOfTheLayer(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	s := issuer(t, k)
	first := k.send("GET /layer/session", "", "Authorization: Bearer "+access(t, k, s, nil))
	var session struct {
		Token   string `json:"session_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	}
	if json.Unmarshal([]byte(first.body), &session) != nil || first.status != 200 || session.Type != "Bearer" || session.Expires != 900 || first.header.Get("Cache-Control") != "no-store" {
		t.Fatal(first)
	}
	t.Run("anybody can verify it by the published keys", func(t *testing.T) {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(k.send("GET /layer/jwks.json", "").body), &set); err != nil {
			t.Fatal(err)
		}
		parsed, err := jose.ParseSignedCompact(session.Token, []jose.SignatureAlgorithm{jose.EdDSA})
		if err != nil {
			t.Fatal(err)
		}
		head := parsed.Signatures[0].Header
		keys := set.Key(head.KeyID)
		if len(keys) != 1 || head.ExtraHeaders["typ"] != "layer+jwt" {
			t.Fatal(len(keys), head)
		}
		payload, err := parsed.Verify(keys[0])
		var claims map[string]any
		if err != nil || json.Unmarshal(payload, &claims) != nil || claims["iss"] != "https://login.example" || claims["sub"] != "auth0|1" || claims["email"] != "ann@example.com" {
			t.Error(err, claims)
		}
	})
	t.Run("its account, either way", func(t *testing.T) {
		const want = `{"user_id":"auth0|1","email":"ann@example.com","account":{"id":"u1","plan":"gold"}}`
		for _, answer := range []got{k.send("POST /layer/session/account", `{"session_token":"`+session.Token+`"}`), k.send("POST /layer/session/account", "", "Authorization: Bearer "+session.Token)} {
			if answer.status != 200 || answer.body != want {
				t.Error(answer)
			}
		}
	})
	t.Run("it is no access token, nor is one it", func(t *testing.T) {
		if got := k.send("GET /layer/session", "", "Authorization: Bearer "+session.Token); got.status != 401 {
			t.Error(got)
		}
		if got := k.send("POST /layer/session/account", "", "Authorization: Bearer "+access(t, k, s, nil)); got.status != 401 || got.body != `{"error":"unauthorized"}` {
			t.Error(got)
		}
	})
	t.Run("every other token is refused", func(t *testing.T) {
		for at := 0; at < len(session.Token); at += 7 {
			b := []byte(session.Token)
			if b[at] == 'A' {
				b[at] = 'B'
			} else {
				b[at] = 'A'
			}
			if _, err := k.u.layer.verify(string(b)); err == nil && string(b) != session.Token {
				t.Errorf("changed at %d", at)
			}
			if _, err := k.u.layer.verify(session.Token[:at]); err == nil {
				t.Errorf("cut at %d", at)
			}
		}
	})
	t.Run("it ends, over a change of keys too", func(t *testing.T) {
		k.now.Add(14 * time.Minute.Milliseconds())
		if _, err := k.u.layer.verify(session.Token); err != nil {
			t.Error(err)
		}
		k.now.Add(time.Minute.Milliseconds())
		if _, err := k.u.layer.verify(session.Token); err == nil {
			t.Error("it counts after its end")
		}
	})
}

func TestOnlyTheProvidersTokensMakeASession(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	s := issuer(t, k)
	for why, change := range map[string]func(map[string]any){
		"for somebody else":   func(c map[string]any) { c["aud"] = "https://other.example" },
		"of another issuer":   func(c map[string]any) { c["iss"] = "https://evil.example/" },
		"over":                func(c map[string]any) { c["exp"] = k.clock().Add(-time.Hour).Unix() },
		"about nobody":        func(c map[string]any) { delete(c, "sub") },
		"an ID token":         func(c map[string]any) { c["aud"] = "app" },
		"bound to somebody's": func(c map[string]any) { c["cnf"] = map[string]string{"jkt": "x"} },
	} {
		if got := k.send("GET /layer/session", "", "Authorization: Bearer "+access(t, k, s, change)); got.status != 401 || got.body != `{"error":"unauthorized"}` {
			t.Errorf("%s: %v", why, got)
		}
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forger, err := jws.NewSigner("ES256", "k1", other)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.send("GET /layer/session", "", "Authorization: Bearer "+access(t, k, forger, nil)); got.status != 401 {
		t.Error(got)
	}
	k.provider.Close()
	fresh := newKit(t, setting{change: func(c *Config) { c.BaseURL = "http://127.0.0.1:1" }})
	if got := fresh.send("GET /layer/session", "", "Authorization: Bearer "+strings.ReplaceAll(access(t, k, s, func(c map[string]any) { c["iss"] = "http://127.0.0.1:1/" }), " ", "")); got.status != 503 {
		t.Errorf("with keys that are not to be had: %v", got)
	}
}
