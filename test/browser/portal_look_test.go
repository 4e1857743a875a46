package browser

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
)

// everywhere are the portal's pages, with lists that are full, by their paths.
func (d *desk) everywhere(t *testing.T) []string {
	t.Helper()
	r := d.rows
	role, machine := "/roles/team-03", "/machines/"+d.machine(t, "laptop-00")
	return []string{
		"/", "/machines", "/machines?search=nothing+like+it", machine, machine + "?run=again-03", machine + "/secrets", "/runs", "/runs?which=all",
		"/configs", "/configs/new", "/configs/edit/" + r.config,
		"/escrow", "/escrow/setup",
		"/keys", "/keys?state=revoked", "/keys/new", "/keys/" + r.key, "/keys/" + r.key + "/edit", "/keys/" + r.key + "/rotate", "/keys/" + r.key + "/revoke",
		"/machine-tokens", "/machine-tokens/new", "/machine-tokens/" + r.token, "/machine-tokens/" + r.token + "/rotate", "/machine-tokens/" + r.token + "/revoke",
		"/users", "/users/new", "/users/" + r.user, "/users/" + r.user + "/edit", "/users/" + r.user + "/remove",
		"/roles", "/new-role", "/permissions", role, role + "/edit", role + "/remove", "/roles/admin",
		"/agents", "/agents?of=teams", "/agents/-new", "/agents/" + r.agent,
		"/refusals", lastRefusal, "/refusals?reason=malformed_token", "/why", "/why?user=" + r.user, "/why?key=" + r.key,
		"/audit", "/audit?action=apikey.", "/reach", "/configuration",
		"/factors", "/factors/app", "/factors/passkey", "/sessions", "/sessions/end",
	}
}

// lastRefusal stands for the page of one that was made just now: those of one
// address push each other out.
const lastRefusal = "/refusals/last"

// visit opens one of the pages.
func (d *desk) visit(b *tab, path string) *tab {
	b.t.Helper()
	if path == lastRefusal {
		a := d.Ask(b.t, "GET", "/tenant/users", "", "Authorization: Bearer nonsense")
		path = "/refusals/" + a.Header.Get("X-Portreeve-Decision")
	}
	return b.goTo(d.origin + path).until(`document.querySelector("h1")`)
}

// machine is the id of one.
func (d *desk) machine(t *testing.T, hostname string) string {
	t.Helper()
	var list struct{ Data []struct{ ID string } }
	a := d.Ask(t, "GET", "/v1/machines?limit=1&search="+hostname, "", "Authorization: Bearer "+d.admin)
	if err := json.Unmarshal([]byte(a.Body), &list); err != nil || len(list.Data) != 1 {
		t.Fatalf("%s: %d %s", hostname, a.Status, a.Body)
	}
	return list.Data[0].ID
}

// weighed is what a page weighs, and how far it moved while it was loaded.
type weighed struct {
	Bytes, Requests int
	Shift           float64
	Moved           []string
}

// narrow and wide look at every page, on a telephone by day and on a screen by night,
// and hold it to what it may weigh: its HTML with lists that are full, what it loads
// besides into an empty cache, and how far it moves while it loads, for a reader whose
// time zone the page does not know yet.
func (d *desk) narrow(t *testing.T) { d.everyPage(t, 360, "light") }
func (d *desk) wide(t *testing.T)   { d.everyPage(t, 1280, "dark") }

func (d *desk) everyPage(t *testing.T, width int64, scheme string) {
	b := d.signIn(t, "kim", "/keys")
	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"})
	b.screen(width, scheme)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "page\tbytes\trequests\tshift")
	for _, path := range append(d.everywhere(t), "/nowhere/at-all", "/keys/ak_00000000000000000000000000") {
		call(b, network.DeleteCookies, network.DeleteCookiesParams{Name: "__Host-portreeve-zone", URL: d.origin})
		d.visit(b, path)
		want := 200
		switch {
		case strings.HasPrefix(path, "/nowhere"), strings.HasPrefix(path, "/keys/ak_0000"):
			want = 404
		}
		if got := b.last().status; got != want {
			t.Errorf("%s: %d", path, got)
		}
		v := eval[weighed](b, weigh)
		if v.Shift > mostShift { // on a machine that stalls, half a table is drawn first
			v = eval[weighed](d.visit(b, path), weigh)
		}
		most := mostRequests
		if strings.HasPrefix(path, "/escrow") {
			most = mostModules
		}
		if v.Bytes == 0 || v.Bytes > mostBytes || v.Requests > most || v.Shift > mostShift {
			t.Errorf("%s at %d px: %d bytes, %d requests, shift %.4f of %q", path, width, v.Bytes, v.Requests, v.Shift, v.Moved)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.4f\n", path, v.Bytes, v.Requests, v.Shift)
		d.seen(b, path, width, scheme)
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}

// alikeInDark are pages that have the colours of another: axe takes its time.
var alikeInDark = regexp.MustCompile(`\?|/(edit|rotate|revoke|remove)$`)

// seen looks at the page that is shown. By night no more than colours are another.
func (d *desk) seen(b *tab, name string, width int64, scheme string) {
	b.t.Helper()
	b.fits(name, width)
	var found []string
	switch {
	case scheme == "light":
		found = d.look.violations(b)
	case !alikeInDark.MatchString(name):
		found = d.look.colours(b)
	}
	for _, v := range found {
		b.t.Errorf("%s, %s at %d px: %.600s", name, scheme, width, v)
	}
	if d.look.shots != "" {
		d.look.shoot(b, strings.Trim(strings.NewReplacer("/", "_", "?", "_", "=", "_").Replace(name), "_")+fmt.Sprintf("-%s-%d.png", scheme, width))
	}
	if n := eval[int](b, `document.querySelectorAll("h1").length`); n != 1 {
		b.t.Errorf("%s has %d first headings", name, n)
	}
}

// fits wants that the page is no wider than the screen.
func (b *tab) fits(name string, width int64) {
	b.t.Helper()
	if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		b.t.Errorf("%s: %d px wider than a screen of %d: %s", name, over, width, eval[string](b, `(() => {
			const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre, svg"))
			return out.slice(0, 3).map((e) => e.outerHTML.slice(0, 160)).join(" | ")
		})()`))
	}
	if in := eval[string](b, `innerWidth > 400 ? "" : [...document.querySelectorAll(".scroll")].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel).join(", ")`); in != "" {
		b.t.Errorf("%s: scrolled sideways on a telephone: %s", name, in)
	}
}

const (
	mostBytes    = 60 << 10
	mostRequests = 6
	// What works on the escrow key is a module of its own for each format.
	mostModules = 36
	mostShift   = 0.01
)

// weigh is asked of a page that has been drawn.
const weigh = `new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(() => {
  let shift = 0
  const moved = []
  const add = (list) => { for (const e of list) if (!e.hadRecentInput) {
    shift += e.value
    for (const s of e.sources) moved.push((s.node?.outerHTML ?? s.node?.textContent ?? "").slice(0, 60) + JSON.stringify([s.previousRect.y, s.currentRect.y, s.previousRect.height, s.currentRect.height]))
  } }
  const seen = new PerformanceObserver((l) => add(l.getEntries()))
  seen.observe({type: "layout-shift", buffered: true})
  setTimeout(() => {
    add(seen.takeRecords())
    tell({Bytes: performance.getEntriesByType("navigation")[0].decodedBodySize, Requests: 1 + performance.getEntriesByType("resource").length, Shift: shift, Moved: moved})
  })
})))`
