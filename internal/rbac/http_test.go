package rbac

import (
	"regexp"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// undated takes the times out of an answer.
func undated(body string) string {
	return regexp.MustCompile(`,"(createdAt|updatedAt)":"[^"]+"`).ReplaceAllString(body, "")
}

// The older documents name four requests (seeds, RBAC): their answers, and those
// that the specification adds.
func TestTheDocumentedRequests(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, "roles: []")
		admin := h.admin()
		bob := h.user("bob")
		for _, step := range []struct {
			line, body string
			status     int
			want       string
		}{
			{"POST /rbac/roles", `{"name":"editor","description":"edits","permissions":["docs:read","docs:write"]}`, 201,
				`{"name":"editor","description":"edits","permissions":["docs:read","docs:write"],"effective":["docs:read","docs:write"],"parentRole":null,"source":"tenant","assigned":0}`},
			{"POST /rbac/roles", `{"name":"chief","permissions":["docs:delete"],"parentRole":"editor"}`, 201,
				`{"name":"chief","description":"","permissions":["docs:delete"],"effective":["docs:delete","docs:read","docs:write"],"parentRole":"editor","source":"tenant","assigned":0}`},
			{"GET /rbac/roles?limit=2&offset=1", "", 200, `{"data":[` +
				`{"name":"chief","description":"","permissions":["docs:delete"],"effective":["docs:delete","docs:read","docs:write"],"parentRole":"editor","source":"tenant","assigned":0},` +
				`{"name":"editor","description":"edits","permissions":["docs:read","docs:write"],"effective":["docs:read","docs:write"],"parentRole":null,"source":"tenant","assigned":0}` +
				`],"pagination":{"limit":2,"offset":1,"total":6}}`},
			{"GET /rbac/roles/admin", "", 200,
				`{"name":"admin","description":"","permissions":["*:*"],"effective":["*:*"],"parentRole":null,"source":"builtin","assigned":0}`},
			{"PUT /rbac/roles/chief", `{"description":"leads"}`, 200,
				`{"name":"chief","description":"leads","permissions":["docs:delete"],"effective":["docs:delete","docs:read","docs:write"],"parentRole":"editor","source":"tenant","assigned":0}`},
			{"PUT /rbac/roles/chief", `{"name":"chief","permissions":["docs:*"],"parentRole":null}`, 200,
				`{"name":"chief","description":"leads","permissions":["docs:*"],"effective":["docs:*"],"parentRole":null,"source":"tenant","assigned":0}`},
			{"GET /rbac/permissions?limit=7", "", 200, `{"data":[` +
				`{"permission":"*:*","roles":["admin"],"routes":[]},` +
				`{"permission":"agents:create","roles":["admin","member"],"routes":[]},` +
				`{"permission":"apikeys:read","roles":["admin","member"],"routes":[]},` +
				`{"permission":"docs:*","roles":["admin","chief"],"routes":[]},` +
				`{"permission":"docs:read","roles":["admin","chief","editor"],"routes":[]},` +
				`{"permission":"docs:write","roles":["admin","chief","editor"],"routes":[]},` +
				`{"permission":"escrow:read","roles":["admin","member"],"routes":[]}` +
				`],"pagination":{"limit":7,"offset":0,"total":10}}`},
			{"GET /rbac/permissions?limit=1&offset=9", "", 200,
				`{"data":[{"permission":"users:delete","roles":["admin"],"routes":["DELETE /admin/users"]}],"pagination":{"limit":1,"offset":9,"total":10}}`},
			{"POST /rbac/assign", `{"userId":"` + bob.ID + `","role":"editor"}`, 200, `{"userId":"` + bob.ID + `","role":"editor","roles":["editor"]}`},
			{"POST /rbac/assign", `{"userId":"bob","role":"viewer","provider":"jwt"}`, 200, `{"userId":"` + bob.ID + `","role":"viewer","roles":["editor","viewer"]}`},
			{"DELETE /rbac/roles/editor", "", 409, `{"error":"Conflict","message":"The role is assigned to users"}`},
			{"DELETE /rbac/assign?userId=bob&role=viewer", "", 200, `{"userId":"` + bob.ID + `","role":"viewer","roles":["editor"]}`},
			{"DELETE /rbac/assign", `{"userId":"` + bob.ID + `","role":"editor"}`, 200, `{"userId":"` + bob.ID + `","role":"editor","roles":[]}`},
			{"DELETE /rbac/assign", `{"userId":"` + bob.ID + `","role":"editor"}`, 200, `{"userId":"` + bob.ID + `","role":"editor","roles":[]}`},
			{"DELETE /rbac/roles/editor", "", 204, ""},
			{"GET /rbac/roles/editor", "", 404, `{"error":"Not Found","message":"Role not found"}`},
		} {
			status, got := h.ask(admin, step.line, step.body)
			if got = undated(got); status != step.status || got != step.want {
				t.Fatalf("%s %s:\n got %d %s\nwant %d %s", step.line, step.body, status, got, step.status, step.want)
			}
		}
	})
}

