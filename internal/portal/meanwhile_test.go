package portal_test

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var wasInput = regexp.MustCompile(`name="was" value="([^"]*)"`)

// form is the page's form to an address as a browser would send it: with the state
// that the page was made from, and with what is typed into it.
func (p *page) form(action string, fields ...string) url.Values {
	p.r.h.t.Helper()
	v := p.filled(action, fields...)
	m := wasInput.FindStringSubmatch(p.body)
	if m == nil {
		p.r.h.t.Fatalf("the form on %s does not say what it was made from", p.path)
	}
	v.Set("was", html.UnescapeString(m[1]))
	return v
}

// Two people, or two tabs, open one form; the one saves, then the other.
func TestWhatWasChangedMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, ben := h.signedIn(), h.as("ben@example.com", "admin")
	ownID := ann.id("/tenant/users", map[string]any{"email": "ben@example.com", "roles": []string{"admin"}})
	id := ann.id("/tenant/users", map[string]any{"email": "vera@example.com", "name": "Vera"})
	key := ann.id("/tenant/api-keys", map[string]any{"name": "feed", "scopes": []string{"docs:read"}})
	ann.api("POST", "/rbac/roles", map[string]any{"name": "clerk", "permissions": []string{"docs:read"}}, nil)
	ann.api("POST", "/api/agents", map[string]any{"name": "bot", "description": "of old"}, nil)
	ann.api("POST", "/api/agents/bot/admins", map[string]any{"email": "ben@example.com", "role": "owner"}, nil)
	ann.api("POST", "/v1/configs", map[string]any{"name": "lab", "config": map[string]any{"a": 1, "b": 2}}, nil)
	var made struct{ Data struct{ ID string } }
	ann.api("POST", "/api/agents/bot/admins", map[string]any{"email": "carl@example.com", "role": "viewer"}, &made)
	carl := "/agents/bot/admins/" + made.Data.ID
	for _, c := range []struct {
		page      string
		ann, ben  []string
		now, says []string // what the API shows of Ann's, and what Ben reads
		then      []string // what it shows after he saves all the same
		api       string
	}{
		{"/roles/clerk/edit", []string{"description", "by Ann", "permissions", "docs:read"}, []string{"description", "by Ben", "permissions", "docs:read", "morePermissions", "docs:write"},
			[]string{"by Ann"}, []string{"Description by Ann by Ben", "Permissions docs:read docs:read, docs:write"}, []string{"by Ben", "docs:write"}, "/rbac/roles/clerk"},
		{"/users/" + id + "/edit", []string{"email", "vera@example.com", "name", "Vera A."}, []string{"email", "vera@example.com", "name", "Vera B."},
			[]string{"Vera A."}, []string{"Name Vera A. Vera B."}, []string{"Vera B."}, "/tenant/users/" + id},
		{"/keys/" + key + "/edit", []string{"name", "feed", "moreScopes", "docs:read", "allowedIPs", "10.0.0.1"}, []string{"name", "food", "moreScopes", "docs:read"},
			[]string{"feed", "10.0.0.1"}, []string{"Name feed food", "Addresses it may come from 10.0.0.1 nothing"}, []string{"food"}, "/tenant/api-keys/" + key},
		{"/configs/edit/lab", []string{"config", `{"a": 1, "b": 3}`}, []string{"config", "{\n  \"a\": 1,\n  \"b\": 4\n}"},
			[]string{"b:3"}, []string{`Configuration … "a": 1, "b": 3 } … "a": 1, "b": 4 }`}, []string{"b:4", "version:3"}, "/v1/configs/lab"},
		{"/agents/bot/edit", []string{"description", "by Ann", "settings", "{}"}, []string{"description", "by Ben", "settings", `{"n": 1}`, "public", "yes"},
			[]string{"by Ann"}, []string{"Description by Ann by Ben", "Everybody finds it in the list no yes"}, []string{"by Ben", "n:1"}, "/api/agents/bot"},
		{carl, []string{"role", "admin"}, []string{"role", "owner"}, []string{"admin"}, []string{"Role admin owner"}, []string{"owner"}, "/api" + carl},
	} {
		first, second, third := ann.see(c.page), ben.see(c.page), ben.see(c.page)
		before := second.form(c.page, c.ben...)
		ann.sendForm(c.page, first.form(c.page, c.ann...)).is(303)
		conflict := ben.sendForm(c.page, before).is(409)
		conflict.says("It was changed meanwhile, and nothing was saved.", "olga@example.com changed it").says(c.says...).holds("Save over it", "Leave it as it stands")
		got := ben.values(c.api)
		for _, s := range c.now {
			if !strings.Contains(got, s) {
				t.Errorf("%s: %s is overwritten: %s", c.page, s, got)
			}
		}
		// Sent twice it gets the same answer, and the page knows what stands now.
		if again := ben.sendForm(c.page, before); again.status != 409 || again.words() != conflict.words() {
			t.Errorf("%s: sent twice, %d %s", c.page, again.status, again.words())
		}
		ben.sendForm(c.page, conflict.form(c.page, c.ben...)).is(303)
		got = ben.values(c.api)
		for _, s := range c.then {
			if !strings.Contains(got, s) {
				t.Errorf("%s: saved over, it has no %s: %s", c.page, s, got)
			}
		}
		// A third window of his is as old.
		ben.sendForm(c.page, third.form(c.page, c.ann...)).is(409).says("You changed it yourself, in another tab or window")
	}
	// What he does with his second factors is no change of what the form is about.
	own := "/users/" + ownID + "/edit"
	old := ben.see(own).form(own, "email", "ben@example.com", "name", "Ben B.")
	ann.api("PATCH", "/tenant/users/"+ownID, map[string]any{"name": "Ben A."}, nil)
	ben.api("POST", "/mfa/setup", nil, nil)
	ben.sendForm(own, old).is(409).says("olga@example.com changed it", "Name Ben A. Ben B.")
	// Numbers are told apart as they are written.
	const long = "/configs/edit/lab"
	number := func(n string) map[string]any { return map[string]any{"config": map[string]any{"n": json.Number(n)}} }
	ann.api("POST", "/v1/configs/lab", number("9007199254740991"), nil)
	old = ben.see(long).form(long, "config", `{"n": 9007199254740993}`)
	ann.api("POST", "/v1/configs/lab", number("9007199254740992"), nil)
	ben.sendForm(long, old).is(409).says("9007199254740992", "9007199254740993")
	// Who mistypes the name of what is to be deleted still means the one that was there.
	const del = "/agents/bot/delete"
	old = ben.see(del).form(del, "confirm", "bat")
	ann.api("PUT", "/api/agents/bot", map[string]any{"description": "in use"}, nil)
	ben.sendForm(del, ben.sendForm(del, old).is(422).form(del, "confirm", "bot")).is(409).says("Look at what stands now")
}

