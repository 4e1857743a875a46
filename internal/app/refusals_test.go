package app

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/insight"
)

// TestARefusalIsToldToItsTenant: a refusal is the caller's tenant's, and nobody's
// one the site's; what was refused by somebody else's rules is not seen.
func TestARefusalIsToldToItsTenant(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nportal: {}\njwt: {secret: \"{{file.secret}}\"}\nrbac: {}\nroutes: [{path: /secret, method: get, requiredPermissions: [\"a:b\"], data: {}}]\n", "secret", secret32)
	get := func(who string, path string) (int, string) {
		var fields []string
		if who != "" {
			fields = []string{"Authorization", "Bearer " + who}
		}
		status, body, _ := s.get(path, fields...)
		return status, body
	}
	token := func(tenant, sub string, roles ...string) string {
		t.Helper()
		out, err := Token(s.source(nil), TokenRequest{Subject: sub, Roles: roles, Tenant: tenant, Expires: time.Hour, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	get("", "/secret")
	get(token("", "ann", "viewer"), "/secret")
	get(token("elsewhere", "eve", "viewer"), "/secret") // a tenant that does not exist
	status, body := get(token("", "root", "admin"), "/.portreeve/insight/refusals?route=/secret")
	var page insight.RefusalPage
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 {
		t.Fatal(status, body, err)
	}
	if len(page.Data) != 2 || page.Data[0].Reason != "missing_permission" || page.Data[0].Tenant != "main" || page.Data[1].Reason != "unauthenticated" {
		t.Fatalf("%+v", page)
	}
	var one insight.RefusalRecord
	_, body = get(token("", "root", "admin"), "/.portreeve/insight/refusals/"+page.Data[0].ID)
	if err := json.Unmarshal([]byte(body), &one); err != nil || one.Links.Route == nil || one.Links.Route.Key != "GET /secret" || len(one.Steps) == 0 || len(one.Links.Roles) != 1 || one.Links.Roles[0] != "admin" {
		t.Errorf("%s, %v", body, err)
	}
	for _, r := range s.app.ring.Latest(5) {
		if r.Reason == "unknown_tenant" && r.Tenant != "elsewhere" {
			t.Errorf("%+v", r)
		}
		if r.Reason == "unknown_tenant" {
			if status, _ := get(token("", "root", "admin"), "/.portreeve/insight/refusals/"+r.ID); status != 404 {
				t.Errorf("another tenant's: %d", status)
			}
		}
	}
}