func TestWhatIsWrongIsSaidExactly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	admin := h.admin()
	h.role("writer", "", "docs:write")
	h.role("author", "writer")
	h.user("bob", "author")
	invalid := func(details string) string {
		return `{"error":"Bad Request","message":"Validation failed","details":[` + details + `]}`
	}
	field := func(name, issue string) string { return `{"field":"` + name + `","issue":"` + issue + `"}` }
	const (
		taken     = `{"error":"Conflict","message":"A role of this name exists"}`
		ofFile    = `{"error":"Conflict","message":"The configuration defines this role"}`
		isBuiltIn = `{"error":"Conflict","message":"This role is built in"}`
		noRole    = `{"error":"Not Found","message":"Role not found"}`
		noUser    = `{"error":"Not Found","message":"User not found"}`
		names     = "must be 1 to 64 letters, digits and . _ : @ -, and neither . nor .. alone"
		shape     = `must be resource:action, with \"*\" alone for either part`
	)
	for _, tt := range []struct {
		line, body string
		status     int
		want       string
	}{
		{"POST /rbac/roles", ``, 400, invalid(field("name", "is required") + "," + field("permissions", "is required"))},
		{"POST /rbac/roles", `[]`, 400, `{"error":"Bad Request","message":"The request body is not a JSON object"}`},
		{"POST /rbac/roles", `{"name":7,"permissions":"docs:read","parentRole":[]}`, 400,
			invalid(field("name", "must be a string") + "," + field("permissions", "must be a list") + "," + field("parentRole", "must be a string"))},
		{"POST /rbac/roles", `{"name":"a b","permissions":[]}`, 400, invalid(field("name", names))},
		{"POST /rbac/roles", `{"name":"a/b","permissions":[]}`, 400, invalid(field("name", names))},
		{"POST /rbac/roles", `{"name":"..","permissions":[]}`, 400, invalid(field("name", names))},
		{"POST /rbac/roles", `{"name":"` + strings.Repeat("a", 65) + `","permissions":[]}`, 400, invalid(field("name", names))},
		{"POST /rbac/roles", `{"name":"x","permissions":null}`, 400, invalid(field("permissions", "is required"))},
		{"POST /rbac/roles", `{"name":"x","permissions":["docs","docs:read","a:b:c","*"]}`, 400,
			invalid(field("permissions[0]", shape) + "," + field("permissions[2]", shape) + "," + field("permissions[3]", shape))},
		{"POST /rbac/roles", `{"name":"x","permissions":["platform:read"]}`, 400,
			invalid(field("permissions[0]", "crosses tenants: permissions on platform are granted in the file or on the host"))},
		{"POST /rbac/roles", `{"name":"x","permissions":[],"parentRole":"ops"}`, 400,
			invalid(field("parentRole", "crosses tenants: permissions on platform are granted in the file or on the host"))},
		{"POST /rbac/roles", `{"name":"x","permissions":[],"parentRole":"nobody"}`, 400, invalid(field("parentRole", "no role has this name"))},
		{"POST /rbac/roles", `{"name":"x","permissions":[],"parentRole":"x"}`, 400, invalid(field("parentRole", "the parents would go round in a circle"))},
		{"POST /rbac/roles", `{"name":"x","permissions":[],"description":"two\nlines"}`, 400, invalid(field("description", "must be at most 500 characters, without control characters"))},
		{"POST /rbac/roles", `{"name":"x","permissions":["` + strings.Repeat(`a:b","`, 200) + `a:b"]}`, 400, invalid(field("permissions", "must be at most 200"))},
		{"POST /rbac/roles", `{"name":"writer","permissions":[]}`, 409, taken},
		{"POST /rbac/roles", `{"name":"manager","permissions":[]}`, 409, ofFile},
		{"POST /rbac/roles", `{"name":"viewer","permissions":[]}`, 409, isBuiltIn},
		{"PUT /rbac/roles/manager", `{}`, 409, ofFile},
		{"PUT /rbac/roles/viewer", `{}`, 409, isBuiltIn},
		{"PUT /rbac/roles/nobody", `{}`, 404, noRole},
		{"PUT /rbac/roles/writer", `{"parentRole":"author"}`, 400, invalid(field("parentRole", "the parents would go round in a circle"))},
		{"PUT /rbac/roles/writer", `{"name":"author"}`, 400, invalid(field("name", "cannot be changed"))},
		{"DELETE /rbac/roles/manager", ``, 409, ofFile},
		{"DELETE /rbac/roles/nobody", ``, 404, noRole},
		{"DELETE /rbac/roles/writer", ``, 409, `{"error":"Conflict","message":"Another role inherits from this one"}`},
		{"DELETE /rbac/roles/author", ``, 409, `{"error":"Conflict","message":"The role is assigned to users"}`},
		{"POST /rbac/assign", ``, 400, invalid(field("userId", "is required") + "," + field("role", "is required"))},
		{"POST /rbac/assign", `{"userId":"bob","role":"nobody"}`, 404, noRole},
		{"POST /rbac/assign", `{"userId":"who@example.com","role":"viewer"}`, 404, noUser},
		{"POST /rbac/assign", `{"userId":"usr_00000000000000000000000000000000","role":"viewer"}`, 404, noUser},
		{"POST /rbac/assign", `{"userId":"x","role":"viewer","provider":"apiKey"}`, 400, invalid(field("provider", "no provider here goes by this name, or it has no users of its own"))},
		{"DELETE /rbac/assign", `{"userId":"carol","role":"viewer"}`, 404, noUser},
		{"DELETE /rbac/assign", `{"userId":"bob","role":"nobody"}`, 404, noRole},
		{"DELETE /rbac/assign?role=a&role=b", ``, 400, invalid(field("role", "stands more than once in the query"))},
		{"DELETE /rbac/assign?role=a", `{"role":"b"}`, 400, invalid(field("role", "says one thing in the body and another in the query"))},
		{"GET /rbac/roles?limit=0", ``, 400, invalid(field("limit", "must be a whole number from 1 to 100"))},
		{"PATCH /rbac/roles", ``, 405, `{"error":"Method Not Allowed","message":"Method not allowed"}`},
	} {
		status, got := h.ask(admin, tt.line, tt.body)
		if status != tt.status || got != tt.want {
			t.Errorf("%s %s:\n got %d %s\nwant %d %s", tt.line, tt.body, status, got, tt.status, tt.want)
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles+"  - {name: auditor, permissions: [\"rbac:read\"]}\n")
	const forbidden = `{"error":"Forbidden","message":"Insufficient permissions"}`
	for _, line := range []string{"GET /rbac/roles", "GET /rbac/roles/admin", "GET /rbac/permissions", "GET /tenant/rbac", "GET /tenant/rbac/roles"} {
		h.want(401, "", line, "")
		if got := h.want(403, h.token("x", "role=viewer"), line, ""); got != forbidden {
			t.Errorf("%s: %s", line, got)
		}
		h.want(200, h.token("x", "role=auditor"), line, "")
		h.want(403, h.token("x", "role=auditor", "tenant_id=nowhere"), line, "")
	}
	for _, line := range []string{"POST /rbac/roles", "PUT /rbac/roles/x", "DELETE /rbac/roles/x", "POST /rbac/assign", "DELETE /rbac/assign",
		"PUT /tenant/rbac", "POST /tenant/rbac", "DELETE /tenant/rbac", "POST /tenant/rbac/roles", "PUT /tenant/rbac/roles/x", "DELETE /tenant/rbac/roles/x"} {
		h.want(401, "", line, "{}")
		h.want(403, h.token("x", "role=auditor"), line, "{}")
	}
}

