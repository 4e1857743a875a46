package login_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
)

// TestLogsHoldNothingOfAnybody does everything that fails and succeeds and looks for
// what people and services sent in the log.
func TestLogsHoldNothingOfAnybody(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"TIMEOUT": "300ms", "RISKTIME": "300ms", "USERTIME": "300ms", "BLOCKING": "false", "ONERROR": "allow", "USERERROR": "allow"})
	never := append([]string{password, ann, eve, "zq9", phone, strings.TrimPrefix(phone, "+"), "zq8"}, secrets...)
	note := func(body string) {
		var members map[string]any
		_ = json.Unmarshal([]byte(body), &members)
		for _, k := range []string{"access_token", "refresh_token", "id_token", "mfa_token", "oob_code", "session_token"} {
			if s, _ := members[k].(string); s != "" {
				never = append(never, s)
			}
		}
	}
	run := func() {
		for path, body := range gated {
			note(w.login(t, strings.TrimSpace(path), body).Body)
			note(w.login(t, strings.TrimSpace(path), strings.Replace(body, ann, eve, 1)).Body)
			note(w.login(t, strings.TrimSpace(path), strings.Replace(body, password, "zq9-wrong", 1)).Body)
			w.login(t, strings.TrimSpace(path)+"?password=zq9-in-query&token=zq9-in-query", body)
			w.login(t, strings.TrimSpace(path), body[:len(body)-1])
		}
		for _, path := range []string{"/change-password", "/email/verify", "/email/validate"} {
			w.login(t, path, `{"email":"`+ann+`"}`)
			w.login(t, path, `{"email":"zq9 no address"}`)
		}
		for _, path := range []string{"/userinfo", "/layer/session", "/mfa/authenticators", "/social/callback?code=zq9-code&state=zq9-state", "/social/google-oauth2?return=zq9://zq9"} {
			w.send(t, "auth.example", "GET", path, "", "Authorization: Bearer zq9-token", "Cookie: zq9=zq9")
		}
		w.login(t, "/mfa/associate", `{"phone_number":"`+phone+`","mfa_token":"zq9-mfa"}`)
		w.login(t, "/mfa/challenge", `{"mfa_token":"zq9-mfa","authenticator_id":"zq9"}`)
		w.login(t, "/layer/session/account", `{"session_token":"zq9-session"}`)
		w.send(t, "backoffice.example", "POST", "/oauth/token", gated["/oauth/token"])
		w.send(t, "backoffice.example", "POST", "/oauth/token", strings.Replace(gated["/oauth/token"], password, "zq9-wrong", 1))
	}
	run()
	for _, how := range []standin.Mishap{standin.Unavailable, standin.Garbage, standin.Reset, standin.Huge, standin.Redirect, standin.Denied, standin.Slow} {
		for _, fail := range []func(standin.Mishap, ...string){w.auth0.Fail, w.castle.Fail, w.users.Fail} {
			fail(how)
			w.login(t, "/oauth/token", gated["/oauth/token"])
			w.login(t, "/signup", strings.Replace(gated["/signup"], "new", "x"+string(how), 1))
			w.send(t, "backoffice.example", "POST", "/oauth/token", gated["/oauth/token"])
			fail(standin.Well)
		}
	}
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	for _, s := range w.castle.Seen() {
		never = append(never, s.Text("request_token"))
	}
	text := w.Log.String()
	if len(text) < 1000 {
		t.Fatalf("hardly a log: %s", text)
	}
	for _, secret := range never {
		if secret == "" {
			continue
		}
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("the log holds %.12q:\n%s", secret, text[max(0, strings.LastIndexByte(text[:at], '\n')+1):at+strings.IndexByte(text[at:]+"\n", '\n')])
		}
	}
}
