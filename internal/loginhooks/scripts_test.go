package loginhooks

import (
	"testing"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// The three scripts that ship, as an operator would list them.
func TestTheScriptsRunAtALogin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		settings := map[string]string{"TEST_TENANTS": "staging, acme", "FORCE_MFA_DOMAIN": "forced.example", "INTEGRATION_TEST_DOMAIN": "ci.example"}
		k := newKit(t, db, setting{real: true,
			post: []actions.Script{script(t, "mfa_action.js", settings), script(t, "add_ip_to_metadata.js", nil)},
			pre:  []actions.Script{script(t, "enable_mfa.js", nil)}})

		if got := k.login("ann@example.com"); got.status != 200 || got.text("refresh_token") != "refresh-new" {
			t.Fatalf("a first login: %v", got)
		}
		_, p := k.profile("ann@example.com")
		if jsonOf(p.App) != `{"auth_require_mfa":true,"uses_new_mfa_action":true}` || jsonOf(p.User) != `{"last_login_ip":"203.0.113.9"}` || p.Logins != 1 {
			t.Errorf("after a first login: %s %s %d", jsonOf(p.App), jsonOf(p.User), p.Logins)
		}
		second := k.login("ann@example.com")
		if second.status != 403 || second.text("error") != "mfa_required" || second.text("mfa_token") == "" {
			t.Fatalf("a second login: %v", second)
		}
		if got := k.send("POST /oauth/refresh", `{"refresh_token":"refresh-1 ann@example.com"}`); got.status != 200 {
			t.Errorf("a refresh in a test tenant: %v", got)
		}
		if got := k.send("POST /oauth/refresh", `{"refresh_token":"refresh-1 eve@forced.example"}`); got.status != 403 || got.text("error") != "mfa_required" {
			t.Errorf("a refresh in the domain that is held to it: %v", got)
		}
		for range 2 {
			if got := k.login("robot@ci.example"); got.status != 200 {
				t.Errorf("an integration test: %v", got)
			}
		}
		// Four logins, and not the refreshes: nobody came.
		passed := 0
		if err := k.db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.Row(`SELECT COUNT(*) FROM audit_events WHERE action = $1 AND tenant_id = $2`, "login.passed", "acme").Scan(&passed)
		}); err != nil || passed != 4 {
			t.Errorf("%d rows of the audit trail, %v", passed, err)
		}
	})
}

// That risk asks for a factor reaches the script as challengeRequired.
func TestRiskAsksForAFactor(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{real: true, post: []actions.Script{script(t, "mfa_action.js", nil)}})
	challenge, yes := false, true
	in := &login.SignedIn{Flow: "login", Account: "ann", Subject: "kc|ann", Claims: []byte(`{"sub":"kc|ann","iss":"` + k.issuer.URL + `"}`), Challenge: &challenge}
	for i, want := range []bool{false, false, true} {
		if i == 2 {
			in.Challenge = &yes
		}
		in.Hold = false
		if err := k.hooks.SignedIn(t.Context(), in); err != nil || in.Hold != want {
			t.Errorf("login %d: held %v, %v", i+1, in.Hold, err)
		}
	}
}
