package rbac

import (
	"testing"

	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// oneKey is a store of keys with one key, which a user made.
type oneKey struct {
	scopes  []string
	creator string
}

func (k oneKey) Grant(*store.Tx, *principal.Principal) (tenant.KeyFacts, error) {
	return tenant.KeyFacts{Grant: &policy.KeyGrant{ID: "k1", Scopes: k.scopes}, CreatorUserID: k.creator}, nil
}

// A key grants what its scopes and whoever made it have in common, now.
func TestAKeyGrantsWhatItHolds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	h.role("writer", "", "docs:write", "users:read")
	ann := h.user("ann", "manager", "writer")
	h.dir = tenant.NewDirectory(h.users, tenant.DirectoryDeps{Feed: h.feed, Roles: h.rbac,
		Keys: oneKey{scopes: []string{"*", "rbac:write", "logs:read"}, creator: ann.ID}})
	who := &principal.Principal{Kind: principal.Service, Provider: "apiKey", ProviderKind: "apiKey", Subject: "key:k1",
		Tenant: "main", TrustTenant: true, CredentialID: "k1"}
	by := h.book.Stand(who, nil, &policy.Known{Tenant: "main", Key: &policy.KeyGrant{ID: "k1", Scopes: []string{"*:*"}, ByHost: true}})
	c := Caller{Right: Of(&by)}
	may := func(permissions ...string) bool {
		_, err := h.rbac.Create(t.Context(), c, "main", newRole("x", "", permissions...))
		if err == nil {
			err = h.rbac.Delete(t.Context(), c, "main", "x")
			if err != nil {
				t.Fatal(err)
			}
			return true
		}
		return false
	}
	for permission, want := range map[string]bool{
		"docs:read": true, "docs:write": true, "rbac:write": true,
		"users:read": false, // guarded: its "*" does not cover it
		"logs:read":  false, // a scope that who made it does not hold
		"rbac:read":  false, // held by who made it, guarded, and no scope
		"docs:*":     false,
	} {
		if got := may(permission); got != want {
			t.Errorf("%s: %v", permission, got)
		}
	}
	by2 := tenant.By{Grants: h.rbac.Grants(OfHost())}
	if _, err := h.users.SetUserDisabled(t.Context(), by2, "main", ann.ID, true); err != nil {
		t.Fatal(err)
	}
	if may("docs:read") {
		t.Error("who made it is disabled, and the key still grants")
	}
}
