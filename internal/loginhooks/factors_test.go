package loginhooks

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// asking is a script that asks for a factor at every login.
func asking(t actions.Trigger, _ map[string]any) (*actions.Outcome, error) {
	if t == actions.PostLogin {
		return &actions.Outcome{MFA: "any", UserMetadata: raws(`{"came":"by factor"}`)}, nil
	}
	return &actions.Outcome{}, nil
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// enrolled signs somebody in, who enrols an app meanwhile; the recovery codes.
func (k *kit) enrolled(who string) (secret string, codes []string) {
	k.t.Helper()
	token := k.login(who).text("mfa_token")
	made := k.send("POST /mfa/associate", `{"authenticator_types":["otp"]}`, bearer(token))
	if made.status != 200 || made.text("authenticator_type") != "otp" || !strings.HasPrefix(made.text("barcode_uri"), "otpauth://totp/login.example:") {
		k.t.Fatal(made)
	}
	secret = made.text("secret")
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+wrongCode(totp(k.t, secret, k.clock()))+`"}`); got.status != 403 || got.text("error_description") != "Invalid otp_code." {
		k.t.Fatal(got)
	}
	done := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+totp(k.t, secret, k.clock())+`"}`)
	if done.status != 200 || done.text("refresh_token") != "refresh-new" {
		k.t.Fatal(done)
	}
	for _, c := range listOf(done.body, "recovery_codes") {
		codes = append(codes, c.(string))
	}
	if len(codes) != 10 {
		k.t.Fatal(done)
	}
	k.later(time.Minute)
	return secret, codes
}

func wrongCode(code string) string {
	if code == "123456" {
		return "654321"
	}
	return "123456"
}

func TestTokensWaitForAFactor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, db, setting{run: asking})
		secret, codes := k.enrolled("ann@example.com")
		if _, p := k.profile("ann@example.com"); string(p.User["came"]) != `"by factor"` {
			t.Errorf("metadata is written once the factor was shown: %s", jsonOf(p.User))
		}
		waiting := k.login("ann@example.com")
		token := waiting.text("mfa_token")
		if waiting.status != 403 || waiting.text("error") != "mfa_required" || strings.Contains(waiting.body, "refresh-new") || strings.Contains(waiting.body, "access-new") {
			t.Fatal(waiting)
		}
		if got := k.send("GET /mfa/authenticators", "", bearer(token)); got.status != 200 ||
			got.body != `[{"id":"otp","authenticator_type":"otp","active":true},{"id":"recovery-code","authenticator_type":"recovery-code","active":true}]` {
			t.Error(got)
		}
		if got := k.send("POST /mfa/challenge", `{"mfa_token":"`+token+`"}`); got.body != `{"challenge_type":"otp"}` {
			t.Error(got)
		}
		if got := k.send("POST /mfa/challenge", `{"mfa_token":"`+token+`","challenge_type":"passkey"}`); got.status != 403 || got.text("error") != "unsupported_challenge_type" {
			t.Error(got)
		}
		if got := k.send("POST /mfa/associate", `{"authenticator_types":["otp"]}`, bearer(token)); got.status != 403 || got.text("error_description") != "User is already enrolled." {
			t.Errorf("a password alone enrols nothing beside a factor: %v", got)
		}
		if got := k.send("DELETE /mfa/authenticators/otp", "", bearer(token)); got.status != 403 && got.status != 405 {
			t.Errorf("a password alone removes no factor: %v", got)
		}
		k.later(30 * time.Second)
		got := k.send("POST /oauth/token", `{"grant_type":"http://auth0.com/oauth/grant-type/mfa-otp","mfa_token":"`+token+`","otp":"`+totp(t, secret, k.clock())+`"}`)
		if got.status != 200 || got.text("access_token") != "access-new" || !strings.Contains(got.body, `"expires_in":270`) || strings.Contains(got.body, "recovery_codes") {
			t.Errorf("half a minute later: %v", got)
		}
		if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[0]+`"}`); got.status != 403 || got.text("error_description") != "Malformed mfa_token" {
			t.Errorf("a second time: %v", got)
		}
		token = k.login("ann@example.com").text("mfa_token")
		if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[0]+`"}`); got.status != 200 {
			t.Errorf("by a recovery code: %v", got)
		}
		token = k.login("ann@example.com").text("mfa_token")
		if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[0]+`"}`); got.status != 403 || got.text("error_description") != "MFA Authorization rejected." {
			t.Errorf("by one that was used: %v", got)
		}
		k.later(5 * time.Minute)
		if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[1]+`"}`); got.status != 401 || got.text("error") != "expired_token" {
			t.Errorf("too late: %v", got)
		}
		if err := k.u.PruneHeld(t.Context()); err != nil {
			t.Error(err)
		}
		if got := k.ended(); strings.Join(got, " ") != "refresh-new" {
			t.Errorf("what nobody fetched is revoked: %v", got)
		}
		if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[1]+`"}`); got.status != 403 {
			t.Errorf("and gone: %v", got)
		}
	})
}

