package browser

import (
	"fmt"
	"strings"
	"testing"
)

// byAccess is the portal behind Cloudflare Access, which says in a header who is
// there: the same pages, the same forms, and nothing to sign out of.
func (d *desk) byAccess(t *testing.T) {
	page := d.inside(t, "acc@example.com")
	at := page.home
	page.goTo(at + "/").shows("Overview")
	if !strings.Contains(eval[string](page, `document.querySelector(".me").textContent`), "acc@example.com") {
		t.Error("nothing says who is there")
	}
	if eval[bool](page, `!!document.querySelector("form[action='/.portreeve/logout']")`) {
		t.Error("a button signs out of a session that there is not")
	}
	h := mouse{page}
	page.goTo(at + "/keys/new").shows("Make an API key")
	h.write("#name", "by-access")
	h.tick(`input[name=scopes][value="machines:read"]`)
	h.press(submit)
	page.shows("Your new API key").click(`a.button[href^="/keys/"]`).shows("by-access")
	if !strings.Contains(page.text(), "acc@example.com") {
		t.Errorf("nothing says who made the key: %s", page.text())
	}
	page.goTo(at + "/users/new").shows("Add a user")
	h.write("#email", "by-access@example.com")
	h.press(submit)
	page.says("Added")
	page.goTo(at + "/factors").shows("Second factors")
	page.goTo(at + "/audit").shows("Audit")
	// Somebody whom Access lets in, and the tenant does not know, may do nothing.
	stranger := d.inside(t, "stranger@example.com")
	stranger.goTo(stranger.home + "/").shows("Overview")
	if !strings.Contains(stranger.text(), "not among the users") {
		t.Errorf("a stranger is told: %s", stranger.text())
	}
	stranger.goTo(stranger.home + "/users").shows("You may not do this")
}

// roles is what an admin, a member and a viewer are shown: what is theirs opens,
// what is not says which permission it takes, and has no button that does nothing.
func (d *desk) roles(t *testing.T) {
	r := d.rows
	opens := map[string]string{ // to whom; everybody where nothing is said
		"/": "amv", "/machines": "amv", "/runs": "amv", "/configs": "a", "/escrow": "amv",
		"/keys": "am", "/keys/new": "amv", "/keys/" + r.key: "am", "/machine-tokens": "am", "/users": "a", "/users/new": "amv", "/roles": "a", "/new-role": "amv", "/permissions": "a",
		"/agents": "amv", "/agents/-new": "amv", "/refusals": "a", "/why": "a", "/audit": "a", "/reach": "", "/configuration": "", "/factors": "amv",
	}
	does := map[string]string{ // the page has a button or form for it
		"/keys a[href='/keys/new']": "a", "/keys/new form.form": "a", "/users a[href='/users/new']": "a", "/users/new form.form": "a", "/new-role form.form": "a",
		"/configs a[href='/configs/new']": "a", "/agents a[href='/agents/-new']": "am", "/keys/" + r.key + " a[href$='/revoke']": "a",
		"/machine-tokens a[href='/machine-tokens/new']": "a",
	}
	for _, who := range []struct{ name, letter string }{{"ada", "a"}, {"mel", "m"}, {"vic", "v"}} {
		b, seen := d.signIn(t, who.name, "/factors"), false
		for path, to := range opens {
			b.goTo(d.origin + path).until(`document.querySelector("h1")`)
			want := 403
			if strings.Contains(to, who.letter) {
				want = 200
			}
			if got := b.last(); got.status != want {
				t.Errorf("%s at %s: %d, want %d: %.300s", who.name, path, got.status, want, b.text())
			} else if want == 403 && !strings.Contains(b.text(), "You may not do this") {
				t.Errorf("%s at %s is not told why: %s", who.name, path, b.text())
			}
			if want == 403 {
				if !eval[bool](b, fmt.Sprintf(`!document.querySelector("nav.side a[href='%s']") || document.querySelector("nav.side a[href='%[1]s']").classList.contains("shut")`, path)) {
					t.Errorf("the menu offers %s %s", who.name, path)
				}
				if !seen { // one refusal looks like another
					for _, as := range screens {
						b.screen(as.width, as.scheme)
						d.seen(b, path, as.width, as.scheme)
					}
					seen = true
				}
			}
			for what, whom := range does {
				on, selector, _ := strings.Cut(what, " ")
				if on != path || want != 200 {
					continue
				}
				there := eval[bool](b, fmt.Sprintf(`!!document.querySelector("main %s")`, selector))
				if there != strings.Contains(whom, who.letter) {
					t.Errorf("%s at %s finds %s: %v", who.name, path, selector, there)
				}
				if !there && !eval[bool](b, `/permission|row/.test(document.querySelector("main .locked")?.innerText)`) {
					t.Errorf("%s at %s is not told why not %s: %s", who.name, path, selector, b.text())
				}
			}
		}
	}
}

// withoutScripts is the portal in a browser that runs none.
func (d *desk) withoutScripts(t *testing.T) {
	b := d.signIn(t, "ann", "/keys")
	b.scriptless()
	h := mouse{b}
	d.tokenTasks(t, h, "s")
	d.keyTasksPlain(h)
	d.userTasks(t, h, "s")
	d.agentTasks(t, h, "s")
	b.screen(360, "dark")
	d.open(h, "/audit", "Audit").click(".burger").click(`nav.side a[href="/roles"]`).shows("Roles")
	b.click(".me summary").click(".me form button").shows("You are signed out")
}

// keyTasksPlain makes and revokes a key; where the focus goes takes a script.
func (d *desk) keyTasksPlain(h hand) {
	b := d.open(h, "/keys/new", "Make an API key")
	h.write("#name", "plain")
	h.press(submit)
	b.until(`document.querySelector("#scopes-issue")`)
	h.tick(`input[name=scopes][value="machines:read"]`)
	h.press(submit)
	b.shows("Your new API key").click(`a.button[href^="/keys/"]`).shows("plain")
	h.press(`a[href$="/revoke"]`)
	b.shows("Revoke plain?")
	h.press(submit)
	b.says("Revoked")
}
