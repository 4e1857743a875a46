package login_test

import (
	"fmt"
	"strings"
	"testing"
)

// gated is every path that takes a password, a refresh token or a code, with a body
// that it takes.
var gated = map[string]string{
	"/oauth/token":   `{"username":"` + ann + `","password":"` + password + `"}`,
	"/oauth/token ":  `{"grant_type":"refresh_token","refresh_token":"v1.zq9-refresh"}`,
	"/oauth/token  ": `{"grant_type":"http://auth0.com/oauth/grant-type/mfa-otp","mfa_token":"zq9-mfa","otp":"123456"}`,
	"/oauth/refresh": `{"refresh_token":"v1.zq9-refresh"}`,
	"/signup":        `{"email":"zq9.new@example.com","password":"` + password + `"}`,
	"/mfa/token":     `{"email":"` + ann + `","password":"` + password + `"}`,
	"/mfa/verify":    `{"mfa_token":"zq9-mfa","recovery_code":"zq9-recovery"}`,
}

func TestADeniedRequestReachesNoProvider(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.castle.Act("", "deny")
	for path, body := range gated {
		if a := w.login(t, strings.TrimSpace(path), body); a.Status != 401 || strings.TrimSpace(a.Body) != `{"error":"unauthorized"}` {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for what, fields := range map[string][]string{
		"no device token":       {"Content-Type: application/json"},
		"an empty device token": {"Content-Type: application/json", "X-Castle-Request-Token: "},
		"two device tokens":     {"Content-Type: application/json", "X-Castle-Request-Token: " + w.castle.Token(), "X-Castle-Request-Token: " + w.castle.Token()},
		"a long device token":   {"Content-Type: application/json", "X-Castle-Request-Token: " + strings.Repeat("x", 20<<10)},
		"a made up one":         {"Content-Type: application/json", "X-Castle-Request-Token: made-up"},
	} {
		w.castle.Act("", "allow")
		for path, body := range gated {
			body = strings.Replace(body, "zq9-mfa", "zq9-mfa "+what, 1) // guesses at a second factor are counted
			if a := w.send(t, "auth.example", "POST", strings.TrimSpace(path), body, fields...); a.Status != 401 {
				t.Errorf("%s, %s: %d %s", what, path, a.Status, a.Body)
			}
		}
	}
	for _, s := range append(w.auth0.Seen(), w.users.Seen()...) {
		if !strings.HasPrefix(s.Path, "/.well-known/") {
			t.Errorf("sent on: %s %s", s.Method, s.Path)
		}
	}
}

func TestADeviceTokenCountsOnceOnEveryPath(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	token := "X-Castle-Request-Token: " + w.castle.Token()
	if a := w.send(t, "auth.example", "POST", "/oauth/token", gated["/oauth/token"], "Content-Type: application/json", token); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	w.forget()
	for path, body := range gated {
		if a := w.send(t, "auth.example", "POST", strings.TrimSpace(path), body, "Content-Type: application/json", token); a.Status != 401 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	if seen := w.upstream(); len(seen) > 0 {
		t.Errorf("a used token led to %d calls, the first to %s", len(seen), seen[0].Path)
	}
}

func TestWhoIsLockedOutReachesNobody(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"MORE": "lockout: {perAccount: {max: 3, windowMs: 900000}}"})
	for n := range 3 {
		if a := w.login(t, "/oauth/token", `{"username":"`+ann+`","password":"wrong"}`); a.Status != 403 {
			t.Fatalf("wrong password %d: %d %s", n+1, a.Status, a.Body)
		}
	}
	w.forget()
	for _, name := range []string{ann, strings.ToUpper(ann)} {
		a := w.login(t, "/oauth/token", fmt.Sprintf(`{"username":%q,"password":%q}`, name, password))
		if a.Status != 429 || !strings.Contains(a.Body, `"too_many_attempts"`) || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", name, a.Status, a.Header, a.Body)
		}
	}
	for _, s := range w.upstream() {
		if s.Text("status") != "$failed" { // what is queued may still arrive
			t.Errorf("a call for somebody who is locked out: %s", s.Path)
		}
	}
}

func TestBadRequestsReachNobody(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	for path := range gated {
		for _, body := range []string{"", "x", "[]", "{}", `{"username":"a","username":"b","password":"c"}`, `{"username":1,"password":"x"}`, `{"refresh_token":["a"]}`, strings.Repeat("x", 70<<10)} {
			if a := w.login(t, strings.TrimSpace(path), body); a.Status != 400 {
				t.Errorf("%s with %.20q: %d %s", path, body, a.Status, a.Body)
			}
		}
	}
	for _, s := range []string{"GET /oauth/token", "POST /oauth/token/", "PUT /signup", "POST /nothing", "GET /", "POST /mfa/authenticators"} {
		method, path, _ := strings.Cut(s, " ")
		if a := w.send(t, "auth.example", method, path, ""); a.Status != 403 && a.Status != 405 {
			t.Errorf("%s: %d", s, a.Status)
		}
	}
	if seen := w.upstream(); len(seen) > 0 {
		t.Errorf("%d calls, the first to %s", len(seen), seen[0].Path)
	}
}