func TestGuessesAtAFactorAreCounted(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: asking})
	secret, codes := k.enrolled("ann@example.com")
	k.later(time.Hour)
	token := k.login("ann@example.com").text("mfa_token")
	for i := range 5 {
		if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"aaaa-aaaa-aaaa"}`); got.status != 403 && got.status != 429 {
			t.Fatalf("guess %d: %v", i+1, got)
		}
	}
	got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[0]+`"}`)
	if got.status != 429 || got.text("error") != "too_many_attempts" || got.fault == nil || got.fault.RetryAfter <= 0 {
		t.Errorf("a right one after five guesses: %v", got)
	}
	token = k.login("ann@example.com").text("mfa_token")
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+totp(t, secret, k.clock())+`"}`); got.status != 429 {
		t.Errorf("another mfa_token is no way around: %v", got)
	}
}

func TestWhatIsNoProof(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: asking})
	token := k.login("ann@example.com").text("mfa_token")
	for body, want := range map[string]int{
		`{"mfa_token":"` + token + `"}`:                                    400,
		`{"mfa_token":"` + token + `","otp":"123456","recovery_code":"x"}`: 400,
		`{"mfa_token":"` + token + `","oob_code":"x","binding_code":"1"}`:  400,
		`{"mfa_token":"` + token + `","otp":123456}`:                       400,
		`{"otp":"123456"}`: 400,
		`{"mfa_token":"` + strings.Repeat("A", 43) + `","otp":"123456"}`:                                    403,
		`{"mfa_token":"refresh","otp":"123456"}`:                                                            403,
		`{"mfa_token":"` + token + `","otp":"123456"}`:                                                      403, // nothing is enrolled
		`{"mfa_token":"` + token + `","authn_response":{"id":"x"}}`:                                         403,
		`{"mfa_token":"` + token + `","grant_type":"http://auth0.com/oauth/grant-type/mfa-oob","otp":"1"}`:  400,
		`{"mfa_token":"` + token + `","authn_response":"` + strings.Repeat("x", 10) + `"}`:                  400,
		`{"mfa_token":"` + token + `","recovery_code":"aaaa-aaaa-aaaa","client_id":"x","audience":"other"}`: 403,
	} {
		if got := k.send("POST /mfa/verify", body); got.status != want {
			t.Errorf("%s: %v, not %d", body, got, want)
		}
	}
	for _, line := range []string{"GET /mfa/authenticators", "POST /mfa/associate"} {
		body := ""
		if line[0] == 'P' {
			body = `{"authenticator_types":["otp"]}`
		}
		if got := k.send(line, body, bearer("somebody")); got.status != 401 {
			t.Errorf("%s: %v", line, got)
		}
	}
	if got := k.send("POST /mfa/associate", `{"phone_number":"+15550001234"}`, bearer(token)); got.status != 400 {
		t.Errorf("what is not to be had: %v", got)
	}
}

