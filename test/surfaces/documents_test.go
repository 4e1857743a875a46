package surfaces

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// documented is the older backend's configuration, put together from the
// fragments of its page on authentication as they stand there, but for where the
// secret comes from and what answers.
const documented = `{
  "environment": "test",
  "jwt": {
    "secret": "{{file.jwt-secret}}"
  },
  "rbac": {
    "enabled": true,
    "defaultRole": "user"
  },
  "upstream": "@ECHO@",
  "routes": [
    {
      "path": "/admin/users",
      "method": "get",
      "requireAuth": true
    },
    {
      "path": "/admin/users",
      "method": "delete",
      "requireAuth": true,
      "requiredPermissions": ["users:delete"]
    },
    {
      "path": "/api/data",
      "method": "get",
      "requireAuth": true
    }
  ]
}`

// TestTheBackendsPageOnAuthentication sends what the older backend's page shows,
// as curl sends it, to a Portreeve that has its snippets and nothing else.
func TestTheBackendsPageOnAuthentication(t *testing.T) {
	t.Parallel()
	echo := standin.NewEcho(edge.Listen(t), standin.EchoOptions{})
	t.Cleanup(func() { _ = echo.Close() })
	e := edge.Start(t, edge.Setting{Text: documented, Words: map[string]string{"ECHO": echo.URL()}, Files: map[string]string{"jwt-secret": files()["jwt-secret"]}})
	w := &world{Edge: e, signs: signs()}
	admin := edge.Bearer(w.jwt(map[string]any{"sub": "root", "role": "admin"}))
	const form = "Content-Type: application/x-www-form-urlencoded" // what curl -d says

	// Create API key: the members of the page, in its order, before any of ours.
	a := w.wants(t, 201, "POST", "/tenant/api-keys", `{"name": "Production API", "scopes": ["*"]}`, admin, form)
	shown := regexp.MustCompile(`^\{"id":"([^"]+)","key":"(prk_test_[0-9A-Za-z]{12}_[0-9A-Za-z]{49})","prefix":"(prk_test_[0-9A-Za-z]{12})","name":"Production API","scopes":\["\*"\],`)
	m := shown.FindStringSubmatch(a.Body)
	if m == nil || !strings.HasPrefix(m[2], m[3]) {
		t.Fatalf("the answer is not the page's: %s", a.Body)
	}
	id, key := m[1], m[2]

	// Use API key: the tenant is the key's own, without a header that names it.
	received := edge.Decode[standin.Received](t, w.wants(t, 200, "GET", "/api/data", "", "x-api-key: "+key))
	if tenants := received.Header("X-Portreeve-Tenant"); len(tenants) != 1 || tenants[0] != "main" {
		t.Errorf("the application was told of tenants %q", tenants)
	}
	if len(received.Header("X-Api-Key")) != 0 {
		t.Error("the application got the key")
	}
	w.wants(t, 200, "GET", "/api/data", "", "Authorization: Bearer "+key)

	// Shown once; hashed; listed without it, with what it was used for.
	for _, path := range []string{"/tenant/api-keys", "/tenant/api-keys/" + id} {
		if a := w.wants(t, 200, "GET", path, "", admin); strings.Contains(a.Body, key) || strings.Contains(a.Body, "hash") || !strings.Contains(a.Body, `"usage":`) || !strings.Contains(a.Body, `"lastUsedAt":`) {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	if a := w.wants(t, 200, "GET", "/tenant/api-keys", "", admin); !strings.HasSuffix(a.Body, `],"pagination":{"limit":20,"offset":0,"total":1}}`+"\n") {
		t.Errorf("a list: %s", a.Body)
	}

	// Protect with permissions: the flat errors of its pages, byte for byte.
	user := edge.Bearer(w.jwt(map[string]any{"sub": "u"}))
	w.wants(t, 200, "GET", "/admin/users", "", user)
	w.wants(t, 200, "DELETE", "/admin/users", "", admin)
	for _, c := range []struct {
		status     int
		body, want string
		ask        []string
	}{
		{401, "", `{"error":"Unauthorized","message":"Invalid or expired token"}`, []string{"GET", "/rbac/roles"}},
		{403, "", `{"error":"Forbidden","message":"Insufficient permissions"}`, []string{"DELETE", "/admin/users", user}},
		{403, "", `{"error":"Forbidden","message":"Insufficient permissions"}`, []string{"GET", "/rbac/roles", user}},
		{400, `{}`, `{"error":"Bad Request","message":"Validation failed","details":[{"field":"name","issue":"is required"},{"field":"permissions","issue":"is required"}]}`, []string{"POST", "/rbac/roles", admin}},
	} {
		if a := w.wants(t, c.status, c.ask[0], c.ask[1], c.body, c.ask[2:]...); a.Body != c.want+"\n" {
			t.Errorf("%v: %s", c.ask[:2], a.Body)
		}
	}

	// Role endpoints.
	if a := w.wants(t, 200, "GET", "/rbac/roles", "", admin); !strings.Contains(a.Body, `"name":"admin"`) || !strings.HasSuffix(a.Body, `"pagination":{"limit":20,"offset":0,"total":4}}`+"\n") {
		t.Errorf("the roles: %s", a.Body)
	}
	w.wants(t, 201, "POST", "/rbac/roles", `{"name":"remover","permissions":["users:delete"]}`, admin, form)
	permissions := edge.Decode[struct {
		Data []struct {
			Permission    string
			Roles, Routes []string
		}
	}](t, w.wants(t, 200, "GET", "/rbac/permissions", "", admin))
	if !slices.ContainsFunc(permissions.Data, func(p struct {
		Permission    string
		Roles, Routes []string
	}) bool {
		return p.Permission == "users:delete" && slices.Contains(p.Roles, "remover") && len(p.Routes) == 1
	}) {
		t.Errorf("the permissions: %+v", permissions)
	}
	assigned := w.wants(t, 200, "POST", "/rbac/assign", `{"userId":"u","role":"remover"}`, admin, form)
	if !json.Valid([]byte(assigned.Body)) || !strings.Contains(assigned.Body, `"roles":["remover"]`) {
		t.Errorf("assigned: %s", assigned.Body)
	}
	edge.Until(t, "the assigned role", func() bool { return w.Ask(t, "DELETE", "/admin/users", "", user).Status == 200 })

	// Tenants: what the reference of the older backend answers.
	if a := w.wants(t, 200, "POST", "/tenant/config", `{"rateLimit":{"windowMs":60000,"max":1000000}}`, admin); !strings.HasPrefix(a.Body, `{"message":"`) || !strings.HasSuffix(a.Body, `","success":true}`+"\n") {
		t.Errorf("the settings: %s", a.Body)
	}
	w.wants(t, 400, "POST", "/tenant/config", `{"routes":[],"credentials":{}}`, admin)
	w.wants(t, 201, "POST", "/tenant/secrets", `{"key":"STRIPE","value":"zq8-stripe","metadata":{"a":"b"}}`, admin)
	if a := w.wants(t, 200, "GET", "/tenant/secrets", "", admin); strings.Contains(a.Body, "zq8") || !strings.HasPrefix(a.Body, `{"data":[{"key":"STRIPE","createdAt":`) {
		t.Errorf("the secrets: %s", a.Body)
	}
	w.wants(t, 200, "POST", "/tenant/secrets/rotate", `{"key":"STRIPE","newValue":"zq8-new","gracePeriodDays":1}`, admin)
	w.wants(t, 204, "DELETE", "/tenant/secrets/STRIPE", "", admin)
	summary := regexp.MustCompile(`^\{"tenant_id":"main","period":"\d{4}-\d{2}","api_calls":\d+,"bandwidth_bytes":\d+\}\n$`)
	if a := w.wants(t, 200, "GET", "/usage/summary", "", admin); !summary.MatchString(a.Body) {
		t.Errorf("the summary: %s", a.Body)
	}
	w.wants(t, 200, "GET", "/usage/history", "", admin)

	// Rotated with a grace period; revoked.
	rotated := w.wants(t, 200, "POST", "/tenant/api-keys/"+id+"/rotate", `{"gracePeriodSeconds":60}`, admin)
	again := regexp.MustCompile(`^\{"id":"` + id + `","key":"prk_test_[0-9A-Za-z_]+","prefix":"prk_test_[0-9A-Za-z]{12}","name":"Production API","scopes":\["\*"\],"previousExpiresAt":"[^"]+"\}\n$`)
	if !again.MatchString(rotated.Body) {
		t.Errorf("rotated: %s", rotated.Body)
	}
	w.wants(t, 200, "GET", "/api/data", "", "x-api-key: "+key)
	if a := w.wants(t, http.StatusNoContent, "DELETE", "/tenant/api-keys/"+id, "", admin); a.Body != "" {
		t.Errorf("revoked: %s", a.Body)
	}
	edge.Until(t, "the end of the key", func() bool { return w.Ask(t, "GET", "/api/data", "", "x-api-key: "+key).Status == 401 })
	if r := must(app.Check(e.Source)); !r.OK {
		t.Errorf("check: %+v", r.Problems)
	}
}
