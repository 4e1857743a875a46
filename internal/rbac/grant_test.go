package rbac

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

func lacks(permissions ...string) string {
	var details []string
	for _, p := range permissions {
		details = append(details, `{"field":"permissions","issue":"you do not hold `+p+`"}`)
	}
	return `{"error":"Forbidden","message":"Insufficient permissions","details":[` + strings.Join(details, ",") + `]}`
}

func TestNobodyGrantsWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		h.role("writer", "", "docs:write")
		h.role("reader", "", "docs:read")
		h.role("author", "reader", "docs:read")
		h.user("manager", "manager")
		h.user("bob", "author")
		manager := h.token("manager") // by its row
		claimed := h.token("stranger", "role=manager")
		for _, who := range []string{manager, claimed} {
			for _, tt := range []struct {
				name, line, body string
				status           int
				want             string
			}{
				{"a role with less", "POST /rbac/roles", `{"name":"x","permissions":["docs:read"]}`, 201, ""},
				{"and its removal", "DELETE /rbac/roles/x", "", 204, ""},
				{"a role with more", "POST /rbac/roles", `{"name":"x","permissions":["docs:write","docs:read","users:read"]}`, 403, lacks("docs:write", "users:read")},
				{"a role with a wider one", "POST /rbac/roles", `{"name":"x","permissions":["docs:*"]}`, 403, lacks("docs:*")},
				{"a role that inherits more", "POST /rbac/roles", `{"name":"x","permissions":[],"parentRole":"writer"}`, 403, lacks("docs:write")},
				{"a role that inherits more from the file", "POST /rbac/roles", `{"name":"x","permissions":[],"parentRole":"lead"}`, 403, lacks("docs:*")},
				{"more in a role", "PUT /rbac/roles/reader", `{"permissions":["docs:read","docs:write"]}`, 403, lacks("docs:write")},
				{"another parent", "PUT /rbac/roles/author", `{"parentRole":"writer"}`, 403, lacks("docs:write")},
				{"what another holds and stays as it is", "PUT /rbac/roles/writer", `{"description":"mended"}`, 200, ""},
				{"a role with more, to somebody", "POST /rbac/assign", `{"userId":"bob","provider":"jwt","role":"writer"}`, 403, lacks("docs:write")},
				{"a role with more, to oneself", "POST /rbac/assign", `{"userId":"manager","provider":"jwt","role":"admin"}`, 403, lacks("*:*")},
				{"a role that crosses tenants", "POST /rbac/assign", `{"userId":"bob","provider":"jwt","role":"ops"}`, 403, lacks("platform:*")},
				{"a role with less, to somebody", "POST /rbac/assign", `{"userId":"bob","provider":"jwt","role":"reader"}`, 200, ""},
				{"less for somebody", "DELETE /rbac/assign", `{"userId":"bob","provider":"jwt","role":"reader"}`, 200, ""},
			} {
				status, got := h.ask(who, tt.line, tt.body)
				if status != tt.status || tt.want != "" && got != tt.want {
					t.Fatalf("%s: %d %s, want %d %s", tt.name, status, got, tt.status, tt.want)
				}
			}
		}
		admin := h.admin()
		h.want(403, admin, "POST /rbac/assign", `{"userId":"bob","provider":"jwt","role":"ops"}`) // *:* is not platform
		h.want(200, admin, "POST /rbac/assign", `{"userId":"bob","provider":"jwt","role":"lead"}`)
	})
}

// A user without a role has the default one: taking the last role away can give.
func TestTakingTheLastRoleAwayMayGive(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), "defaultRole: member\n"+strings.TrimPrefix(fileRoles, "\n"))
	h.user("manager", "manager")
	h.user("bob", "viewer", "user")
	h.want(200, h.token("manager"), "DELETE /rbac/assign", `{"userId":"bob","provider":"jwt","role":"viewer"}`)
	if got := h.want(403, h.token("manager"), "DELETE /rbac/assign", `{"userId":"bob","provider":"jwt","role":"user"}`); !strings.Contains(got, "you do not hold escrow:reveal") {
		t.Error(got)
	}
	h.want(200, h.admin(), "DELETE /rbac/assign", `{"userId":"bob","provider":"jwt","role":"user"}`)
}

// What a caller held when the request was let through is not what it holds when
// the rows are written.
func TestTheRuleGoesByWhatStandsInTheTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		h.role("writer", "", "docs:write")
		bob := h.user("bob", "manager", "writer")
		h.want(201, h.token("bob"), "POST /rbac/roles", `{"name":"one","permissions":["docs:write"]}`) // remembers bob

		empty := newRole("writer", "")
		empty.Name.Set, empty.Parent.Set = false, false
		if _, err := h.rbac.Change(t.Context(), host(), "main", "writer", empty); err != nil {
			t.Fatal(err)
		}
		// No poll: the gateway still goes by what it remembers.
		if status, got, err := h.try(h.token("bob"), "POST /rbac/roles", `{"name":"two","permissions":["docs:write"]}`); err != nil || status != 403 || got != lacks("docs:write") {
			t.Errorf("after the role shrank: %d %s, %v", status, got, err)
		}
		by := tenant.By{Grants: h.rbac.Grants(OfHost())}
		if _, err := h.users.SetUserDisabled(t.Context(), by, "main", bob.ID, true); err != nil {
			t.Fatal(err)
		}
		if status, got, err := h.try(h.token("bob"), "POST /rbac/roles", `{"name":"three","permissions":["docs:read"]}`); err != nil || status != 403 {
			t.Errorf("after bob was disabled: %d %s, %v", status, got, err)
		}
	})
}

