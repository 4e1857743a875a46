package portal_test

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/tenant"
)

// refusing is a house whose file has routes that refuse.
func refusing(t testing.TB) *house {
	t.Helper()
	return open(t, `
rbac:
  roles:
    - {name: clerk, permissions: ["orders:read"]}
routes:
  - {path: /orders, method: GET, description: List orders, requiredPermissions: ["orders:read"]}
  - {path: /tenants/:tenant, method: GET, tenant: "{{params.tenant}}"}
  - {path: /both, method: GET, requiredRoles: [clerk], when: 'auth.sub == "nobody"'}
`)
}

// refused is the id of the decision that refused a request.
func (r *reader) refused(path string, fields ...string) string {
	r.h.t.Helper()
	p := r.send("GET", path, nil, fields...)
	id := p.header.Get("X-Portreeve-Decision")
	if p.status < 400 || id == "" {
		r.h.t.Fatalf("%s: %d, decision %q", path, p.status, id)
	}
	return id
}

func TestARefusalIsToldStepByStep(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	id := h.as("ann", "viewer").refused("/orders")
	admin := h.admin()
	admin.see("/refusals").says("GET /orders", "A permission was missing", "missing_permission", "ann", "403").holds(`href="/refusals/` + id + `"`)
	p := admin.see("/refusals/"+id).says("What would have been enough", "A role that holds orders:read: clerk or admin", "Permissions did not hold", "the caller has role viewer; missing: orders:read", id)
	p.holds(`href="/roles/clerk"`, `href="/why?site=default&amp;route=GET`, `<li class="failed">`).hides(`href="/configuration">The configuration in service`)
	if n := strings.Count(p.body, `<li class="failed">`); n != 1 {
		t.Errorf("%d steps are marked", n)
	}

	both := h.as("ann", "viewer").refused("/both")
	if p := admin.see("/refusals/" + both); strings.Count(p.body, `<li class="failed">`) != 2 {
		t.Errorf("two checks did not hold:\n%s", p.words())
	}
	nobody := h.nobody().refused("/orders")
	admin.see("/refusals/"+nobody).says("Nobody was signed in", "nobody: not signed in", "A valid credential of")
	admin.see("/refusals/"+h.nobody().refused("/nowhere")).says("There is no such path", "none matched")
}

func TestWhatAPageAskedIsWhatRefused(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	viewer := h.as("ann", "viewer")
	p := viewer.get("/keys").is(403)
	id := p.header.Get("X-Portreeve-Decision")
	p.holds(id, "Send the decision id to an administrator").hides(`href="/refusals/` + id)
	h.admin().see("/refusals/"+id).says("The page itself was let in", "Then the page asked for what it shows, GET /tenant/api-keys", "it asked GET /tenant/api-keys , which refused", "A role that holds apikeys:read").
		holds(`href="/roles/member"`)
}

func TestADecisionIsFoundByItsID(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	id := h.as("ann").refused("/orders")
	admin := h.admin()
	if p := admin.get("/refusals?id=+" + id); p.status != 303 || p.header.Get("Location") != "/refusals/"+id {
		t.Errorf("%d %s", p.status, p.header.Get("Location"))
	}
	for _, bad := range []string{"abc", hostileMarkup, strings.Repeat("g", 32), "//evil.example", strings.ToUpper(id)} {
		admin.see("/refusals?id=" + url.QueryEscape(bad)).says("This is no decision id").inert(bad).holds(`aria-invalid="true"`)
	}
	admin.see("/refusals?id=" + strings.Repeat("0", 32)).says("No refusal with this id is kept").holds(`aria-invalid="true"`)
	admin.get("/refusals/" + strings.Repeat("0", 32)).is(404).says("There is nothing here")
	admin.get("/refusals/abc").is(404)
	admin.get("/refusals/" + url.PathEscape(hostileMarkup)).is(404).inert("")
}