// Two tenants have roles of one name, and neither sees or touches the other's.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		mine, theirs := h.admin(), h.token("root", "role=admin", "tenant_id=other")
		h.want(201, mine, "POST /rbac/roles", `{"name":"same","permissions":["docs:read"]}`)
		h.want(404, theirs, "GET /rbac/roles/same", "")
		h.want(201, theirs, "POST /rbac/roles", `{"name":"same","permissions":["docs:write"]}`)
		h.want(200, theirs, "PUT /rbac/roles/same", `{"permissions":["docs:delete"]}`)
		if got := member(t, h.want(200, mine, "GET /rbac/roles/same", ""), "permissions"); got != `["docs:read"]` {
			t.Errorf("a change of another tenant's role came through: %s", got)
		}
		bob := h.user("bob")
		h.want(404, theirs, "POST /rbac/assign", `{"userId":"`+bob.ID+`","role":"same"}`)
		h.want(200, mine, "POST /rbac/assign", `{"userId":"`+bob.ID+`","role":"same"}`)
		h.want(204, theirs, "DELETE /rbac/roles/same", "")
		h.want(409, mine, "DELETE /rbac/roles/same", "")
		if status, _ := h.ask(mine, "GET /rbac/roles", "", "X-Tenant-ID: other"); status != 403 {
			t.Errorf("a tenant by header that is not the caller's: %d", status)
		}
		h.want(200, mine, "PUT /tenant/rbac", `{"roles":[{"name":"fan","permissions":[]}]}`)
		if got := member(t, h.want(200, theirs, "GET /tenant/rbac", ""), "roles"); got != `[]` {
			t.Errorf("another tenant's end-user roles: %s", got)
		}
	})
}
