package escrow

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/migrate"
	"github.com/portreeve/portreeve/test/edge"
)

// engineToken is a token as the older system's page makes one, and its row.
func engineToken(id, of string) (token, insert string) {
	random, salt := make([]byte, 24), make([]byte, 8)
	_, _ = rand.Read(random)
	_, _ = rand.Read(salt)
	token = "tok_" + base64.RawURLEncoding.EncodeToString(random)
	sum := sha256.Sum256([]byte(hex.EncodeToString(salt) + ":" + token))
	return token, "INSERT INTO api_tokens (id,tenant_id,token_prefix,token_hash,token_salt,label)\nVALUES ('" + id + "','" + of + "','" + token[:8] + "','" +
		hex.EncodeToString(sum[:]) + "','" + hex.EncodeToString(salt) + "','engine');\n"
}

func (w *world) importD1(t testing.TB, dump string) {
	t.Helper()
	h := w.host
	r := must(migrate.D1{DB: h.DB, Tenants: h.Tenants, Keys: h.APIKeys, By: h.By(), KeyBy: h.KeyBy(), Agents: h.Agents, Escrow: h.Escrow, Tenant: acme}.Import(t.Context(), []byte(dump), false))
	if len(r.Left) > 0 {
		t.Fatalf("left: %v", r.Left)
	}
}

// TestVerifyItIsWired is the sequence of the older system's page, with the rows
// that it has put in.
func TestVerifyItIsWired(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const of = "22222222-2222-2222-2222-222222222222"
		token, row := engineToken("t1", of)
		w.importD1(t, "INSERT INTO tenants (id,name) VALUES ('"+of+"','Acme MSP');\n"+
			"INSERT INTO users (id,tenant_id,email,role) VALUES ('u1','"+of+"','you@acme.example','admin');\n"+row)
		engine := edge.Bearer(token)

		// Worker is up.
		if a := w.Ask(t, "GET", "/health", ""); a.Status != 200 || !strings.HasPrefix(a.Body, `{"ok":true,`) {
			t.Errorf("health: %d %s", a.Status, a.Body)
		}
		// Token works: 409 until a tenant key exists, which is expected.
		edge.Until(t, "the imported token", func() bool { return w.Ask(t, "GET", "/v1/tenant/pubkey", "", engine).Status != 401 })
		if a := w.Ask(t, "GET", "/v1/tenant/pubkey", "", engine); a.Status != 409 || strings.TrimSpace(a.Body) != `{"error":"Conflict","message":"No tenant key yet"}` {
			t.Errorf("pubkey: %d %s", a.Status, a.Body)
		}
		w.says(t, 401, "Unauthorized", edge.Bearer(token[:len(token)-1]+"x"), "GET /v1/tenant/pubkey", "")
		// Then sign in, run admin onboarding.
		k := w.key(0)
		body, _ := w.onboarding(t, "you", k, nil, w.plain("passphrase", "plinth gravel otter sunday"))
		if made := w.want(t, 201, w.as("you"), "POST /v1/tenant/key", text2(body)); made["kid"] != k.Public.Kid || len(made) != 1 {
			t.Errorf("onboarding: %v", made)
		}
		// And the call returns the public key that the engine encrypts to.
		m := w.want(t, 200, engine, "GET /v1/tenant/pubkey", "")
		for name, want := range map[string]string{"kty": "RSA", "use": "enc", "alg": "RSA-OAEP-256", "kid": k.Public.Kid, "tenant": of, "e": "AQAB"} {
			if str(m, name) != want {
				t.Errorf("%s is %v", name, m[name])
			}
		}
		a := w.Ask(t, "GET", "/v1/tenant/pubkey", "", engine)
		if strings.Contains(a.Header.Get("Cache-Control"), "public") {
			t.Errorf("a key that may be kept by others: %v", a.Header)
		}
	})
}
