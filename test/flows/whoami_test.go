package flows

import (
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
)

// whoami is the answer of /.portreeve/whoami.
type whoami struct {
	Authenticated bool           `json:"authenticated"`
	Kind          string         `json:"kind"`
	Provider      string         `json:"provider"`
	Subject       string         `json:"subject"`
	Email         string         `json:"email"`
	EmailVerified bool           `json:"emailVerified"`
	Tenant        string         `json:"tenant"`
	Roles         []string       `json:"roles"`
	Scopes        []string       `json:"scopes"`
	Permissions   []string       `json:"permissions"`
	AuthTime      *time.Time     `json:"authTime"`
	ExpiresAt     *time.Time     `json:"expiresAt"`
	Claims        map[string]any `json:"claims"`
}

const everyKind = `
environment: test
tenants: {autoCreate: true}
jwt: {secret: "@SECRET@"}
oidc:
  - {name: issuer, issuer: "@ISSUER@", audience: api}
access: {teamDomain: acme.cloudflareaccess.com, audience: app-a, certsURL: "@CERTS@"}
rbac:
  defaultRole: user
  roles: [{name: editor, permissions: ["docs:*"]}]
upstream: "@ECHO@"
routes: 
  - {path: /orders, method: any, requireAuth: true}
  - {path: /by-jwt, method: any, authProvider: jwt}
  - {path: /by-access, method: any, authProvider: access}
  - {path: /public, method: any}
  - {path: /untouched, method: any, identify: none}
`

const sharedSecret = "correct-horse-battery-staple-32-bytes"

// everyone is an edge with every kind of provider that needs no account.
func everyone(t testing.TB) (e *edge, i *standin.Issuer, a *standin.Access) {
	t.Helper()
	i, a = issuer(t, standin.IssuerOptions{}), accessTeam(t, standin.AccessOptions{Audience: "app-a"})
	return start(t, setting{Text: everyKind, Words: map[string]string{"SECRET": sharedSecret, "ISSUER": i.URL(), "CERTS": a.CertsURL()}}), i, a
}

func TestWhoamiSaysWhatEachKindOfCallerIs(t *testing.T) {
	t.Parallel()
	e, i, a := everyone(t)
	ask := func(t *testing.T, fields ...string) whoami {
		ans := e.ask(t, "GET", "/.portreeve/whoami", fields...)
		if ans.Status != 200 || ans.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d, Cache-Control %q: %s", ans.Status, ans.Header.Get("Cache-Control"), ans.Body)
		}
		return decode[whoami](t, ans)
	}
	t.Run("anonymous", func(t *testing.T) {
		if w := ask(t); w.Authenticated || w.Kind != "anonymous" || w.Subject != "" || w.Tenant != "" || len(w.Roles) != 0 || len(w.Permissions) != 0 || w.Claims != nil {
			t.Errorf("%+v", w)
		}
		if w := ask(t, "Authorization: Basic YWxpY2U6c2VjcmV0"); w.Authenticated {
			t.Errorf("a scheme other than Bearer is a credential: %+v", w)
		}
	})
	t.Run("a shared secret", func(t *testing.T) {
		at := time.Now().Add(-time.Hour).Truncate(time.Second)
		w := ask(t, bearer(sign(t, shared(sharedSecret), map[string]any{"sub": "alice", "role": "editor", "email": "Alice@Example.com",
			"scope": "a b", "auth_time": at.Unix(), "deep": map[string]any{"n": 1}})))
		if !w.Authenticated || w.Kind != "user" || w.Provider != "jwt" || w.Subject != "alice" || w.Email != "Alice@Example.com" || !w.EmailVerified ||
			w.Tenant != "main" || len(w.Roles) != 1 || w.Roles[0] != "editor" || len(w.Permissions) != 1 || w.Permissions[0] != "docs:*" ||
			len(w.Scopes) != 2 || w.AuthTime == nil || !w.AuthTime.Equal(at) || w.ExpiresAt == nil || w.Claims["deep"] == nil {
			t.Errorf("%+v", w)
		}
	})
	t.Run("an issuer that is not trusted for roles, tenant and address", func(t *testing.T) {
		w := ask(t, bearer(mint(t, i, map[string]any{"sub": "bob", "role": "admin", "tenant_id": "acme", "email": "bob@example.com"})))
		if w.Kind != "user" || w.Provider != "issuer" || w.Subject != "bob" || w.EmailVerified || w.Tenant != "" ||
			len(w.Roles) != 1 || w.Roles[0] != "user" || len(w.Permissions) != 0 {
			t.Errorf("%+v", w)
		}
	})
	t.Run("Access", func(t *testing.T) {
		w := ask(t, cookie(must(a.Mint("carol@example.com", nil))))
		if w.Kind != "user" || w.Provider != "access" || w.Email != "carol@example.com" || !w.EmailVerified || w.Tenant != "" {
			t.Errorf("%+v", w)
		}
		if w := ask(t, assertion(must(a.MintService("deploy.access")))); w.Kind != "service" || w.Subject != "deploy.access" || len(w.Roles) != 0 {
			t.Errorf("%+v", w)
		}
	})
	t.Run("a bad credential is nobody at all", func(t *testing.T) {
		refused(t, e.ask(t, "GET", "/.portreeve/whoami", bearer("x.y.z")), "malformed token", "")
	})
}
