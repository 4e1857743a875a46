package login

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/castle"
)

// A provider that does not turn refresh tokens answers without one: what is withheld
// then is ended by the token that was shown.
func TestARefusedRefreshEndsTheTokenThatWasShown(t *testing.T) {
	t.Parallel()
	granted := map[string]any{"sub": "auth0|1", "email": "ann@example.com"}
	for name, c := range map[string]struct {
		answer  string
		change  func(*kit)
		revoked string // "": nothing
		status  int
	}{
		"risk denies, the token is not turned": {tokens("", granted), func(k *kit) { k.risk.after = castle.Deny }, "refresh-1", 401},
		"risk denies, the token is turned":     {tokens("refresh-2", granted), func(k *kit) { k.risk.after = castle.Deny }, "refresh-2", 401},
		"blocked":                              {tokens("", granted), func(k *kit) { k.users.status = "blocked" }, "refresh-1", 401},
		"the user service is away":             {tokens("", granted), func(k *kit) { k.users.err = errors.New("away") }, "", 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, setting{})
			c.change(k)
			k.queue = []canned{{status: 200, body: c.answer}, {status: 200}}
			if got := k.send("POST /oauth/refresh", `{"refresh_token":"refresh-1"}`, device); got.status != c.status {
				t.Error(got)
			}
			steps := strings.Join(k.took(), "\n")
			_, revoked, there := strings.Cut(steps, "/oauth/revoke")
			if there != (c.revoked != "") || there && !strings.Contains(revoked, `"token": "`+c.revoked+`"`) {
				t.Errorf("revoked %v: %s", there, steps)
			}
		})
	}
}

// Who is let in by a success that names nobody cannot be looked up: that is the user
// service not answering.
func TestASuccessThatNamesNobodyIsNotLookedPast(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no ID token":                  `{"access_token":"access-1","refresh_token":"refresh-2"}`,
		"an ID token that is none":     `{"access_token":"access-1","refresh_token":"refresh-2","id_token":"x"}`,
		"an address that is none":      tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com "}),
		"an address that is no string": tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": []string{"ann@example.com"}}),
	} {
		for onError, want := range map[string]int{"deny": 401, "allow": 200} {
			t.Run(name+", "+onError, func(t *testing.T) {
				t.Parallel()
				k := newKit(t, setting{noRisk: true})
				k.users.status, k.users.onError = "blocked", onError
				k.queue = []canned{{status: 200, body: answer}, {status: 200}}
				got := k.send("POST /oauth/token", `{"username":"ann","password":"correct-horse"}`, device)
				if got.status != want || want == 401 && strings.Contains(got.body, "access-1") {
					t.Error(got)
				}
			})
		}
	}
	k := newKit(t, setting{noRisk: true}) // somebody without an address has no standing
	k.queue = []canned{{status: 200, body: tokens("refresh-2", map[string]any{"sub": "auth0|1"})}}
	if got := k.send("POST /oauth/token", `{"username":"ann","password":"correct-horse"}`, device); got.status != 200 {
		t.Error(got)
	}
}

// The account stands: its owner hears so whatever refuses the tokens.
func TestASignUpWhoseTokensAreWithheldIsSaidToStand(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	k.risk.after = castle.Deny
	k.queue = []canned{{status: 200, body: `{"_id":"1","email":"ann@example.com"}`}, {status: 200, body: tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com"})}, {status: 200}}
	got := k.send("POST /signup", `{"email":"ann@example.com","password":"correct-horse"}`, device)
	if got.status != 401 || got.header.Get(created) != "created" || got.body != `{"error":"unauthorized"}` {
		t.Error(got)
	}
	if steps := strings.Join(k.took(), "\n"); !strings.Contains(steps, "/oauth/revoke") {
		t.Error(steps)
	}
}

// Blanks around an address are no way past the user service: a provider trims them.
func TestBlanksAroundAnAddressAreNone(t *testing.T) {
	t.Parallel()
	for _, account := range []string{"ann@example.com ", "\tANN@example.com.", "\u00a0ann@example.com", "ann@example.com\ufeff"} {
		k := newKit(t, setting{})
		k.users.status = "blocked"
		raw, _ := json.Marshal(account)
		if got := k.send("POST /mfa/token", `{"username":`+string(raw)+`,"password":"correct-horse"}`, device); got.status != 401 {
			t.Errorf("%q: %v", account, got)
		}
	}
}

// Surfaces in front of one provider count together, however its address is written.
func TestAProviderIsOneRealm(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{backoffice: true})
	was := k.u.realm()
	k.u.c.BaseURL += "/"
	if got := k.u.realm(); got != was {
		t.Errorf("%q and %q", was, got)
	}
}
