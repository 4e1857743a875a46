package rbac

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestTheRolesOfEndUsers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		const (
			none  = `{"enabled":false,"defaultRole":null,"roles":[]}`
			fan   = `{"name":"fan","description":"","permissions":["posts:read"],"effective":["posts:read"],"parentRole":null}`
			admin = `{"name":"admin","description":"of the club","permissions":["posts:*"],"effective":["posts:*","posts:read"],"parentRole":"fan"}`
		)
		whole := `{"enabled":true,"defaultRole":"fan","roles":[` + admin + `,` + fan + `]}`
		conflict := func(message string) string { return `{"error":"Conflict","message":"` + message + `"}` }
		invalid := func(field, issue string) string {
			return `{"error":"Bad Request","message":"Validation failed","details":[{"field":"` + field + `","issue":"` + issue + `"}]}`
		}
		// Nobody has to hold what they name: it is theirs alone. rbac:write is enough.
		for _, step := range []struct {
			line, body string
			status     int
			want       string
		}{
			{"GET /tenant/rbac", "", 200, none},
			{"PUT /tenant/rbac", `{"defaultRole":"fan","roles":[{"name":"fan","permissions":["posts:read"]},{"name":"admin","description":"of the club","permissions":["posts:*"],"parentRole":"fan"}]}`, 200, whole},
			{"GET /tenant/rbac", "", 200, whole},
			{"GET /tenant/rbac/roles?limit=1", "", 200, `{"data":[` + admin + `],"pagination":{"limit":1,"offset":0,"total":2}}`},
			{"GET /tenant/rbac/roles?offset=7", "", 200, `{"data":[],"pagination":{"limit":20,"offset":7,"total":2}}`},
			{"GET /tenant/rbac/roles/fan", "", 200, fan},
			{"GET /tenant/rbac/roles/viewer", "", 404, `{"error":"Not Found","message":"Role not found"}`},
			{"POST /tenant/rbac", `{"name":"guest","permissions":[]}`, 201, `{"name":"guest","description":"","permissions":[],"effective":[],"parentRole":null}`},
			{"POST /tenant/rbac/roles", `{"name":"guest","permissions":[]}`, 409, conflict("A role of this name exists")},
			{"PUT /tenant/rbac/roles/guest", `{"parentRole":"fan"}`, 200, `{"name":"guest","description":"","permissions":[],"effective":["posts:read"],"parentRole":"fan"}`},
			{"PUT /tenant/rbac/roles/fan", `{"parentRole":"guest"}`, 400, invalid("parentRole", "the parents would go round in a circle")},
			{"PUT /tenant/rbac/roles/fan", `{"parentRole":"manager"}`, 400, invalid("parentRole", "no role has this name")},
			{"PUT /tenant/rbac/roles/nobody", `{}`, 404, `{"error":"Not Found","message":"Role not found"}`},
			{"DELETE /tenant/rbac/roles/fan", "", 409, conflict("Another role inherits from this one")},
			{"DELETE /tenant/rbac/roles/guest", "", 204, ""},
			{"DELETE /tenant/rbac/roles/admin", "", 204, ""},
			{"DELETE /tenant/rbac/roles/fan", "", 409, conflict("The role is the default role")},
			{"DELETE /tenant/rbac/roles/nobody", "", 404, `{"error":"Not Found","message":"Role not found"}`},
			{"PUT /tenant/rbac", `{"roles":[{"name":"a","permissions":[],"parentRole":"b"},{"name":"b","permissions":[],"parentRole":"a"}]}`, 400,
				`{"error":"Bad Request","message":"Validation failed","details":[{"field":"roles[0].parentRole","issue":"the parents would go round in a circle"},{"field":"roles[1].parentRole","issue":"the parents would go round in a circle"}]}`},
			{"PUT /tenant/rbac", `{"roles":[{"name":"a","permissions":["platform:x"]}]}`, 400, invalid("roles[0].permissions[0]", "crosses tenants: permissions on platform are granted in the file or on the host")},
			{"PUT /tenant/rbac", `{"roles":[{"name":"a","permissions":[]},{"name":"a","permissions":[]}]}`, 400, invalid("roles[1].name", "another role has this name")},
			{"PUT /tenant/rbac", `{"roles":[{"name":1}]}`, 400, invalid("roles[0].name", "must be a string")},
			{"PUT /tenant/rbac", `{"roles":["a"]}`, 400, invalid("roles[0]", "must be an object")},
			{"PUT /tenant/rbac", `{"defaultRole":"a"}`, 400, invalid("defaultRole", "no role has this name")},
			{"PUT /tenant/rbac", `{"roles":[` + strings.Repeat(`{},`, 1000) + `{}]}`, 400, invalid("roles", "must be at most 1000")},
			{"GET /tenant/rbac", "", 200, `{"enabled":true,"defaultRole":"fan","roles":[` + fan + `]}`},
			{"PUT /tenant/rbac", `{"enabled":false}`, 200, none},
			{"POST /tenant/rbac/roles", `{"name":"fan","permissions":["posts:read"]}`, 201, fan},
			{"DELETE /tenant/rbac", "", 204, ""},
			{"GET /tenant/rbac", "", 200, none},
			{"POST /tenant/rbac", `{"name":"fan","permissions":["posts:read"]}`, 201, fan},
			{"GET /tenant/rbac", "", 200, `{"enabled":true,"defaultRole":null,"roles":[` + fan + `]}`},
		} {
			status, got := h.ask(h.token("m", "role=manager"), step.line, step.body)
			if status != step.status || got != step.want {
				t.Fatalf("%s %s:\n got %d %s\nwant %d %s", step.line, step.body[:min(len(step.body), 200)], status, got, step.status, step.want)
			}
		}
		// Nothing is granted by them.
		h.want(200, h.token("m", "role=manager"), "PUT /tenant/rbac", `{"roles":[{"name":"superuser","permissions":["*:*"]}]}`)
		h.want(404, h.token("m", "role=manager"), "POST /rbac/assign", `{"userId":"m","role":"superuser"}`)
		h.want(403, h.token("x", "role=superuser"), "GET /rbac/roles", "")
	})
}

