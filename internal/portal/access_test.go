package portal_test

import (
	"regexp"
	"strings"
	"testing"
)

func TestAKeysLifeOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	olga := h.signedIn()
	p := olga.post("/keys/new", "name", hostileMarkup, "scopes", "apikeys:read", "moreScopes", "docs:read\ndocs:write", "allowedIPs", "", "expires", "").is(200)
	key := shownKey.FindString(p.body)
	at := regexp.MustCompile(`href="(/keys/key_[0-9a-f]+)"`).FindStringSubmatch(p.inert(hostileMarkup).body)
	if key == "" || at == nil {
		t.Fatalf("no key is shown: %s", p.words())
	}
	robot := h.nobody()
	robot.fields.Set("Authorization", "Bearer "+key)
	robot.api("GET", "/tenant/api-keys", nil, nil)

	olga.see(at[1]).says("active", "docs:read", "olga@example.com", "anywhere", "Expires never").inert(hostileMarkup).hides(key)
	edit := olga.see(at[1] + "/edit").holds(`value="apikeys:read" checked`).inert(hostileMarkup)
	edit.post(at[1]+"/edit", "name", "renamed", "scopes", "apikeys:read", "moreScopes", "docs:read", "allowedIPs", "192.0.2.1", "expires", "2099-12-31").follow().
		says("Saved.", "renamed", "192.0.2.1", "31 Dec 2099").hides("docs:write")
	if p := robot.get("/tenant/api-keys"); p.status != 403 {
		t.Errorf("from another address: %d", p.status)
	}
	olga.post(at[1]+"/edit", "name", "renamed", "scopes", "apikeys:read", "moreScopes", "docs", "allowedIPs", "nowhere", "expires", "2099-12-31").is(422).
		says(`"docs" must be`, `"nowhere" must be an address`)
	olga.post(at[1]+"/edit", "name", "renamed", "scopes", "apikeys:read", "moreScopes", "docs:read", "expires", "2099-12-31").follow().says("anywhere")

	olga.post(at[1], "do", "disable").follow().says("disabled", "Disabled.")
	if p := robot.get("/tenant/api-keys"); p.status != 401 {
		t.Errorf("disabled: %d", p.status)
	}
	olga.post(at[1], "do", "enable").follow().says("active")
	robot.api("GET", "/tenant/api-keys", nil, nil)

	second := shownKey.FindString(olga.post(at[1]+"/rotate", "grace", "0").is(200).says("shown this once", "The one before ends").body)
	if p := robot.get("/tenant/api-keys"); second == "" || second == key || p.status != 401 {
		t.Errorf("after a rotation without grace the old secret is answered with %d", p.status)
	}
	olga.post(at[1]+"/rotate", "grace", "ages").is(422)
	robot.fields.Set("Authorization", "Bearer "+second)
	robot.api("GET", "/tenant/api-keys", nil, nil)

	olga.see(at[1] + "/revoke").says("cannot be undone")
	olga.post(at[1]+"/revoke").follow().says("Revoked.", "No API keys yet")
	if p := robot.get("/tenant/api-keys"); p.status != 401 {
		t.Errorf("revoked: %d", p.status)
	}
	olga.get(at[1]).is(404)
	olga.see("/keys?state=revoked").says("renamed", "revoked").hides(at[1])
}

func TestTheListOfKeysIsNarrowed(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := h.admin()
	off := admin.id("/tenant/api-keys", map[string]any{"name": "crawler", "scopes": []string{"docs:read"}})
	admin.api("PATCH", "/tenant/api-keys/"+off, map[string]any{"disabled": true}, nil)
	admin.id("/tenant/api-keys", map[string]any{"name": hostileLong(), "scopes": []string{"docs:read"}})
	admin.id("/tenant/machine-tokens", map[string]any{"name": "an engine"})
	for range 20 {
		admin.id("/tenant/api-keys", map[string]any{"name": hostileRTL, "scopes": []string{"docs:read"}})
	}
	admin.see("/keys").says("1–20 of 22").inert(hostileRTL).hides("an engine")
	admin.see("/keys?offset=20").says("21–22 of 22", "crawler")
	admin.see("/keys?search=CRAWL").says("crawler", "1–1 of 1").hides(hostileRTL)
	admin.see("/keys?state=disabled").says("crawler").hides(hostileRTL)
	admin.see("/keys?search=%25").says("No key matches")
	admin.see("/keys?search=WideWide&state=active").inert(hostileLong())
	admin.get("/keys?state=lost").is(400)
	admin.see(`/keys?search=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E`).inert("")
}