func TestAFormWithAProblemKeepsTheStateItWasMadeFrom(t *testing.T) {
	t.Parallel()
	h := open(t)
	root := h.admin()
	root.api("POST", "/rbac/roles", map[string]any{"name": "clerk", "permissions": []string{"docs:read"}}, nil)
	const at = "/roles/clerk/edit"
	form := root.see(at)
	root.api("PUT", "/rbac/roles/clerk", map[string]any{"description": "newer"}, nil)
	wrong := root.sendForm(at, form.form(at, "description", "mine", "morePermissions", "no permission")).is(422)
	root.sendForm(at, wrong.form(at, "description", "mine", "morePermissions", "docs:read")).is(409).says("You changed it yourself", "Description newer mine")
}

func TestWhatWasRemovedMeanwhileSaysSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, ben := h.signedIn(), h.as("ben@example.com", "admin")
	ann.api("POST", "/rbac/roles", map[string]any{"name": "clerk", "permissions": []string{"docs:read"}}, nil)
	ann.api("POST", "/api/agents", map[string]any{"name": "bot"}, nil)
	ann.api("POST", "/api/agents/bot/admins", map[string]any{"email": "ben@example.com", "role": "owner"}, nil)
	user := ann.id("/tenant/users", map[string]any{"email": "vera@example.com", "disabled": true})
	key := ann.id("/tenant/api-keys", map[string]any{"name": "feed", "scopes": []string{"docs:read"}})
	for _, c := range []struct{ page, api, list, says string }{
		{"/roles/clerk/edit", "/rbac/roles/clerk", "/roles", "This role was there when you opened the form. Nothing was saved."},
		{"/users/" + user + "/edit", "/tenant/users/" + user, "/users", "This user was there"},
		{"/keys/" + key + "/edit", "/tenant/api-keys/" + key, "/keys", "This key was there"},
		{"/agents/bot/edit", "/api/agents/bot", "/agents", "since then it was deleted, or your role on it was taken away"},
	} {
		form := ben.see(c.page).form(c.page, "name", "what I typed", "description", "what I typed")
		ann.api("DELETE", c.api, nil, nil)
		ben.sendForm(c.page, form).is(404).says(c.says, "The last change of it is by olga@example.com", "what I typed").holds(`class="button" href="` + c.list + `"`)
	}
}

// Whoever takes away is not held up; whoever gives back sees first what changed.
func TestButtonsOfAnOlderPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	root := h.admin()
	id := root.id("/tenant/users", map[string]any{"email": "vera@example.com", "disabled": true})
	key := root.id("/tenant/api-keys", map[string]any{"name": "feed", "scopes": []string{"docs:read"}, "disabled": true})
	root.api("POST", "/rbac/roles", map[string]any{"name": "clerk", "permissions": []string{"docs:read"}}, nil)
	for n, c := range []struct {
		page, api string
		change    map[string]any
	}{
		{"/users/" + id, "/tenant/users/" + id, map[string]any{"roles": []string{"admin"}}},
		{"/keys/" + key, "/tenant/api-keys/" + key, map[string]any{"name": "another"}},
	} {
		root.api("PATCH", c.api, map[string]any{"disabled": true}, nil)
		page := root.see(c.page)
		enable := page.form(c.page, "do", "enable")
		root.api("PATCH", c.api, c.change, nil)
		conflict := root.sendForm(c.page, enable).is(409).says("It was changed meanwhile, and nothing was saved.", "Look at what stands now")
		if got := root.values(c.api); !strings.Contains(got, "disabled:true") {
			t.Errorf("%s: %s", c.page, got)
		}
		root.sendForm(c.page, conflict.form(c.page, "do", "enable")).is(303)
		old := url.Values{"once": {strings.Repeat(strconv.Itoa(n), 32)}, "do": {"disable"}, "was": {enable.Get("was")}}
		root.sendForm(c.page, old).is(303)
		if got := root.values(c.api); !strings.Contains(got, "disabled:true") {
			t.Errorf("%s: %s", c.page, got)
		}
	}
	const remove = "/roles/clerk/remove"
	form := root.see(remove).form(remove)
	root.api("PUT", "/rbac/roles/clerk", map[string]any{"description": "kept for Vera"}, nil)
	conflict := root.sendForm(remove, form).is(409).says("Look at what stands now")
	root.sendForm(remove, conflict.form(remove)).is(303)
}
