package rbac

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Every change is in the audit trail, and a role that changes is told to
// everybody who remembers it; what is refused leaves nothing.
func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		h.user("manager", "manager")
		slot, all := change.SlotOf("main", change.Role, "x"), change.SlotOf("main", change.Role, "")
		told := func(line, body string, status int) bool {
			t.Helper()
			h.poll()
			seq := h.feed.Seq()
			h.want(status, h.token("manager"), line, body)
			h.poll()
			one, list := !h.feed.Holds(seq, slot), !h.feed.Holds(seq, all)
			if one != list {
				t.Errorf("%s: the role was told: %v, the list: %v", line, one, list)
			}
			return one
		}
		for _, step := range []struct {
			line, body string
			status     int
			told       bool
		}{
			{"POST /rbac/roles", `{"name":"x","permissions":["docs:read"]}`, 201, true},
			{"POST /rbac/roles", `{"name":"x","permissions":["docs:read"]}`, 409, false},
			{"PUT /rbac/roles/x", `{"permissions":["docs:write"]}`, 403, false},
			{"PUT /rbac/roles/x", `{"permissions":[]}`, 200, true},
			{"PUT /rbac/roles/x", `{"permissions":[]}`, 200, false},
			{"POST /rbac/assign", `{"userId":"new","role":"x"}`, 200, false},
			{"POST /rbac/assign", `{"userId":"new","role":"x"}`, 200, false},
			{"POST /rbac/assign", `{"userId":"other","role":"admin"}`, 403, false},
			{"DELETE /rbac/assign", `{"userId":"new","role":"x"}`, 200, false},
			{"DELETE /rbac/roles/x", ``, 204, true},
			{"POST /tenant/rbac", `{"name":"fan","permissions":[]}`, 201, false},
			{"DELETE /tenant/rbac", ``, 204, false},
		} {
			if got := told(step.line, step.body, step.status); got != step.told {
				t.Errorf("%s %s: told: %v", step.line, step.body, got)
			}
		}
		list, _, err := h.log.Page(t.Context(), "main", audit.Filter{}, 100, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list {
			if r.Actor.ID == "manager" {
				got = append([]string{strings.TrimSpace(r.Action + " " + r.Detail["role"] + r.Detail["permissions"])}, got...)
			}
		}
		want := "role.created docs:read, role.changed, user.created, role.assigned x, role.unassigned x, role.deleted, enduserrole.created, enduserroles.cleared"
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("the audit trail:\n got %s\nwant %s", s, want)
		}
	})
}

// A name that the file takes over means the file's role from then on.
func TestTheFileTakesAName(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	h.role("auditor", "", "audit:read")
	h.role("heir", "auditor")
	h.user("bob", "heir")
	h.book = newBook(t, fileRoles+"  - {name: auditor, permissions: [\"logs:read\"]}\n")
	h.serve()
	got := undated(h.want(200, h.admin(), "GET /rbac/roles/auditor", ""))
	if want := `{"name":"auditor","description":"","permissions":["logs:read"],"effective":["logs:read"],"parentRole":null,"source":"file","assigned":0,"hidesTenantRole":true}`; got != want {
		t.Errorf("got %s", got)
	}
	if got := h.want(200, h.admin(), "GET /rbac/roles/heir", ""); member(t, got, "effective") != `["logs:read"]` {
		t.Error(got)
	}
	h.want(409, h.admin(), "PUT /rbac/roles/auditor", `{"permissions":["*:*"]}`)
	h.want(409, h.admin(), "DELETE /rbac/roles/auditor", "")
	if got := h.want(200, h.admin(), "GET /rbac/roles?limit=100", ""); strings.Count(got, `"name":"auditor"`) != 1 {
		t.Error(got)
	}
	if err := h.rbac.Delete(t.Context(), host(), "main", "auditor"); err != nil {
		t.Errorf("the host removes what is hidden: %v", err)
	}
	if err := h.rbac.Delete(t.Context(), host(), "main", "auditor"); err == nil {
		t.Error("and never the file's own")
	}
}

// Who is meant by userId: a row's id, else an e-mail, else a subject.
func TestWhoIsMeant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		by := tenant.By{Grants: h.rbac.Grants(OfHost())}
		ann := must(h.users.AddUser(t.Context(), by, "main", tenant.NewUser{Email: "Ann@Example.com"}))
		kept := must(h.users.AddUser(t.Context(), by, "main", tenant.NewUser{ID: "user-7", Email: "kept@example.com"}))
		id := func(body string) string {
			t.Helper()
			return strings.Trim(member(t, h.want(200, h.admin(), "POST /rbac/assign", body), "userId"), `"`)
		}
		if got := id(`{"userId":"ann@example.COM","role":"viewer"}`); got != ann.ID {
			t.Errorf("an e-mail in another spelling: %s", got)
		}
		if got := id(`{"userId":"user-7","role":"viewer"}`); got != kept.ID {
			t.Errorf("an id that was kept: %s", got)
		}
		one, other := id(`{"userId":"sub-1","role":"viewer"}`), id(`{"userId":"sub-1","role":"viewer","provider":"entra"}`)
		if one == other {
			t.Error("one subject of two providers is one user")
		}
		if id(`{"userId":"sub-1","role":"user","provider":"jwt"}`) != one || id(`{"userId":"sub-1","role":"user","provider":"entra"}`) != other {
			t.Error("the second look finds another row")
		}
		// A provider whose subjects look like addresses is named.
		mail := id(`{"userId":"sub@example.com","role":"viewer","provider":"entra"}`)
		u := must(h.users.User(t.Context(), "main", mail))
		if u.Email != "" || u.Bound != (tenant.Binding{Provider: "entra", Issuer: "https://login.example/v2", Subject: "sub@example.com"}) {
			t.Errorf("the row of a subject: %+v", u)
		}
		h.want(403, h.token("sub-1"), "GET /rbac/roles", "")
		id(`{"userId":"sub-1","role":"manager"}`)
		h.want(200, h.token("sub-1"), "GET /rbac/roles", "")
		h.want(200, h.admin(), "DELETE /rbac/assign?userId=sub-1&role=manager", "")
		h.want(403, h.token("sub-1"), "GET /rbac/roles", "")
	})
}