func TestARoleOfManyIsTheLast(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), "roles: []")
	var roles []string
	for i := range maxRoles {
		roles = append(roles, fmt.Sprintf(`{"name":"r%d","permissions":["p:a%d"]}`, i, i))
	}
	h.want(200, h.admin(), "PUT /tenant/rbac", `{"roles":[`+strings.Join(roles, ",")+`]}`)
	if got := h.want(409, h.admin(), "POST /tenant/rbac", `{"name":"one","permissions":[]}`); !strings.Contains(got, "The tenant has as many roles as it can have") {
		t.Error(got)
	}
	err := h.db.Tx(t.Context(), func(tx *store.Tx) error {
		for i := range maxRoles {
			if err := granting().add(tx, "main", Role{Name: fmt.Sprintf("r%d", i), CreatedAt: tx.Now(), UpdatedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.want(409, h.admin(), "POST /rbac/roles", `{"name":"one","permissions":[]}`)
}

func TestARoleHoldsSoMuch(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), "roles: []")
	parent := ""
	for i := range 6 {
		var own []string
		for j := range maxPermissions {
			own = append(own, fmt.Sprintf("p%d:a%d", i, j))
		}
		name := fmt.Sprintf("r%d", i)
		if i < 5 {
			h.role(name, parent, own...)
			parent = name
			continue
		}
		body := `{"name":"r5","permissions":` + quoted(own) + `,"parentRole":"r4"}`
		const issue = "would be more than 1000 in a role, with what is inherited"
		if got := h.want(400, h.admin(), "POST /rbac/roles", body); !strings.Contains(got, issue) {
			t.Error(got)
		}
		// What inherits counts too.
		h.role("top", "", own...)
		if got := h.want(400, h.admin(), "PUT /rbac/roles/r0", `{"parentRole":"top"}`); !strings.Contains(got, issue) {
			t.Error(got)
		}
	}
}
