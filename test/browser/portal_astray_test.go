package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// astray is what becomes of forms that are sent twice, late, from elsewhere, or by
// somebody who is not signed in any more.
func (d *desk) astray(t *testing.T) {
	b := d.signIn(t, "ada", "/keys")
	h := mouse{b}
	keysCalled := func(name string) int {
		t.Helper()
		return eval[int](b, fmt.Sprintf(`fetch("/tenant/api-keys?limit=100&search=%s").then((r) => r.json()).then((l) => l.data.length)`, name))
	}
	draft := func(name string) {
		t.Helper()
		d.open(h, "/keys/new", "Make an API key")
		h.write("#name", name)
		h.tick(`input[name=scopes][value="machines:read"]`)
	}

	// Pressed twice: one key, and it is shown. Then without what the script does.
	draft("twice")
	eval[bool](b, `(document.querySelector("`+submit+`").click(), document.querySelector("`+submit+`").click(), true)`)
	b.shows("Your new API key").until(`document.querySelector(".secret code").textContent.length > 30`)
	draft("thrice")
	body := eval[string](b, `new URLSearchParams(new FormData(document.querySelector("form.form"))).toString()`)
	if got := eval[[]string](b, fmt.Sprintf(`Promise.all([1, 2, 3].map(() => fetch("/keys/new", {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: %q}).then((r) => r.text())
		.then((t) => t.match(/class="secret"[^]*?<code>([^<]+)/)?.[1] ?? t.slice(0, 200))))`, body)); len(got) != 3 || got[0] != got[1] || got[1] != got[2] || len(got[0]) < 30 {
		t.Errorf("a form that is sent three times at once is answered %q", got)
	}
	for _, name := range []string{"twice", "thrice"} {
		if n := keysCalled(name); n != 1 {
			t.Errorf("%s: %d keys", name, n)
		}
	}

	// The way back after a form leads to the form; sent again it says that it was.
	draft("again")
	h.press(submit)
	b.shows("Your new API key").click(`a.button[href^="/keys/"]`).shows("again")
	eval[bool](b, `(history.go(-2), true)`)
	b.shows("Make an API key")
	h.write("#name", "again")
	if eval[bool](b, `!document.querySelector("input[name=scopes][value='machines:read']").checked`) {
		h.tick(`input[name=scopes][value="machines:read"]`)
	}
	h.press(submit)
	b.until(`["Your new API key", "That does not go together"].includes(document.querySelector("h1")?.innerText) && location.pathname === "/keys/new"`)
	if n := keysCalled("again"); n > 2 {
		t.Errorf("the way back makes %d keys", n)
	}

	// Two tabs change one role: the second says what it says, and the first is told
	// nothing that is not so.
	d.api(t, d.admin, "POST", "/rbac/roles", map[string]any{"name": "shared", "permissions": []string{"docs:read"}})
	second := d.beside(b)
	d.open(h, "/roles/shared/edit", "Change shared")
	d.open(mouse{second}, "/roles/shared/edit", "Change shared")
	h.write("#description", "by the first")
	h.press(submit)
	b.says("Saved")
	mouse{second}.write("#description", "by the second")
	mouse{second}.press(submit)
	second.until(`document.querySelector(".notice, .problems")`)
	if got := second.text(); !strings.Contains(got, "by the second") {
		t.Errorf("the second of two tabs ends with: %s", got)
	}
	// A role that is gone in the meantime is not made anew.
	d.open(h, "/roles/shared/edit", "Change shared")
	d.open(mouse{second}, "/roles/shared/remove", "Remove shared?").click(submit)
	second.says("Removed")
	h.press(submit)
	b.shows("It was removed meanwhile")

	d.elsewhere(t, b)

	// Signed out in another tab: the form is not taken, and says where to sign in.
	draft("late")
	second.goTo(d.origin + "/").click(".me summary").click(".me form button").shows("You are signed out")
	h.press(submit)
	d.backTo(t, b, "ada", "late")
}

// backTo is what a form meets whose sender is not signed in any more: nothing is
// done, and a sign-in leads back to where it stood.
func (d *desk) backTo(t *testing.T, b *tab, who, name string) {
	t.Helper()
	b.until(`document.querySelector("a[href*='/.portreeve/login']")`)
	if got := b.last().status; got != 401 {
		t.Errorf("a form without a session: %d", got)
	}
	b.click(`a[href*='/.portreeve/login']`)
	b.until(`document.querySelector("input[name=login]") || location.pathname === "/keys/new"`)
	if eval[bool](b, `location.pathname !== "/keys/new"`) {
		b.provider(who)
	}
	b.until(`location.pathname === "/keys/new"`).shows("Make an API key")
	if n := eval[int](b, fmt.Sprintf(`fetch("/tenant/api-keys?search=%s").then((r) => r.json()).then((l) => l.data.length)`, name)); n != 0 {
		t.Errorf("%d keys were made by who was not signed in", n)
	}
}