func TestRefusalsAreNarrowed(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	h.as("ann").refused("/orders")
	h.as("bob").refused("/tenants/elsewhere")
	admin := h.admin()
	admin.see("/refusals?reason=missing_permission").says("GET /orders").hides("/tenants/elsewhere<")
	admin.see("/refusals?route=elsewhere").says("GET /tenants/elsewhere").hides(">GET /orders<")
	admin.see("/refusals?who=BOB").says("GET /tenants/elsewhere").hides(">GET /orders<")
	admin.see("/refusals?reason=nothing_of_the_kind").says("No refusal matches").holds(`<option value="nothing_of_the_kind" selected>`)
	admin.see("/refusals?reason=" + url.QueryEscape(hostileMarkup)).inert(hostileMarkup)
	for range 25 {
		h.nobody().refused("/nowhere")
	}
	// One address is remembered 20 times, so that the whole list is one part: those before it are gone.
	if p := admin.see("/refusals"); strings.Count(p.body, `scope="row">`) > 20 {
		t.Error("more than a part of the list")
	}
}

func TestRefusalsOfAnotherTenantAreNotSeen(t *testing.T) {
	t.Parallel()
	h := open(t, `tenants: {autoCreate: true}
rbac: {roles: [{name: landlord, permissions: ["*:*", "platform:*"]}]}
routes: [{path: /orders, method: GET, requiredPermissions: ["orders:read"]}]
`)
	id := h.in("blue", "ann", "viewer").refused("/orders")
	red := h.in("red", "rita", "admin")
	red.get("/refusals/"+id).is(404).hides("ann", "orders:read")
	red.see("/refusals").says("Nothing was refused lately").hides(id)
	h.in("blue", "berta", "admin").see("/refusals/"+id).says("ann", "orders:read")

	// Who holds platform:* sees all: not by a token's word, but by a role that the host gave.
	claims := h.in("red", "rob@example.com", "landlord")
	claims.get("/refusals/" + id).is(404)
	h.landlord("red", "lara@example.com")
	lara := h.in("red", "lara@example.com")
	lara.see("/refusals").says("You see those of all tenants", "ann", "blue").holds(id)
	lara.see("/refusals/"+id).says("Tenant blue", "orders:read").hides(`href="/why?user=`)
}

// landlord gives a user of a tenant the role of that name, as the host does.
func (h *house) landlord(of, email string) {
	h.t.Helper()
	host, err := app.OpenHost(h.t.Context(), h.source(), app.HostOptions{Who: "test", Log: io.Discard})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := host.Tenants.AddUser(h.t.Context(), host.By(), of, tenant.NewUser{Email: email, Roles: []string{"landlord"}}); err != nil {
		h.t.Error(err)
	}
	if err := host.Close(); err != nil {
		h.t.Error(err)
	}
}

func TestWhoMayReadRefusals(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	id := h.as("ann").refused("/orders")
	for _, role := range []string{"member", "viewer"} {
		r := h.as("someone", role)
		r.get("/refusals").locked("audit:read")
		r.get("/refusals/" + id).locked("audit:read").hides("orders:read")
		r.get("/why").locked("rbac:read")
		r.get("/why?user=x").locked("rbac:read")
	}
}

func TestHostileRequestsAreTextOnThePage(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	id := h.as(hostileMarkup).refused("/tenants/"+url.PathEscape(hostileMarkup)+"?q="+url.QueryEscape(hostileMarkup), "User-Agent", hostileMarkup, "Referer", hostileMarkup)
	admin := h.admin()
	admin.see("/refusals").inert("<img src=x onerror")
	admin.see("/refusals/" + id).inert("<img src=x onerror")
	rtl := h.as(hostileRTL).refused("/tenants/x")
	admin.see("/refusals/" + rtl).says("GET /tenants/x")
}