// Of many who show a right recovery code each, for the same tokens, one has them.
func TestTokensAreReleasedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		k := newKit(t, db, setting{run: asking})
		_, codes := k.enrolled("ann@example.com")
		token := k.login("ann@example.com").text("mfa_token")
		var had, refused atomic.Int64
		storetest.Callers(t, 16, func(i int) error {
			switch got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","recovery_code":"`+codes[i%len(codes)]+`"}`); got.status {
			case 200:
				had.Add(1)
			case 403, 429:
				refused.Add(1)
			default:
				return errors.New(got.body)
			}
			return nil
		})
		if had.Load() != 1 || refused.Load() != 15 {
			t.Errorf("%d had them, %d were refused", had.Load(), refused.Load())
		}
	})
}

// What is begun under one login is not ended under another's mfa_token.
func TestATokenOpensItsOwnLoginAlone(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: asking})
	secret, _ := k.enrolled("ann@example.com")
	other := k.login("bob@example.com").text("mfa_token")
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+other+`","otp":"`+totp(t, secret, k.clock())+`"}`); got.status != 403 {
		t.Errorf("somebody else's code: %v", got)
	}
}

// A user who is disabled while the tokens wait gets none.
func TestARefusalAtTheEndRevokes(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: asking})
	secret, _ := k.enrolled("ann@example.com")
	token := k.login("ann@example.com").text("mfa_token")
	u, _ := k.profile("ann@example.com")
	if err := k.db.Tx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE users SET disabled = 1 WHERE id = $1`, u.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+totp(t, secret, k.clock())+`"}`)
	if got.status != 401 || strings.Join(k.ended(), " ") != "refresh-new" {
		t.Error(got)
	}
	if got := k.login("ann@example.com"); got.status != 401 || strings.Join(k.ended(), " ") != "refresh-new" {
		t.Errorf("and gets in no more: %v", got)
	}
}

// Nor does anybody of a tenant that is disabled while they wait.
func TestATenantThatIsDisabledGetsNoTokens(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: asking})
	secret, _ := k.enrolled("ann@example.com")
	token := k.login("ann@example.com").text("mfa_token")
	if err := k.db.Tx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE tenants SET disabled = 1 WHERE id = 'acme'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+totp(t, secret, k.clock())+`"}`)
	if got.status != 401 || strings.Join(k.ended(), " ") != "refresh-new" {
		t.Error(got)
	}
}

// An app that somebody sets up elsewhere, and has shown there, is turned on here by its
// code and not by any.
func TestAnAppThatWasShownElsewhereWantsItsCode(t *testing.T) {
	t.Parallel()
	k := newKit(t, storetest.SQLite(t), setting{run: asking})
	who := &principal.Principal{Kind: principal.User, Provider: "keycloak", ProviderKind: "oidc", Issuer: k.issuer.URL, Subject: "kc|ann@example.com", AuthTime: k.clock(), IssuedAt: k.clock(), Expires: k.clock().Add(time.Hour)}
	p, err := mfa.PersonOf(who, "acme", "", "portal")
	if err != nil {
		t.Fatal(err)
	}
	made, err := k.mfa.Setup(t.Context(), tenant.Host(), p, mfa.Proof{}, "Acme")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.mfa.Verify(t.Context(), tenant.Host(), p, totp(t, made.Secret, k.clock()), mfa.Settings{}); err != nil {
		t.Fatal(err)
	}
	token := k.login("ann@example.com").text("mfa_token")
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+wrongCode(totp(t, made.Secret, k.clock()))+`"}`); got.status != 403 {
		t.Errorf("any code: %v", got)
	}
	k.later(time.Minute)
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+token+`","otp":"`+totp(t, made.Secret, k.clock())+`"}`); got.status != 200 || len(listOf(got.body, "recovery_codes")) != 10 {
		t.Errorf("its code: %v", got)
	}
}
