package login_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// keycloak is a provider as Keycloak is one: discovery, the password and refresh_token
// grants by form, revocation. Its tokens are the stand-in's, signed.
type keycloak struct {
	*httptest.Server
	signer *standin.Issuer

	mu      sync.Mutex
	revoked []string
	forms   []url.Values
}

func newKeycloak(t *testing.T) *keycloak {
	t.Helper()
	signer, err := standin.NewIssuer(edge.Listen(t), standin.IssuerOptions{Alg: "ES256"})
	if err != nil {
		t.Fatal(err)
	}
	r := &keycloak{signer: signer}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(func() { r.Close(); _ = signer.Close() })
	return r
}

func (r *keycloak) serve(w http.ResponseWriter, q *http.Request) {
	say := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	_ = q.ParseForm()
	switch q.URL.Path {
	case "/.well-known/openid-configuration":
		say(200, map[string]any{"issuer": r.URL, "jwks_uri": r.URL + "/certs", "token_endpoint": r.URL + "/token", "revocation_endpoint": r.URL + "/revoke",
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"}, "id_token_signing_alg_values_supported": []string{"ES256"},
			"response_types_supported": []string{}, "subject_types_supported": []string{"public"}})
	case "/certs":
		res, err := http.Get(r.signer.URL() + "/jwks")
		if err != nil {
			say(500, nil)
			return
		}
		defer func() { _ = res.Body.Close() }()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, res.Body)
	case "/revoke":
		r.mu.Lock()
		defer r.mu.Unlock()
		r.revoked = append(r.revoked, q.Form.Get("token"))
	case "/token":
		r.mu.Lock()
		r.forms = append(r.forms, q.Form)
		r.mu.Unlock()
		who := q.Form.Get("username")
		if q.Form.Get("grant_type") == "refresh_token" {
			who = strings.TrimPrefix(q.Form.Get("refresh_token"), "zq9-refresh ")
		} else if q.Form.Get("password") != password {
			say(401, map[string]string{"error": "invalid_grant", "error_description": "Invalid user credentials"})
			return
		}
		say(200, map[string]any{"access_token": r.mint(who, audience), "id_token": r.mint(who, "app"), "refresh_token": "zq9-refresh " + who,
			"token_type": "Bearer", "expires_in": 300, "scope": "openid email profile offline_access"})
	default:
		say(404, nil)
	}
}

func (r *keycloak) mint(who, aud string) string {
	token, err := r.signer.Mint(map[string]any{"iss": r.URL, "sub": "kc-" + who, "aud": aud, "email": who, "email_verified": true})
	if err != nil {
		return err.Error()
	}
	return token
}

func (r *keycloak) ended() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := strings.Join(r.revoked, " ")
	r.revoked = nil
	return out
}

const acting = `
environment: test
store: {url: "sqlite:portreeve.db"}
masterKey: "enE4LW1hc3Rlci1rZXktMDEyMzQ1Njc4OWFiY2RlZjA="
tenants: {default: acme, defaultFor: [keycloak]}
sites:
  - hosts: [auth.example]
    login:
      provider: oidc
      baseURL: "@REALM@"
      clientId: app
      clientSecret: app-secret-zq8
      audience: https://api.example
      reissue: true
      actions:
        postLogin:
          - closed.js
          - {file: mfa_action.js, configuration: {TEST_TENANTS: staging, FORCE_MFA_DOMAIN: forced.example}}
          - {file: add_ip_to_metadata.js, configuration: {IP_METADATA_KEY: from}}
        preUserRegistration: enable_mfa.js
  - hosts: [backoffice.example]
    backoffice: {provider: oidc, baseURL: "@REALM@", clientId: app, clientSecret: app-secret-zq8, audience: https://api.example, actions: {postLogin: closed.js}}
  - hosts: [app.example]
    oidc: [{name: keycloak, issuer: "@REALM@", audience: https://api.example}]
    mfa: {}
`

const closed = `exports.onExecutePostLogin = async (event, api) => {
  console.log(event.user.email);
  if (event.user.email.startsWith("zq9.closed")) { api.access.deny("We are closed"); return; }
  if (event.user.email.startsWith("zq9.broken")) { throw new Error("zq9 " + event.user.email); }
  if (event.user.email.startsWith("zq9.sneaky")) { api.idToken[["set", "CustomClaim"].join("")]("plan", "gold"); }
};`

func startActing(t *testing.T) (*edge.Edge, *keycloak) {
	t.Helper()
	r := newKeycloak(t)
	files := map[string]string{"closed.js": closed}
	for _, name := range []string{"mfa_action.js", "enable_mfa.js", "add_ip_to_metadata.js"} {
		raw, err := os.ReadFile("../../actions/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(raw)
	}
	e := edge.Start(t, edge.Setting{Text: acting, Words: map[string]string{"REALM": r.URL}, Files: files})
	t.Cleanup(func() {
		for _, s := range []string{password, "zq9-refresh", "app-secret-zq8", "@example.com"} {
			if strings.Contains(e.Log.String(), s) {
				t.Errorf("%q stands in the log:\n%s", s, e.Log.String())
			}
		}
	})
	return e, r
}

func to(t *testing.T, e *edge.Edge, host, line, body string, fields ...string) edge.Answer {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, e.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Content-Type", "application/json")
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return edge.Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw)}
}