func TestWhatSomebodyCanDoAndWhy(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	admin := h.admin()
	ann := admin.id("/tenant/users", map[string]any{"email": "ann@example.com", "roles": []string{"clerk"}})
	bob := admin.id("/tenant/users", map[string]any{"email": "bob@example.com", "name": hostileMarkup, "roles": []string{"viewer"}})

	admin.see("/why").says("ann@example.com", "clerk", "bob@example.com", "GET /orders", "List orders").holds(`href="/why?user=` + ann + `"`).inert("")
	admin.see("/why?search=orders").says("GET /orders", "Nobody matches").hides(`href="/why?user=`)
	admin.see("/why?search=" + url.QueryEscape(hostileMarkup)).inert(hostileMarkup)
	admin.see("/why?user="+ann).says("What ann@example.com can do", "orders:read", "role clerk", "GET /orders List orders, default yes").holds(`href="/roles/clerk"`)
	admin.see("/why?user=" + bob + "&search=%2Forders").says("missing: orders:read").inert("").inert(hostileMarkup).hides(`<span class="badge ok">`)
	admin.see("/why?user="+ann+"&answer=depends&search=tenants").says("GET /tenants/:tenant", "The request has to be about tenant main")
	admin.api("PATCH", "/tenant/users/"+bob, map[string]any{"disabled": true}, nil)
	admin.see("/why?user="+bob).says("Refused whatever it asks", "the user is disabled")

	id := h.as("ann@example.com", "viewer").refused("/tenants/elsewhere")
	admin.see("/refusals/" + id).holds(`href="/why?user=` + ann + `"`)

	admin.get("/why?user=nobody").is(404)
	admin.get("/why?key=nobody").is(404)
	admin.get("/why?user=" + url.QueryEscape(hostileMarkup)).is(404).inert("")
	admin.get("/why?user=x&key=y").is(400)
}

func TestWhatAKeyCanDo(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	admin := h.admin()
	var made struct{ ID, Key string }
	admin.api("POST", "/tenant/api-keys", map[string]any{"name": hostileMarkup, "scopes": []string{"orders:read"}}, &made)
	admin.see("/why?key="+made.ID+"&search=%2Forders").says("orders:read", "scope orders:read", "yes").inert(hostileMarkup).hides(made.Key)
	robot := h.nobody()
	robot.fields.Set("Authorization", "Bearer "+made.Key)
	id := robot.refused("/tenant/users")
	admin.see("/refusals/" + id).holds(`href="/why?key=` + made.ID + `"`).hides(made.Key)
}

func TestWhoCanUseARoute(t *testing.T) {
	t.Parallel()
	h := refusing(t)
	admin := h.admin()
	admin.api("POST", "/tenant/users", map[string]any{"email": "ann@example.com", "roles": []string{"clerk"}}, nil)
	admin.api("POST", "/tenant/users", map[string]any{"email": "bob@example.com", "roles": []string{"viewer"}}, nil)
	admin.api("POST", "/tenant/api-keys", map[string]any{"name": "shop", "scopes": []string{"docs:read"}}, nil)
	at := "/why?" + url.Values{"site": {"default"}, "route": {"GET /orders"}}.Encode()
	admin.see(at).says("Who can use GET /orders", "List orders, on site default", "Permission orders:read", "Roles that do clerk , admin",
		"ann@example.com person yes", "bob@example.com person", "shop API key", "missing: orders:read").holds(`href="/roles/clerk"`)
	admin.see("/why?"+url.Values{"site": {"default"}, "route": {"GET /tenants/:tenant"}}.Encode()).says("depends", "The request has to be about tenant main")
	for _, gone := range []string{"GET /nowhere", hostileMarkup, "GET /keys"} {
		admin.get("/why?" + url.Values{"site": {"default"}, "route": {gone}}.Encode()).is(404).inert("")
	}
	admin.get("/why?" + url.Values{"site": {"elsewhere"}, "route": {"GET /orders"}}.Encode()).is(404)
}
