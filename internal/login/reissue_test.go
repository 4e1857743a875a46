package login

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
)

// claiming are scripts that set claims.
type claiming struct{ id, access map[string]json.RawMessage }

func (c claiming) SignedIn(_ context.Context, in *SignedIn) error {
	in.IDClaims, in.AccessClaims = c.id, c.access
	return nil
}
func (claiming) Released(context.Context, Holder, json.RawMessage) error { return nil }
func (claiming) Registering(context.Context, *Registering) error         { return nil }

func withReissue(c *Config) {
	c.Provider, c.MFA, c.Management, c.Social, c.Connection, c.Reissue = "oidc", nil, nil, nil, "", true
	c.Endpoints = &EndpointsConfig{Token: c.BaseURL + "/t", Revocation: c.BaseURL + "/r"}
}

// claimsIn are those of a token of ours, whose signature a key of path made.
func (k *kit) claimsIn(token, typ string) (out map[string]any) {
	k.t.Helper()
	tok, err := jws.ParseAs(token, typ)
	if err != nil {
		k.t.Fatalf("%s: %v", typ, err)
	}
	var set struct {
		Keys []struct{ Kid, X, Crv, Kty string }
	}
	_ = json.Unmarshal([]byte(k.send("GET "+jwksPath, "").body), &set)
	for _, key := range set.Keys {
		raw, _ := base64.RawURLEncoding.DecodeString(key.X)
		if key.Kid != tok.Header.Kid || key.Crv != "Ed25519" || len(raw) != 32 {
			continue
		}
		_ = json.Unmarshal(tok.Payload, &out)
	}
	if out == nil {
		k.t.Fatal("no published key has the token's id")
	}
	return out
}

func TestTokensAreSignedAnew(t *testing.T) {
	t.Parallel()
	claims := map[string]any{"iss": "https://tenant", "sub": "kc|1", "aud": "app", "email": "ann@example.com", "at_hash": "of another", "nonce": "n", "exp": 1795338000}
	set := map[string]json.RawMessage{"https://x/plan": json.RawMessage(`"gold"`), "email": json.RawMessage(`"other@example.com"`), "sub": json.RawMessage(`"somebody else"`)}
	k := newKit(t, setting{hooks: claiming{set, set}, change: withReissue})
	k.queue = []canned{{status: 200, header: [][2]string{{"X-RateLimit-Limit", "5"}}, body: tokens("refresh-2", claims)}}
	got := k.send("POST /oauth/token", ann, device)
	var answer struct {
		Access  string `json:"access_token"`
		ID      string `json:"id_token"`
		Refresh string `json:"refresh_token"`
		Expires int64  `json:"expires_in"`
		Type    string `json:"token_type"`
	}
	if got.status != 200 || json.Unmarshal([]byte(got.body), &answer) != nil || answer.Refresh != "refresh-2" || answer.Expires != 86400 || answer.Type != "Bearer" ||
		got.header.Get("X-RateLimit-Limit") != "5" || got.header.Count("Content-Type") != 1 || strings.Contains(got.body, "access-1") {
		t.Fatal(got)
	}
	access := k.claimsIn(answer.Access, "at+jwt")
	now := float64(k.clock().Unix())
	for name, want := range map[string]any{"iss": "https://login.example", "sub": "kc|1", "aud": "https://api.example", "client_id": "app", "email": "ann@example.com",
		"https://x/plan": "gold", "iat": now, "exp": now + 86400, "scope": standardScope} {
		if access[name] != want {
			t.Errorf("%s of the access token is %v, not %v", name, access[name], want)
		}
	}
	id := k.claimsIn(answer.ID, "JWT")
	for name, want := range map[string]any{"iss": "https://login.example", "sub": "kc|1", "aud": "app", "email": "ann@example.com", "https://x/plan": "gold", "nonce": "n", "at_hash": nil} {
		if id[name] != want {
			t.Errorf("%s of the ID token is %v, not %v", name, id[name], want)
		}
	}

	session := k.send("GET /layer/session", "", "Authorization: Bearer "+answer.Access)
	if session.status != 200 || !strings.Contains(session.body, "session_token") {
		t.Errorf("our own access token opens a session: %v", session)
	}
	for what, token := range map[string]string{
		"an ID token": answer.ID, "one of another sort": newText(session.body, "session_token"), "one that was changed": answer.Access[:len(answer.Access)-4] + "AAAA", "the provider's": "access-1",
	} {
		if got := k.send("GET /layer/session", "", "Authorization: Bearer "+token); got.status != 401 {
			t.Errorf("%s: %v", what, got)
		}
	}
	if _, err := k.u.verifyOwn(answer.Access, "https://other.example"); err == nil {
		t.Error("a token of another origin counts")
	}
	if got := k.send("GET "+discoveryPath, ""); got.status != 200 || !strings.Contains(got.body, `"jwks_uri":"https://login.example/.well-known/jwks.json"`) {
		t.Error(got)
	}
	k.now.Add(86400_000)
	if got := k.send("GET /layer/session", "", "Authorization: Bearer "+answer.Access); got.status != 401 {
		t.Errorf("an expired one: %v", got)
	}
}

func newText(body, name string) string { return newAnswer(200, nil, []byte(body)).text(name) }

func TestWhatCannotBeSignedRefuses(t *testing.T) {
	t.Parallel()
	long := map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 32<<10) + `"`)}
	good := tokens("refresh-2", map[string]any{"sub": "kc|1"})
	for _, c := range []struct {
		why, body string
		claims    map[string]json.RawMessage
		status    int
	}{
		{"no ID token", `{"access_token":"access-1","refresh_token":"refresh-2","expires_in":60}`, nil, 502},
		{"nobody's", tokens("refresh-2", map[string]any{"aud": "app"}), nil, 502},
		{"no lifetime", strings.Replace(good, `"expires_in":86400`, `"expires_in":null`, 1), nil, 502},
		{"a lifetime that is over", strings.Replace(good, `"expires_in":86400`, `"expires_in":0`, 1), nil, 502},
		{"more claims than a token holds", good, long, 503},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, setting{hooks: claiming{nil, c.claims}, change: withReissue})
			k.queue = []canned{{status: 200, body: c.body}, {status: 200}}
			got := k.send("POST /oauth/token", ann, device)
			if steps := strings.Join(k.took(), "\n"); got.status != c.status || !strings.Contains(steps, "provider POST /r") {
				t.Error(got, steps)
			}
		})
	}
}

// Without reissue none of its paths is known.
func TestWithoutReissueThereAreNoKeys(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{change: func(c *Config) { withReissue(c); c.Reissue = false }})
	for _, path := range []string{jwksPath, discoveryPath, "/mfa/authenticators"} {
		if got := k.send("GET "+path, ""); got.status != 403 {
			t.Errorf("%s: %v", path, got)
		}
	}
}