func signIn(who string) string { return fmt.Sprintf(`{"username":%q,"password":%q}`, who, password) }

// The three scripts in front of a provider that runs none: the first login is skipped,
// the second asks for a factor, which is the one that the same person has elsewhere in
// the file.
func TestActionsBesideALogin(t *testing.T) {
	t.Parallel()
	e, r := startActing(t)
	first := to(t, e, "auth.example", "POST /oauth/token", signIn(ann))
	tokens := edge.Decode[struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}](t, first)
	if first.Status != 200 || tokens.Refresh != "zq9-refresh "+ann {
		t.Fatal(first)
	}
	if got := to(t, e, "auth.example", "GET /layer/session", "", edge.Bearer(tokens.Access)); got.Status != 200 {
		t.Errorf("a token that Portreeve signed: %v", got)
	}
	provided := r.mint(ann, audience)
	if got := to(t, e, "auth.example", "GET /layer/session", "", edge.Bearer(provided)); got.Status != 401 {
		t.Errorf("the provider's own, which never left: %v", got)
	}

	second := to(t, e, "auth.example", "POST /oauth/token", signIn(ann))
	waiting := edge.Decode[map[string]string](t, second)
	if second.Status != 403 || waiting["error"] != "mfa_required" || strings.Contains(second.Body, "zq9-refresh") {
		t.Fatal(second)
	}

	// Ann sets up her app at the other site, by the provider's token.
	here := edge.Bearer(provided)
	setup := edge.Decode[map[string]string](t, to(t, e, "app.example", "POST /mfa/setup", "{}", here))
	enabled := to(t, e, "app.example", "POST /mfa/enable", fmt.Sprintf(`{"code":%q}`, code(t, setup["secret"])), here)
	codes := edge.Decode[struct {
		BackupCodes []string `json:"backupCodes"`
	}](t, enabled).BackupCodes
	if len(codes) != 10 {
		t.Fatal(enabled)
	}
	bearer := edge.Bearer(waiting["mfa_token"])
	if got := to(t, e, "auth.example", "GET /mfa/authenticators", "", bearer); !strings.Contains(got.Body, `"otp"`) || !strings.Contains(got.Body, `"recovery-code"`) {
		t.Errorf("one person has one set of factors: %v", got)
	}
	body := fmt.Sprintf(`{"mfa_token":%q,"recovery_code":%q}`, waiting["mfa_token"], codes[0])
	done := to(t, e, "auth.example", "POST /mfa/verify", body)
	if done.Status != 200 || !strings.Contains(done.Body, "zq9-refresh "+ann) {
		t.Fatal(done)
	}
	if got := to(t, e, "auth.example", "POST /mfa/verify", body); got.Status != 403 {
		t.Errorf("a second time: %v", got)
	}
	if got := r.ended(); got != "" {
		t.Errorf("revoked: %s", got)
	}
}

// What a script refuses leaves no tokens behind, on both surfaces.
func TestActionsThatRefuse(t *testing.T) {
	t.Parallel()
	e, r := startActing(t)
	for _, host := range []string{"auth.example", "backoffice.example"} {
		for who, want := range map[string]struct {
			status int
			body   string
		}{
			"zq9.closed@example.com": {403, `{"error":"access_denied","error_description":"We are closed"}`},
			"zq9.broken@example.com": {503, `temporarily_unavailable`},
			"zq9.sneaky@example.com": {map[string]int{"auth.example": 200, "backoffice.example": 503}[host], ""},
		} {
			got := to(t, e, host, "POST /oauth/token", signIn(who))
			if got.Status != want.status || !strings.Contains(got.Body, want.body) {
				t.Errorf("%s at %s: %v", who, host, got)
			}
			if ended := r.ended(); (ended == "zq9-refresh "+who) != (want.status != 200) {
				t.Errorf("%s at %s: revoked %q", who, host, ended)
			}
		}
	}
}

// A script that changes on the disk counts from the reload on; one that is broken
// changes nothing.
func TestActionsAreReloaded(t *testing.T) {
	t.Parallel()
	e, _ := startActing(t)
	e.Write(t, "closed.js", `exports.onExecutePostLogin = async (event, api) => { api.access.deny("For today"); };`)
	if err := e.App.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := to(t, e, "auth.example", "POST /oauth/token", signIn(ann)); got.Status != 403 || !strings.Contains(got.Body, "For today") {
		t.Error(got)
	}
	e.Write(t, "closed.js", `exports.onExecutePostLogin = async (`)
	if err := e.App.Reload(); err == nil || !strings.Contains(err.Error(), "closed.js") {
		t.Error(err)
	}
	if got := to(t, e, "backoffice.example", "POST /oauth/token", signIn(ann)); got.Status != 403 {
		t.Error(got)
	}
}

// code is what an authenticator app shows for a secret (RFC 6238).
func code(t *testing.T, secret string) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	var c [8]byte
	binary.BigEndian.PutUint64(c[:], uint64(time.Now().Unix()/30))
	mac := hmac.New(sha1.New, key)
	mac.Write(c[:])
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&0xf:])&0x7fffffff%1_000_000)
}
