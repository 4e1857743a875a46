package browser

import (
	"fmt"
	"testing"
)

func (d *desk) configTasks(_ *testing.T, h hand, of string) {
	name, group := "base-"+of, "laptops-"+of // nobody else's: two for the same machines are refused
	b := d.open(h, "/configs", "Configurations")
	h.press(`.head a[href="/configs/new"]`)
	b.shows("Make a configuration")
	h.write("#name", name)
	h.write("#group", group)
	h.write("#config", `{"a": 1`)
	h.press(submit)
	b.until(`document.querySelector("#config-issue") && document.querySelector("#group").value === "` + group + `"`)
	h.write("#config", `{"a": 1}`)
	h.press(submit)
	b.until(`document.querySelector("h1").innerText === "` + name + `"`)
	h.write("#config", `{"a": 2}`)
	h.tick("#disabled")
	h.press(submit)
	b.until(`document.querySelector(".lead")?.innerText.includes("Version 2")`)
	h.press(`a[href$="?version=1"]`)
	b.until(`document.querySelector(".warn")?.innerText.includes("This is version 1")`)
	d.open(h, "/configs", "Configurations")
	h.write("#search", name)
	h.press(`.filter button`)
	b.lists(1, name)
}

// whyTasks finds out why somebody was refused, and what they may do.
func (d *desk) whyTasks(t *testing.T, h hand) {
	a := d.Ask(t, "GET", "/tenant/users", "", "Authorization: Bearer nonsense")
	b := d.open(h, "/refusals", "Refusals")
	h.write("#id", a.Header.Get("X-Portreeve-Decision"))
	h.press(`.filter button.button:not(.quiet)`)
	b.until(`location.pathname.startsWith("/refusals/") && document.querySelector("main").innerText.includes("malformed_token")`)
	d.open(h, "/refusals", "Refusals")
	h.write("#route", "/tenant/users")
	h.press(`.filter button.quiet`)
	b.until(`location.search.includes("route=") && document.querySelector("tbody th a")`)

	d.open(h, "/why", "Who can do what, and why")
	h.write("#search", "mel@example.com")
	h.press(`.filter button`)
	b.until(`location.search.includes("search=mel")`)
	h.press(`main a[href^="/why?user="]`)
	b.until(`location.search.startsWith("?user=") && document.querySelector("tbody .badge")`)
	d.open(h, "/why", "Who can do what, and why")
	h.write("#search", "/tenant/api-keys")
	h.press(`.filter button`)
	b.until(`location.search.includes("search=")`)
	h.press(`tbody th a`)
	b.until(`location.search.includes("route=") && document.querySelector("main .badge")`)
}

func (d *desk) readTasks(_ *testing.T, h hand) {
	b := d.open(h, "/", "Overview")
	h.press(`.cards a[href="/machines"]`)
	b.shows("Machines")
	h.write("#search", "laptop-00")
	h.pick("#status", "Succeeded")
	h.pick("#seen", "In the last 24 hours")
	h.press(`.filter button`)
	b.lists(1, "laptop-00")
	h.press(`tbody th a`)
	b.shows("laptop-00")
	h.press(`tbody tr:nth-child(3) th a`)
	b.until(`location.search.startsWith("?run=") && document.querySelector("#run")`)
	h.press(`.phases summary, .pager a[rel=next]`)
	b.until(`document.querySelector(".phases details[open], .pager a[rel=prev]")`)
	d.open(h, "/machines", "Machines")
	h.press(`.acts a[href="/runs"]`)
	b.shows("Runs")
	h.pick("#status", "Failed")
	h.pick("#which", "Every run")
	h.pick("#order", "Newest first")
	h.press(`.filter button`)
	b.until(`location.search.includes("order=newest") && document.querySelector("tbody .badge.stop")`)

	d.open(h, "/audit", "Audit")
	h.press(`form[action="/audit/verify"] button`)
	b.says("The chain holds")
	h.write("#action", "apikey.")
	h.press(`.filter button`)
	b.until(`location.search.includes("action=apikey") && document.querySelector("tbody tr")`)
	h.press(`.pager a[rel=next]`)
	b.until(`location.search.includes("before=")`)
	if got := eval[int](b, `fetch(document.querySelector("a[download]").href).then((r) => r.text()).then((t) => t.trim().split("\n").map((l) => JSON.parse(l)).length)`); got < 20 {
		b.t.Errorf("the export has %d events", got)
	}
	pages := map[string]string{"/reach": "Links and texts", "/configuration": "Configuration", "/escrow": "Escrow key", "/factors": "Second factors"}
	for path, heading := range pages {
		d.open(h, "/", "Overview")
		h.press(fmt.Sprintf(`nav.side a[href=%q]`, path))
		b.shows(heading)
	}
}

// telephone is the menu of a narrow screen, by keyboard.
func (d *desk) telephone(t *testing.T, k keys) {
	k.screen(360, "light")
	d.open(k, "/keys", "API keys")
	if eval[bool](k.tab, `document.querySelector("nav.side a").checkVisibility({visibilityProperty: true})`) {
		t.Error("the menu stands open on a telephone")
	}
	k.press(".burger")
	k.until(`document.querySelector("nav.side a[href='/users']").checkVisibility({visibilityProperty: true})`)
	k.press(`nav.side a[href="/users"]`)
	k.shows("Users")
	k.press(".me summary")
	k.until(`document.querySelector(".me[open]")`)
	k.press(`.me form button`)
	k.shows("You are signed out")
	k.screen(1280, "light")
}
