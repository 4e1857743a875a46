package standin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func tenant(t *testing.T) *Auth0 {
	t.Helper()
	a, err := NewAuth0(loopback(t), Auth0Options{
		Clients:   []Client{{ID: "app", Secret: "app-secret"}, {ID: "manager", Secret: "m-secret", Scopes: []string{"read:users", "update:users"}}},
		Audiences: []string{"https://api.example"},
		Callbacks: []string{"https://app.example/back"},
		Social:    map[string]string{"google-oauth2": "ann@example.com"},
		People: []Person{{Email: "ann@example.com", Username: "ann", Password: "correct horse"},
			{Email: "eve@example.com", Password: "correct horse", MFA: true, Phone: "+15550001234"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, a)
	return a
}

// send posts JSON parameters to the tenant.
func send(t *testing.T, a *Auth0, path string, params map[string]any, header ...string) answer {
	t.Helper()
	body, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	return call(t, "POST", a.URL()+path, string(body), append(header, "Content-Type: application/json")...)
}

func login(who, password string) map[string]any {
	return map[string]any{"grant_type": "http://auth0.com/oauth/grant-type/password-realm", "client_id": "app", "client_secret": "app-secret",
		"username": who, "password": password, "realm": "Username-Password-Authentication", "audience": "https://api.example", "scope": "openid email offline_access"}
}

func with(p map[string]any, name string, v any) map[string]any { p[name] = v; return p }

func TestAuth0SignsInByPasswordAndRefreshesOnce(t *testing.T) {
	t.Parallel()
	a := tenant(t)
	got := send(t, a, "/oauth/token", login("Ann@Example.com", "correct horse"))
	first, _ := got.json(t)["refresh_token"].(string)
	if got.status != 200 || first == "" || got.json(t)["id_token"] == nil {
		t.Fatalf("%d %s", got.status, got.body)
	}
	again := map[string]any{"grant_type": "refresh_token", "client_id": "app", "client_secret": "app-secret", "refresh_token": first}
	second := send(t, a, "/oauth/token", again)
	next, _ := second.json(t)["refresh_token"].(string)
	if second.status != 200 || next == first || !a.Live(next) {
		t.Fatalf("%d %s", second.status, second.body)
	}
	if got := send(t, a, "/oauth/token", again); got.status != 403 || !strings.Contains(got.body, "Unknown or invalid refresh token.") || a.Live(next) {
		t.Errorf("a second use: %d %s, and the family lives: %v", got.status, got.body, a.Live(next))
	}
	if c := a.Complaints(); len(c) > 0 {
		t.Error(c)
	}
}

func TestAuth0RefusesInItsOwnWords(t *testing.T) {
	t.Parallel()
	a := tenant(t)
	for _, c := range []struct {
		what, path string
		send       map[string]any
		status     int
		says       string
		complains  bool
	}{
		{"a wrong password", "/oauth/token", login("ann", "wrong"), 403, `"Wrong email or password."`, false},
		{"nobody", "/oauth/token", login("bob", "wrong"), 403, `"Wrong email or password."`, false},
		{"a second factor", "/oauth/token", login("eve@example.com", "correct horse"), 403, `"mfa_required"`, false},
		{"a challenge that is asked for", "/oauth/token", with(login("ann", "correct horse"), "challengeRequired", true), 403, `"mfa_required"`, false},
		{"a wrong secret", "/oauth/token", with(login("ann", "correct horse"), "client_secret", "x"), 401, `"access_denied"`, true},
		{"another realm", "/oauth/token", with(login("ann", "correct horse"), "realm", "x"), 403, `connection`, true},
		{"another audience", "/oauth/token", with(login("ann", "correct horse"), "audience", "x"), 403, `Service not found`, true},
		{"an unknown parameter", "/oauth/token", with(login("ann", "correct horse"), "device", "x"), 200, `access_token`, true},
		{"a missing password", "/oauth/token", login("ann", ""), 400, `"invalid_request"`, true},
		{"an address that is taken", "/dbconnections/signup", map[string]any{"client_id": "app", "email": "ann@example.com", "password": "long enough", "connection": "Username-Password-Authentication"}, 400, `"user_exists"`, false},
		{"a weak password", "/dbconnections/signup", map[string]any{"client_id": "app", "email": "new@example.com", "password": "x", "connection": "Username-Password-Authentication"}, 400, `"PasswordStrengthError"`, false},
	} {
		before := len(a.Complaints())
		got := send(t, a, c.path, c.send)
		if got.status != c.status || !strings.Contains(got.body, c.says) || len(a.Complaints()) > before != c.complains {
			t.Errorf("%s: %d %s, complaints %v", c.what, got.status, got.body, a.Complaints()[before:])
		}
	}
	for range tooMany {
		send(t, a, "/oauth/token", login("ann", "wrong"))
	}
	if got := send(t, a, "/oauth/token", login("ann", "correct horse")); got.status != 429 || !strings.Contains(got.body, "too_many_attempts") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAuth0TakesASecondFactorByText(t *testing.T) {
	t.Parallel()
	a := tenant(t)
	token := send(t, a, "/oauth/token", login("eve@example.com", "correct horse")).json(t)["mfa_token"]
	list := call(t, "GET", a.URL()+"/mfa/authenticators", "", "Authorization: Bearer "+token.(string))
	if list.status != 200 || !strings.Contains(list.body, `"oob_channel":"sms"`) {
		t.Fatalf("%d %s", list.status, list.body)
	}
	if got := send(t, a, "/mfa/associate", map[string]any{"authenticator_types": []string{"otp"}}, "Authorization: Bearer "+token.(string)); got.status != 403 {
		t.Errorf("a second authenticator before the first was shown: %d %s", got.status, got.body)
	}
	asked := send(t, a, "/mfa/challenge", map[string]any{"mfa_token": token, "client_id": "app", "client_secret": "app-secret", "challenge_type": "oob otp"})
	proof := map[string]any{"grant_type": "http://auth0.com/oauth/grant-type/mfa-oob", "client_id": "app", "client_secret": "app-secret",
		"mfa_token": token, "oob_code": asked.json(t)["oob_code"], "binding_code": "000000x"}
	if got := send(t, a, "/oauth/token", proof); got.status != 403 || !strings.Contains(got.body, "Invalid binding_code.") {
		t.Errorf("a wrong code: %d %s", got.status, got.body)
	}
	proof["binding_code"] = a.Texts()[0].Code
	if got := send(t, a, "/oauth/token", proof); got.status != 200 || got.json(t)["refresh_token"] == nil {
		t.Errorf("%d %s", got.status, got.body)
	}
	if c := a.Complaints(); len(c) > 0 {
		t.Error(c)
	}
}

func TestAuth0AuthorizesByCodeWithPKCE(t *testing.T) {
	t.Parallel()
	a := tenant(t)
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636 appendix B
	q := url.Values{"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {"https://app.example/back"}, "connection": {"google-oauth2"},
		"scope": {"openid email"}, "state": {"s"}, "nonce": {"n"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(a.URL() + "/authorize?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	back, err := res.Location()
	if err != nil || back.Query().Get("state") != "s" {
		t.Fatal(err, back)
	}
	redeem := map[string]any{"grant_type": "authorization_code", "client_id": "app", "client_secret": "app-secret",
		"code": back.Query().Get("code"), "redirect_uri": "https://app.example/back", "code_verifier": verifier}
	if got := send(t, a, "/oauth/token", redeem); got.status != 200 || got.json(t)["id_token"] == nil {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := send(t, a, "/oauth/token", redeem); got.status != 403 {
		t.Errorf("a second time: %d %s", got.status, got.body)
	}
	if c := a.Complaints(); len(c) > 0 {
		t.Error(c)
	}
}

func TestAuth0FailsAsItIsTold(t *testing.T) {
	t.Parallel()
	a := tenant(t)
	for how, status := range map[Mishap]int{Unavailable: 503, Broken: 500, Busy: 429, Redirect: 302, Garbage: 200, Huge: 200, Denied: 401} {
		a.Fail(how)
		req, _ := http.NewRequestWithContext(t.Context(), "POST", a.URL()+"/oauth/token", strings.NewReader("{}"))
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d", how, res.StatusCode)
		}
	}
	a.Fail(Reset, "/userinfo")
	a.Fail(Well, "")
	if res, err := http.Get(a.URL() + "/userinfo"); err == nil {
		_ = res.Body.Close()
		t.Errorf("a reset: %d", res.StatusCode)
	}
	if res, err := http.Get(a.URL() + "/.well-known/jwks.json"); err != nil || res.StatusCode != 200 {
		t.Error("a path that nothing was told of fails too")
	} else {
		_ = res.Body.Close()
	}
}
