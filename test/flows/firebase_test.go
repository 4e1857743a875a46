package flows

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
)

// In prod, as it is meant to run: the addresses of Google's keys are fixed, so
// the test stands in their way.
const firebaseEdge = `
drainDelay: 0s
tenantApi: false
mfa: false
firebase: {projectId: demo-project@MORE@}
jwt: {secret: "{{file.secret}}"}
upstream: "@ECHO@"
routes:
  - {path: /profile, method: get, authProvider: firebase, data: {you: "{{auth.sub}}", mail: "{{auth.email}}"}}
  - {path: /team, method: get, authProvider: firebase, tenant: acme}
  - {path: /any, method: get, requireAuth: true}
  - {path: /public, method: get}
`

// google answers for Google's two sets of keys and for nothing else.
type google struct{ tokens, sessions *jws.Signer }

func (g google) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	switch r.URL.String() {
	case "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com":
		body = jwks(g.tokens)
	case "https://identitytoolkit.googleapis.com/v1/sessionCookiePublicKeys":
		body = jwks(g.sessions)
	default:
		return nil, errors.New("unexpected request for " + r.URL.String())
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r}, nil
}

// answers has key sets ask g.
func (g google) answers(c *keyset.Config) { c.Client = &http.Client{Transport: g} }

func firebase(t testing.TB, more string) (*edge, google) {
	t.Helper()
	g := google{signer(t, "RS256", "token-key"), signer(t, "RS256", "session-key")}
	return start(t, setting{Text: firebaseEdge, Words: map[string]string{"MORE": more}, Files: map[string]string{"secret": sharedSecret},
		KeySets: g.answers}), g
}

// idToken are the claims of a Firebase ID token (as the emulator and Google
// write them), over which other claims go.
func idToken(other map[string]any) map[string]any {
	claims := map[string]any{
		"iss": "https://securetoken.google.com/demo-project", "aud": "demo-project", "auth_time": time.Now().Add(-time.Minute).Unix(),
		"user_id": "uid-1", "sub": "uid-1", "email": "bob@example.com", "email_verified": true,
		"firebase": map[string]any{"identities": map[string]any{"email": []string{"bob@example.com"}}, "sign_in_provider": "password"},
	}
	for k, v := range other {
		claims[k] = v
	}
	return claims
}

func TestFirebaseUsersOpenWhatNamesFirebase(t *testing.T) {
	t.Parallel()
	e, g := firebase(t, "") // anybody may sign up
	session := map[string]any{"iss": "https://session.firebase.google.com/demo-project"}
	for _, c := range []struct {
		name, reason string
		by           *jws.Signer
		claims       map[string]any
	}{
		{"an ID token", "", g.tokens, nil},
		{"a session cookie", "", g.sessions, session},
		{"a session cookie by the other key", "unknown key", g.tokens, session},
		{"an ID token by the other key", "unknown key", g.sessions, nil},
		{"another project's", "algorithm not accepted", g.tokens, map[string]any{"iss": "https://securetoken.google.com/other", "aud": "other"}},
		{"another project's audience", "wrong audience", g.tokens, map[string]any{"aud": "other"}},
		{"without subject", "malformed token", g.tokens, map[string]any{"sub": ""}},
		{"with too long a subject", "malformed token", g.tokens, map[string]any{"sub": strings.Repeat("x", 129)}},
		{"with the longest subject", "", g.tokens, map[string]any{"sub": strings.Repeat("x", 128)}},
		{"signed in tomorrow", "the token is not yet valid", g.tokens, map[string]any{"auth_time": time.Now().Add(time.Hour).Unix()}},
		{"never signed in", "malformed token", g.tokens, map[string]any{"auth_time": nil}},
		{"expired", "the token is expired", g.tokens, map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := sign(t, c.by, idToken(c.claims))
			ans := e.ask(t, "GET", "/profile", bearer(token))
			if c.reason != "" {
				refused(t, ans, c.reason, token)
				return
			}
			status(t, ans, http.StatusOK, "")
			if !strings.Contains(ans.Body, `"mail":"bob@example.com"`) {
				t.Errorf("the answer is %s", ans.Body)
			}
			refused(t, e.ask(t, "GET", "/any", bearer(token)), "", token)
			if r := arrived(t, e.ask(t, "GET", "/public", bearer(token))); got(t, r, "X-Portreeve-Subject") != "" {
				t.Error("where it does not count, it is somebody")
			}
		})
	}
	t.Run("the emulator's, which nobody signed", func(t *testing.T) {
		token := unsigned(withTimes(idToken(nil)))
		refused(t, e.ask(t, "GET", "/profile", bearer(token)), "malformed token", token)
	})
	t.Run("tenants", func(t *testing.T) {
		status(t, e.ask(t, "GET", "/team", bearer(sign(t, g.tokens, idToken(map[string]any{"tenant_id": "acme"})))), 200, "")
		status(t, e.ask(t, "GET", "/team", bearer(sign(t, g.tokens, idToken(map[string]any{"tenant_id": "globex"})))), 403, "")
		status(t, e.ask(t, "GET", "/team", bearer(sign(t, g.tokens, idToken(nil)))), 403, "")
	})
}

func TestFirebaseUsersCountEverywhereWhereSignUpIsClosed(t *testing.T) {
	t.Parallel()
	e, g := firebase(t, ", openSignUp: false")
	r := arrived(t, e.ask(t, "GET", "/any", bearer(sign(t, g.tokens, idToken(nil)))))
	if got(t, r, "X-Portreeve-Provider") != "firebase" || got(t, r, "X-Portreeve-Email") != "bob@example.com" {
		t.Errorf("the application was told %v", r.Headers)
	}
	r = arrived(t, e.ask(t, "GET", "/any", bearer(sign(t, g.tokens, idToken(map[string]any{"email_verified": "true"})))))
	if got(t, r, "X-Portreeve-Email") != "" {
		t.Error("an address counts as verified that is not")
	}
}

func withTimes(claims map[string]any) map[string]any {
	claims["iat"], claims["exp"] = time.Now().Unix(), time.Now().Add(time.Hour).Unix()
	return claims
}

// The emulator's tokens count only where the switch is on, which needs the
// environment written down, and then no others do.
func TestTheEmulatorsTokensNeedTheSwitch(t *testing.T) {
	t.Parallel()
	const text = `
environment: test
firebase: {projectId: demo-project, emulator: true}
upstream: "@ECHO@"
routes:
  - {path: /profile, method: get, authProvider: firebase}
`
	e := start(t, setting{Text: text})
	r := arrived(t, e.ask(t, "GET", "/profile", bearer(unsigned(withTimes(idToken(nil))))))
	if got(t, r, "X-Portreeve-Subject") != "uid-1" {
		t.Errorf("the application was told %v", r.Headers)
	}
	refused(t, e.ask(t, "GET", "/profile", bearer(unsigned(withTimes(idToken(map[string]any{"aud": "other"}))))), "wrong audience", "")
	signed := sign(t, signer(t, "RS256", "token-key"), idToken(nil))
	refused(t, e.ask(t, "GET", "/profile", bearer(signed)), "algorithm not accepted", signed)

	for _, environment := range []string{"", "environment: prod\n"} {
		e.write(t, "portreeve.yaml", environment+strings.NewReplacer("environment: test\n", "", "@ECHO@", e.Echo).Replace(text))
		if report, err := app.Check(e.Source); err != nil || report.OK {
			t.Errorf("with %q the switch is taken in prod: %+v, %v", environment, report, err)
		}
	}
}