// Ids of another tenant, and none, are nothing here; whoever may not is told why.
func TestForeignAndLockedAccessPages(t *testing.T) {
	t.Parallel()
	h := open(t, "tenants: {autoCreate: true}")
	other := h.in("other", "boss", "admin")
	key := other.id("/tenant/api-keys", map[string]any{"name": "theirs", "scopes": []string{"docs:read"}})
	token := other.id("/tenant/machine-tokens", map[string]any{"name": "theirs"})
	user := other.id("/tenant/users", map[string]any{"email": "x@example.com"})
	other.api("POST", "/rbac/roles", map[string]any{"name": "theirs", "permissions": []string{"docs:read"}}, nil)
	admin, viewer := h.admin(), h.as("v", "viewer")
	for _, path := range []string{"/keys/" + key, "/machine-tokens/" + token, "/users/" + user, "/roles/theirs", "/keys/none", "/users/%20", "/roles/%3Cimg%3E", "/machine-tokens/" + key} {
		admin.get(path).is(404).says("There is nothing here").hides(">theirs")
		viewer.get(path).is(403)
		for _, more := range []string{"/edit", "/rotate", "/revoke", "/remove"} {
			if p := admin.get(path + more); p.status != 404 {
				t.Errorf("%s%s: %d", path, more, p.status)
			}
		}
	}
	// A form that is made up gets no further than the API does.
	form := func(fields ...string) *page { return admin.see("/keys/new") }
	for _, to := range []string{"/keys/" + key + "/revoke", "/users/" + user + "/remove", "/roles/theirs/remove", "/machine-tokens/" + token + "/revoke", "/keys/" + key + "/rotate"} {
		v := form().filled("/keys/new", "grace", "0")
		admin.sendForm(to, v).is(404)
		v = form().filled("/keys/new")
		if p := h.as("m", "viewer").sendForm(to, v); p.status != 403 {
			t.Errorf("a viewer's %s: %d", to, p.status)
		}
	}
	other.api("GET", "/tenant/api-keys/"+key, nil, nil)
	other.api("GET", "/tenant/users/"+user, nil, nil)
	other.api("GET", "/rbac/roles/theirs", nil, nil)
	viewer.get("/users").locked("users:read")
	viewer.get("/roles").locked("rbac:read")
	viewer.get("/permissions").locked("rbac:read")
	viewer.see("/users/new").says("users:write").hides(`class="form"`)
	viewer.see("/new-role").says("rbac:write").hides(`class="form"`)
}

func TestAUsersLifeOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	olga := h.signedIn()
	at := strings.TrimSuffix(olga.post("/users/new", "email", "ann@example.com", "name", hostileMarkup, "roles", "viewer").header.Get("Location"), "?done=user-added")
	if !strings.HasPrefix(at, "/users/usr_") {
		t.Fatalf("led to %q", at)
	}
	olga.see("/users?search=ANN").says("ann@example.com", "viewer", "nobody yet").inert(hostileMarkup).hides("olga@example.com</bdi>")
	olga.see("/users?role=admin").says("olga@example.com").hides("ann@example.com")
	olga.see(at).says("ann@example.com", "viewer").inert(hostileMarkup)
	olga.post("/users/new", "email", "Ann@example.com").is(422).says("e-mail")
	olga.post("/users/new", "email", "nonsense").is(422).says("Must be an e-mail address")
	olga.post("/users/new").is(422).says("Is required")

	take := func(role string) *page { // the form of a row
		p := olga.see(at)
		return olga.sendForm(at, p.filled(at, "do", "take", "role", role))
	}
	olga.post(at, "do", "assign", "role", "member").follow().says("The role is given.", "member", "viewer")
	take("viewer").follow().says("taken away", "member")
	if got := olga.values("/tenant" + at); !strings.Contains(got, "roles:[member]") {
		t.Errorf("roles on file: %s", got)
	}
	olga.post(at, "do", "assign", "role", "none-such").is(404)
	olga.post(at, "do", "dance").is(400)

	olga.post(at+"/edit", "email", "anna@example.com", "name", "Anna").follow().says("Saved.", "anna@example.com", "Anna")
	olga.post(at, "do", "disable").follow().says("disabled")
	olga.post(at, "do", "enable").follow().says("active")
	olga.see(at + "/remove").says("cannot be undone")
	olga.post(at + "/remove").follow().says("Removed.").hides("anna@example.com")
	olga.get(at).is(404)
}

