package rbac

import (
	"encoding/json"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestWhatATenantTakesWithIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	h.role("x", "manager", "docs:write")
	h.want(201, h.admin(), "POST /tenant/rbac", `{"name":"fan","permissions":[]}`)
	err := h.db.Read(t.Context(), func(tx *store.Tx) error {
		name, value, err := h.rbac.Export(tx, "main")
		const want = `{"roles":[{"name":"x","description":"","permissions":["docs:write"],"parentRole":"manager"}],` +
			`"endUsers":{"enabled":true,"defaultRole":null,"roles":[{"name":"fan","description":"","permissions":[],"effective":[],"parentRole":null}]}}`
		if raw, _ := json.Marshal(value); name != "rbac" || string(raw) != want {
			t.Errorf("%s: %s", name, raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
