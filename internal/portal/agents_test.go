package portal_test

import (
	"html"
	"strings"
	"testing"
)

func TestAgentsAreMadeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := h.as("root@example.com", "admin")
	admin.see("/agents").says("Nothing here yet", "New")
	p := admin.post("/agents/-new", "name", "Upper", "description", hostileMarkup, "settings", "{\n\"a\": 1,\n}").is(422)
	p.says("Is no JSON from line 3").inert(hostileMarkup).holds(`value="Upper"`)
	p = p.post("/agents/-new", "name", "Upper", "settings", "{}").is(422).says("Must be lower-case letters")
	p.post("/agents/-new", "name", "new", "description", hostileMarkup, "public", "yes", "settings", `{"big": 12345678901234567890, "x": "</pre><script>"}`).
		follow().says("Created.", "new", "12345678901234567890", "root@example.com", "owner", "everybody").inert(hostileMarkup).hides("<script>\"")
	admin.post("/agents/-new", "name", "new", "settings", "").is(422).says("Is taken")

	edit := admin.see("/agents/new/edit").says("Change new").holds(`name="public" value="yes" checked`)
	if !strings.Contains(html.UnescapeString(edit.body), `"big": 12345678901234567890`) {
		t.Error("the settings are not in the form")
	}
	edit = edit.post("/agents/new/edit", "description", hostileRTL, "settings", `[1,`).is(422).hides("checked").inert(hostileRTL)
	edit.post("/agents/new/edit", "description", hostileRTL, "settings", `[1, 2]`).follow().says("Saved.", "its people", hostileRTL)
	admin.see("/agents?search=GNP").says(hostileRTL)
	admin.see("/agents?role=viewer").says("Nothing fits")

	gone := admin.post("/agents/new/delete", "confirm", "something else").is(422).says("Must be its name")
	gone.post("/agents/new/delete", "confirm", "new").follow().says("Deleted", "Nothing here yet")
	admin.get("/agents/new").is(403)
}

func TestWhoHasARoleOnAnAgent(t *testing.T) {
	t.Parallel()
	h := open(t)
	root, bob := h.as("root@example.com", "admin"), h.as("bob@example.com", "member")
	root.api("POST", "/api/agents", map[string]any{"name": "shared", "settings": map[string]any{"tone": "dry"}}, nil)
	root.api("POST", "/api/agents", map[string]any{"name": "open", "public": true}, nil)
	bob.see("/agents").says("open").hides(`href="/agents/open"`, "shared")
	bob.get("/agents/shared").is(403).hides("dry")
	bob.get("/agents/open").is(403)

	give := root.post("/agents/shared/admins", "email", "", "role", "viewer").is(422)
	give.says("Is required, or a serviceToken instead")
	give = give.post("/agents/shared/admins", "email", "bob@example.com", "role", "king").is(422).says("Must be owner, admin or viewer")
	give.post("/agents/shared/admins", "email", "bob@example.com", "role", "viewer").follow().says("The role is given", "bob@example.com e-mail viewer")
	root.post("/agents/shared/admins", "email", "BOB@example.com", "role", "admin").is(422).says("Has a role on it already")
	root.post("/agents/shared/admins", "serviceToken", "3b1f.access", "role", "admin").follow().says("3b1f.access service token admin")

	bob.see("/agents/shared").says("viewer", "dry", "Admins and owners see who has a role on it").hides("root@example.com", "/edit", "/delete")
	for _, path := range []string{"/agents/shared/edit", "/agents/shared/delete", "/agents/shared/admins"} {
		bob.get(path).is(403).says("Your role on it is viewer")
	}

	var list struct {
		Data []struct{ ID, Email, Role string }
	}
	root.api("GET", "/api/agents/shared/admins", nil, &list)
	for _, m := range list.Data {
		at := "/agents/shared/admins/" + m.ID
		switch m.Email {
		case "bob@example.com":
			root.post(at, "role", "admin").follow().says("bob@example.com e-mail admin")
			bob.see("/agents/shared").says("Owners alone give and take roles; yours is admin", "root@example.com").holds("/agents/shared/edit").hides(at)
			bob.get(at).is(403)
			root.see(at).post(at + "/remove").follow().says("The role is taken").hides("bob@example.com")
			root.get(at).is(404)
		case "root@example.com": // somebody has to own it
			root.post(at, "role", "viewer").is(422).says("The last owner cannot be removed")
			root.see(at).post(at + "/remove").is(422).says("The last owner cannot be removed")
		}
	}
	bob.get("/agents/shared").is(403)
}

func TestOtherCollections(t *testing.T) {
	t.Parallel()
	h := open(t, `agents: {collections: [projects]}`)
	admin := h.as("root@example.com", "admin")
	admin.see("/agents").holds(`href="/agents?of=projects"`, `aria-current="page"`)
	p := admin.post("/agents/-new?of=projects", "name", "bridge", "settings", "{}").follow().says("Projects", "bridge")
	p.holds(`href="/agents/bridge/edit?of=projects"`)
	admin.see("/agents?of=projects&search=brid").says("bridge").holds(`href="/agents/bridge?of=projects"`)
	admin.see("/agents").says("Nothing here yet")
	admin.get("/agents/bridge").is(403) // as of one that is not theirs
	for _, of := range []string{"nothing", "%2e%2e", "projects/bridge", "agents%2Fx", ""} {
		if p := admin.get("/agents?of=" + of); p.status != 404 && of != "" {
			t.Errorf("%q: %d", of, p.status)
		}
	}
	open(t, "agents: false").admin().get("/agents").is(404).says("turned off")
}

func TestManyAgentsStandOnPages(t *testing.T) {
	t.Parallel()
	admin := open(t).as("root@example.com", "admin")
	for i := range 23 {
		admin.api("POST", "/api/agents", map[string]any{"name": "a" + string(rune('a'+i)), "description": hostileLong()}, nil)
	}
	admin.see("/agents?search=a&role=owner").says("1–20 of 23", "Next").holds("offset=20", "role=owner", "search=a").hides("scope=\"row\"><a href=\"/agents/aw\"")
	admin.see("/agents?search=a&role=owner&offset=20").says("21–23 of 23", "Previous", "aw")
	admin.get("/agents?role=boss").is(400)
}