// What somebody does not hold they cannot give, and the page says what is missing
// beside what they chose.
func TestNobodyGivesOnAPageWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	h := open(t, `rbac: {roles: [{name: clerk, permissions: ["users:*", "rbac:*", "apikeys:*", "docs:read"]}]}`)
	admin, clerk := h.admin(), h.as("clark", "clerk")
	id := admin.id("/tenant/users", map[string]any{"email": "ben@example.com"})
	at := "/users/" + id
	p := clerk.post(at, "do", "assign", "role", "admin").is(422).says("You do not hold")
	if !regexp.MustCompile(`id="role-issue">You do not hold`).MatchString(p.body) {
		t.Error("the reason does not stand beside the role")
	}
	clerk.post("/users/new", "email", "eve@example.com", "roles", "admin").is(422).holds(`id="roles-issue">You do not hold`)
	clerk.post("/new-role", "name", "super", "morePermissions", "escrow:reveal\nusers:read").is(422).says("You do not hold escrow:reveal").inert("")
	clerk.post("/new-role", "name", "heir", "parentRole", "admin").is(422).says("You do not hold")
	clerk.post("/keys/new", "name", "k", "moreScopes", "escrow:reveal").is(422).says("escrow:reveal")
	clerk.see("/keys/new").holds(`value="docs:read"`, `value="users:write"`).hides(`value="escrow:reveal"`, `value="platform:read"`, `value="*"`)
	if got := admin.values("/rbac/roles") + admin.values("/tenant/users?search=e@") + admin.values("/tenant/api-keys"); strings.Contains(got, "super") || strings.Contains(got, "heir") || strings.Contains(got, "eve@") || strings.Contains(got, "escrow:reveal]") {
		t.Error("something was given: " + got)
	}
	clerk.post(at, "do", "assign", "role", "clerk").follow().says("clerk")
}

func TestARolesLifeOnPages(t *testing.T) {
	t.Parallel()
	h := open(t, `rbac: {roles: [{name: support, description: "Looks <b>things</b> up", permissions: ["docs:read"], parentRole: viewer}]}`)
	olga := h.signedIn()
	olga.see("/roles").says("support", "in the file", "built in", "viewer", "Looks <b>things</b> up").hides("<b>things")
	olga.see("/roles/support").says("The configuration file defines this role", "machines:read", "docs:read").hides("/roles/support/edit", "/roles/support/remove")
	olga.see("/roles/admin").says("This role is built in", "*:*").hides("/roles/admin/edit")

	p := olga.post("/new-role", "name", "workshop", "description", hostileMarkup, "parentRole", "support", "permissions", "machines:write", "morePermissions", "parts:read").follow()
	p.says("Created.", "made here", "support , which inherits from viewer", "machines:write this role", "docs:read support", "machines:read viewer").inert(hostileMarkup)
	olga.post("/new-role", "name", "workshop", "morePermissions", "docs:read").is(422).says("A role of this name exists")
	olga.post("/new-role", "name", "a b", "morePermissions", "docs").is(422).says("Must be 1 to 64", `"docs" must be`)
	olga.see("/roles/workshop/edit").holds(`value="machines:write" checked`, `value="parts:read" checked`, "<option selected>support</option>").inert(hostileMarkup)
	olga.post("/roles/workshop/edit", "description", "", "parentRole", "", "morePermissions", "parts:read").follow().says("Saved.", "Inherits from none").hides("machines:write")
	olga.post("/roles/support/edit", "description", "mine now", "morePermissions", "a:b").is(422).says("The configuration defines this role")

	id := olga.id("/tenant/users", map[string]any{"email": "ben@example.com", "roles": []string{"workshop"}})
	olga.see("/roles/workshop").says("1 user")
	olga.see("/roles/workshop/remove").says("1 user has it")
	olga.post("/roles/workshop/remove").is(422).says("assigned to users")
	olga.api("DELETE", "/tenant/users/"+id, nil, nil)
	olga.post("/roles/workshop/remove").follow().says("Removed.").hides("workshop")
	olga.get("/roles/workshop").is(404)
	olga.see("/permissions").says("docs:read", "support", "admin")
}
