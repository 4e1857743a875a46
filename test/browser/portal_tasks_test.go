package browser

import (
	"fmt"
	"strings"
	"testing"
)

// byMouse and byKeyboard do everything that the portal's pages are for, each in its
// own way.
func (d *desk) byMouse(t *testing.T) {
	d.everything(t, mouse{d.signIn(t, "kim", "/keys")}, "m")
}

func (d *desk) byKeyboard(t *testing.T) {
	b := d.byLink(t)
	d.everything(t, keys{b}, "k")
	d.telephone(t, keys{b})
}

// everything does the tasks, with names that end in the hand's own letter.
func (d *desk) everything(t *testing.T, h hand, of string) {
	d.keyTasks(t, h, of)
	d.tokenTasks(t, h, of)
	d.userTasks(t, h, of)
	d.roleTasks(t, h, of)
	d.configTasks(t, h, of)
	d.agentTasks(t, h, of)
	d.whyTasks(t, h)
	d.readTasks(t, h)
}

// open opens a page and waits for its heading.
func (d *desk) open(h hand, path, heading string) *tab {
	h.at().t.Helper()
	return h.at().goTo(d.origin + path).shows(heading)
}

// lists waits for rows of a list whose first is that.
func (b *tab) lists(n int, first string) *tab {
	b.t.Helper()
	return b.until(fmt.Sprintf(`document.querySelectorAll("main tbody tr").length === %d && document.querySelector("main tbody tr").innerText.includes(%q)`, n, first))
}

const submit = `main form.form .acts button.button`

func (d *desk) keyTasks(t *testing.T, h hand, of string) {
	name := "program-" + of
	b := d.open(h, "/keys", "API keys")
	h.press(`.head a[href="/keys/new"]`)
	b.shows("Make an API key")
	h.write("#name", name)
	h.press(submit) // no scope yet
	b.until(`document.querySelector("#scopes-issue") && document.activeElement.id === "problems"`)
	h.tick(`input[name=scopes][value="machines:read"]`)
	h.write("#moreScopes", "docs:read")
	h.write("#allowedIPs", "127.0.0.0/8\n::1")
	h.press(submit)
	b.shows("Your new API key")
	secret := eval[string](b, `document.querySelector(".secret code").textContent`)
	if a := d.Ask(t, "GET", "/.portreeve/whoami", "", "X-Api-Key: "+secret); a.Status != 200 || !strings.Contains(a.Body, "docs:read") {
		t.Errorf("the key %.9s… that was shown: %d %s", secret, a.Status, a.Body)
	}
	h.press(`a.button[href^="/keys/"]`)
	b.shows(name)
	if strings.Contains(eval[string](b, `document.documentElement.outerHTML`), secret) {
		t.Error("a key is shown twice")
	}
	h.press(`a[href$="/edit"]`)
	b.shows("Change " + name)
	h.write("#name", name+"!")
	h.press(submit)
	b.says("Saved").shows(name + "!")
	h.press(`.panel button`)
	b.says("Disabled")
	if a := d.Ask(t, "GET", "/.portreeve/whoami", "", "X-Api-Key: "+secret); a.Status != 401 {
		t.Errorf("a key that is disabled: %d", a.Status)
	}
	h.press(`.panel button`)
	b.says("Enabled")
	h.press(`a[href$="/rotate"]`)
	b.shows("Rotate " + name + "!")
	h.pick("#grace", "not at all: it ends now")
	h.press(submit)
	b.shows("The new secret of " + name + "!")
	h.press(`a.button[href^="/keys/"]`)
	b.shows(name + "!")
	h.press(`a[href$="/revoke"]`)
	b.shows("Revoke " + name + "!?")
	h.press(submit)
	b.says("Revoked").shows("API keys")
	h.write("#search", name)
	h.pick("#state", "revoked")
	h.press(`.filter button`)
	b.lists(1, name+"!")
	d.open(h, "/keys", "API keys")
	h.press(`.pager a[rel=next]`)
	b.until(`document.querySelector(".pager a[rel=prev]")`)
}

func (d *desk) tokenTasks(_ *testing.T, h hand, of string) {
	name := "engine-of-" + of
	b := d.open(h, "/machine-tokens", "Machine tokens")
	h.press(`.head a[href="/machine-tokens/new"]`)
	b.shows("Make a machine token")
	h.write("#name", name)
	h.press(submit)
	b.shows("Your new machine token")
	h.press(`main p > a.button`)
	b.shows(name)
	h.press(`a[href$="/rotate"]`)
	b.shows("Rotate " + name)
	h.pick("#grace", "for one more day")
	h.press(submit)
	b.shows("The new secret of " + name)
	h.press(`main p > a.button`)
	b.shows(name)
	h.press(`a[href$="/revoke"]`)
	b.shows("Revoke " + name + "?")
	h.press(submit)
	b.says("Revoked")
	h.write("#search", name)
	h.pick("#state", "revoked")
	h.press(`.filter button`)
	b.lists(1, name)
}