// elsewhere sends forms of other sites to the portal's pages.
func (d *desk) elsewhere(t *testing.T, b *tab) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(rw, `<!doctype html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1>
<form method="post" action="%s%s"><input name="once" value="%032d"><input name="name" value="stolen"><input name="scopes" value="machines:read"><button id="send">Send</button></form>`, d.origin, r.URL.Query().Get("to"), 1)
	}))
	t.Cleanup(s.Close)
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	page := d.beside(b)
	for _, host := range []string{"localhost", "127.0.0.1"} { // a sibling, with whose forms cookies go along, and a stranger
		for _, to := range []string{"/keys/new", "/users/" + d.rows.user + "/remove", "/audit/verify"} {
			page.goTo("http://" + host + port + "/?to=" + url.QueryEscape(to)).shows("Elsewhere").click("#send").until(fmt.Sprintf(`location.href === %q`, d.origin+to))
			if got := page.last().status; got != 403 && (host == "localhost" || got != 401) {
				t.Errorf("a form of %s to %s: %d", host, to, got)
			}
		}
	}
}

// addresses are ones that people make up.
func (d *desk) addresses(t *testing.T) {
	b := d.signIn(t, "kim", "/keys")
	for what, path := range d.rows.foreign {
		want := 404
		if what == "agent" { // of which nobody is told whether it is there
			b.goTo(d.origin + "/agents/no-such-agent").until(`document.querySelector("h1")`)
			want = b.last().status
		}
		for _, more := range []string{"", "/edit", "/remove", "/revoke", "/rotate"} {
			b.goTo(d.origin + path + more).until(`document.querySelector("h1")`)
			if got := b.last().status; got != want && got != 404 || strings.Contains(b.text(), "theirs") {
				t.Errorf("%s of another tenant at %s%s: %d", what, path, more, got)
			}
		}
	}
	long := strings.Repeat("x", 5000)
	for path, want := range map[string]int{
		"/keys?done=no-such-message": 200, "/keys?done=created&done=saved": 200, "/keys?done=" + url.QueryEscape(spite): 200, "/keys?offset=-1": 200, "/keys?offset=9999999999999999999": 200, "/keys?offset=1000": 200,
		"/keys?offset=abc": 200, "/keys?search=" + long: 200, "/users?search=" + long: 200, "/machines?search=" + long: 200, "/audit?actor=" + long: 200, "/keys?search=a&search=b": 200, "/keys?search=%00%01": -1, "/keys?search=%ff": -1,
		"/keys?state=nothing": -1, "/users?role=nothing": 200, "/agents?of=nothing": 404, "/audit?from=nothing": -1, "/audit?before=nothing": -1, "/runs?status=nothing": -1, "/machines?seen=nothing": 200,
		"/configs/edit/config-03?version=99": -1, "/configs/edit/config-03?version=-1": -1, "/roles/%2e%2e": -1, "/roles/a%2Fb": -1, "/keys/" + long[:1000]: -1, "/users/%3Cscript%3E": -1, "/machines/" + d.rows.user: 404,
		"/roles?offset=999": 200, "/permissions?offset=5": 200,
	} {
		b.goTo(d.origin + path).until(`document.querySelector("h1")`)
		got := b.last()
		if got.status != want && want > 0 || got.status >= 500 {
			t.Errorf("%.80s: %d, want %d: %.200s", path, got.status, want, b.text())
		}
		if strings.Contains(path, "done=") && eval[bool](b, `!!document.querySelector(".notice")`) {
			t.Errorf("%s shows a message: %s", path, b.text())
		}
		if got.status < 400 && !eval[bool](b, `!!document.querySelector("main tbody tr, main .empty, main form")`) {
			t.Errorf("%.80s: a page with nothing on it: %s", path, b.text())
		}
		b.fits(path[:min(len(path), 60)], 1280)
	}
}

// expiry is a session that ends while somebody fills in a form.
func (d *desk) expiry(t *testing.T) {
	b := d.signIn(t, "ada", "/keys")
	h := mouse{b}
	d.open(h, "/keys/new", "Make an API key")
	h.write("#name", "expired")
	h.tick(`input[name=scopes][value="machines:read"]`)
	d.clock.advance(21 * time.Minute)
	h.press(submit)
	d.backTo(t, b, "ada", "expired")
	d.clock.advance(21 * time.Minute)
	b.goTo(d.origin + "/users?search=ada").until(`document.querySelector("input[name=login]") || location.pathname === "/users"`)
	if eval[bool](b, `location.pathname !== "/users"`) {
		b.provider("ada")
	}
	b.until(`location.pathname + location.search === "/users?search=ada"`)
}
