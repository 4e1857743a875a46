package rbac

import (
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// Whoever gives roles away in one tenant takes nobody out of another by it; a
// holder of platform:* who acts there may.
func TestAssigningReachesIntoNoOtherTenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		eve, outsider := h.token("eve"), h.token("mallory", "role=admin", "tenant_id=other")
		h.want(200, h.admin(), "POST /rbac/assign", `{"userId":"eve","role":"viewer"}`)
		stays := func(when string) {
			t.Helper()
			if s := h.stand(eve); s.Tenant != "main" || len(s.Roles()) != 1 || s.Roles()[0] != "viewer" {
				t.Errorf("%s: %s %v", when, s.Tenant, s.Roles())
			}
		}
		stays("at first")
		h.want(200, outsider, "POST /rbac/assign", `{"provider":"jwt","userId":"eve","role":"admin"}`)
		stays("assigned a role in another tenant")
		fay := h.token("fay")
		h.want(200, outsider, "POST /rbac/assign", `{"provider":"jwt","userId":"fay","role":"viewer"}`)
		if s := h.stand(fay); s.Tenant != "main" || len(s.Roles()) != 0 {
			t.Errorf("without a row of her own: %s %v", s.Tenant, s.Roles())
		}
		h.user("olga", "ops", "manager", "viewer")
		if status, got := h.ask(h.token("olga"), "POST /rbac/assign", `{"provider":"jwt","userId":"gus","role":"viewer"}`, "X-Tenant-ID: other"); status != 200 {
			t.Fatalf("%d %s", status, got)
		}
		if s := h.stand(h.token("gus")); s.Tenant != "other" {
			t.Errorf("who answers for all tenants put him there: %s", s.Tenant)
		}
	})
}