func (d *desk) userTasks(_ *testing.T, h hand, of string) {
	mail := "new-" + of + "@example.com"
	b := d.open(h, "/users", "Users")
	h.press(`.head a[href="/users/new"]`)
	b.shows("Add a user")
	h.write("#email", mail)
	h.tick(`input[name=roles][value=viewer]`)
	h.press(submit)
	b.says("Added").shows(mail)
	h.press(`a[href$="/edit"]`)
	b.shows("Change " + mail)
	h.write("#name", "Somebody New")
	h.press(submit)
	b.says("Saved")
	h.pick("#role", "member")
	h.press(`form.row button`)
	b.says("The role is given")
	h.press(`tr:has(a[href="/roles/viewer"]) button`)
	b.says("The role is taken away")
	h.press(`.panel button`)
	b.says("Disabled")
	h.press(`.panel button`)
	b.says("Enabled")
	d.open(h, "/users", "Users")
	h.write("#search", mail)
	h.pick("#role", "member")
	h.pick("#state", "active")
	h.press(`.filter button`)
	b.lists(1, mail)
	h.press(`tbody a`)
	b.shows(mail)
	h.press(`a[href$="/remove"]`)
	b.shows("Remove " + mail + "?")
	h.press(submit)
	b.says("Removed").shows("Users")
}

func (d *desk) roleTasks(_ *testing.T, h hand, of string) {
	name := "auditors-" + of
	b := d.open(h, "/roles", "Roles")
	h.press(`.head a[href="/new-role"]`)
	b.shows("Make a role")
	h.write("#name", name)
	h.write("#description", "Who look at things")
	h.pick("#parentRole", "viewer")
	h.tick(`input[name=permissions][value="audit:read"]`)
	h.press(submit)
	b.says("Created").shows(name)
	h.press(`a[href$="/edit"]`)
	b.shows("Change " + name)
	h.tick(`input[name=permissions][value="users:read"]`)
	h.press(submit)
	b.says("Saved").until(`document.querySelector("main").innerText.includes("users:read")`)
	h.press(`a[href$="/remove"]`)
	b.shows("Remove " + name + "?")
	h.press(submit)
	b.says("Removed").shows("Roles")
	h.press(`.lead a[href="/permissions"]`)
	b.shows("Permissions")
}

func (d *desk) agentTasks(_ *testing.T, h hand, of string) {
	name := "helper-of-" + of
	b := d.open(h, "/agents", "Agents")
	h.press(`.head a[href="/agents/-new"]`)
	b.shows("New in agents")
	h.write("#name", name)
	h.write("#description", "Answers the telephone")
	h.tick("#public")
	h.write("#settings", `{"rings": 3}`)
	h.press(submit)
	b.says("Created").shows(name)
	h.press(`a[href$="/edit"]`)
	b.shows("Change " + name)
	h.write("#description", "Answers the door")
	h.press(submit)
	b.says("Saved")
	h.press(`a[href$="/admins"]`)
	b.shows("Give somebody a role on " + name)
	h.write("#email", "mel@example.com")
	h.press(submit)
	b.says("The role is given")
	h.press(`tr:has(th:first-child) a[href*="/admins/"]:not([href$="/admins"])`)
	b.until(`document.querySelector("input[name=role]")`)
	d.open(h, "/agents/"+name, name)
	other := eval[string](b, `[...document.querySelectorAll("tbody tr")].find((r) => r.innerText.includes("mel@")).querySelector("a").getAttribute("href")`)
	h.press(fmt.Sprintf(`a[href=%q]`, other))
	b.shows("mel@example.com")
	h.press(`.button.stop`)
	b.says("The role is taken away").shows(name)
	h.press(`a[href$="/delete"]`)
	b.shows("Delete " + name)
	h.write("#confirm", name)
	h.press(submit)
	b.says("Deleted").shows("Agents")
	h.write("#search", "queue 07")
	h.pick("#role", "owner")
	h.press(`.filter button`)
	b.until(`location.search.includes("role=owner") && document.querySelector(".empty, tbody tr")`)
	h.press(`.tabs a[href="/agents?of=teams"]`)
	b.shows("Teams")
}