// A holder of platform:* acts in another tenant and grants there what it holds.
func TestActingInAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	h.user("olga", "ops", "manager")
	in := func(line, body string) (int, string) { return h.ask(h.token("olga"), line, body, "X-Tenant-ID: other") }
	if status, got := in("POST /rbac/roles", `{"name":"x","permissions":["docs:read"]}`); status != 201 {
		t.Errorf("what she holds: %d %s", status, got)
	}
	if status, got := in("POST /rbac/roles", `{"name":"y","permissions":["docs:write"]}`); status != 403 || got != lacks("docs:write") {
		t.Errorf("what she does not hold: %d %s", status, got)
	}
	h.want(404, h.admin(), "GET /rbac/roles/x", "")
}

func TestTheHostGrantsEverything(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	h.role("root", "", "*:*", "platform:*")
	h.role("heir", "root")
	h.user("olga", "heir")
	if got := h.want(200, h.token("olga"), "GET /rbac/roles/heir", ""); member(t, got, "effective") != `["*:*","platform:*"]` {
		t.Error(got)
	}
	if status, _ := h.ask(h.token("olga"), "GET /rbac/roles/heir", "", "X-Tenant-ID: other"); status != 404 {
		t.Errorf("she does not cross tenants: %d", status)
	}
	// Even who holds it does not write it through the API.
	h.want(400, h.token("olga"), "POST /rbac/roles", `{"name":"x","permissions":["platform:read"]}`)
	h.want(400, h.token("olga"), "POST /rbac/roles", `{"name":"x","permissions":[],"parentRole":"heir"}`)
	h.want(200, h.token("olga"), "PUT /rbac/roles/heir", `{"description":"mended"}`)
}

func TestMayGrantForKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles)
	h.user("lead", "lead")
	var lead policy.Standing
	if x := h.stand(h.token("lead")); x != nil {
		lead = *x
	}
	for _, tt := range []struct {
		name          string
		by            *policy.Standing
		before, after []string
		ok            bool
	}{
		{"what it holds", &lead, nil, []string{"docs:read", "docs:*", "rbac:read"}, true},
		{"what it does not hold", &lead, nil, []string{"users:read"}, false},
		{"everything", &lead, nil, []string{"*"}, false},
		{"what was there before", &lead, []string{"*", "users:read"}, []string{"users:read"}, true},
		{"nobody, something", nil, nil, []string{"docs:read"}, false},
		{"nobody, nothing", nil, nil, nil, true},
	} {
		err := h.db.Read(t.Context(), func(tx *store.Tx) error { return h.rbac.MayGrant(tx, tt.by, "main", tt.before, tt.after) })
		if (err == nil) != tt.ok || err != nil && fault.From(err).Code != ErrGrants.Code {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// What a key lacks is what no stored or claimed role of its maker brings.
func TestWhatAKeyLacks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), fileRoles+"defaultRole: lead\n")
	h.role("writer", "", "docs:write")
	for _, tt := range []struct {
		g    *policy.KeyGrant
		want string
	}{
		{&policy.KeyGrant{Scopes: []string{"docs:read", "*"}}, "[docs:read *]"},
		{&policy.KeyGrant{Scopes: []string{"docs:write", "docs:read"}, CreatorRoles: []string{"writer"}}, "[docs:read]"},
		{&policy.KeyGrant{Scopes: []string{"docs:write", "rbac:read"}, CreatorClaimed: []string{"lead"}}, "[]"},
		{&policy.KeyGrant{Scopes: []string{"docs:write", "*", "*:read", "users:read"}, ByHost: true}, "[]"},
	} {
		err := h.db.Read(t.Context(), func(tx *store.Tx) error {
			got, err := h.rbac.Lacks(tx, "main", tt.g)
			if fmt.Sprint(got) != tt.want {
				t.Errorf("%+v: %v", tt.g.Scopes, got)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// stand is the standing that the gateway works out for a token, whether it lets
// the caller through or not.
func (h *house) stand(token string) *policy.Standing {
	h.t.Helper()
	h.poll()
	x := &gateway.Exchange{}
	if v := h.gate.Ask(h.t.Context(), h.snap, x, gatewaytest.Arrival(token, "GET /rbac/roles", "")); x.Known == nil {
		h.t.Fatalf("nothing is known of the caller: %v", v.Fault)
	}
	return &x.Stand
}
