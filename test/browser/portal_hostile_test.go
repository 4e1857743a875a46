package browser

import (
	"net/url"
	"strings"
	"testing"
)

// hostile opens every page that lists or shows a hostile name, and wants it inert:
// no script ran, no picture was asked for, and the page keeps its width.
func (d *desk) hostile(t *testing.T) {
	b := d.signIn(t, "ada", "/keys")
	b.screen(360, "light")
	paths := []string{"/", "/machines?search=alert", "/machines?search=gnp", "/machines?search=WWWW", "/runs?search=alert", "/runs?search=WWWW", "/runs?which=all&order=newest", "/keys", "/keys?search=alert",
		"/machine-tokens", "/users?search=alert", "/users", "/roles", "/roles?offset=20", "/permissions", "/configs?search=hostile", "/agents?search=hostile", "/audit", "/audit?actor=" + url.QueryEscape(spite),
		"/why?search=alert", "/why?search=gnp", "/refusals", "/refusals?route=" + url.QueryEscape(spite), "/refusals?id=" + url.QueryEscape(spite)}
	for _, name := range []string{spite, turned, strings.Repeat("W", 2000)} {
		d.Ask(t, "GET", "/"+url.PathEscape(name), "", "Authorization: Bearer "+d.admin, "User-Agent: "+strings.Map(visibly, name))
		a := d.Ask(t, "DELETE", "/tenant/users/"+url.PathEscape(name), "", "Authorization: Bearer nonsense")
		paths = append([]string{"/refusals/" + a.Header.Get("X-Portreeve-Decision")}, paths...)
	}
	for _, p := range d.rows.hostile {
		paths = append(paths, p)
		switch {
		case strings.HasPrefix(p, "/keys/"), strings.HasPrefix(p, "/machine-tokens/"):
			paths = append(paths, p+"/rotate", p+"/revoke", "/why?key="+p[strings.LastIndexByte(p, '/')+1:])
		case strings.HasPrefix(p, "/users/"), strings.HasPrefix(p, "/roles/"):
			paths = append(paths, p+"/edit", p+"/remove")
			if id, is := strings.CutPrefix(p, "/users/"); is {
				paths = append(paths, "/why?user="+id)
			}
		case strings.HasPrefix(p, "/agents/"):
			paths = append(paths, p+"/edit", p+"/admins")
		}
	}
	for _, q := range []string{"%22%3E%3Cscript", "a%E2%80%AE", "WWWW"} {
		b.goTo(d.origin + "/machines?search=" + q).until(`document.querySelector("tbody th a")`)
		paths = append(paths, eval[string](b, `document.querySelector("tbody th a").getAttribute("href")`))
	}
	shown := 0
	for _, path := range paths {
		b.goTo(d.origin + path).until(`document.querySelector("h1")`)
		if got := b.last().status; got != 200 {
			t.Errorf("%s: %d", path, got)
		}
		if bad := eval[[]string](b, `[...document.querySelectorAll("main script, main iframe, [onerror], [onload], img:not([src^='data:image/png;base64,'])")].map((e) => e.outerHTML)`); len(bad) > 0 {
			t.Errorf("%s takes a name for markup: %s", path, bad)
		}
		if turned := eval[[]string](b, turns); len(turned) > 0 {
			t.Errorf("%s: a name turns what stands around it: %s", path, turned)
		}
		if eval[bool](b, `document.documentElement.outerHTML.includes("alert(1)")`) {
			shown++
		}
		b.fits(path, 360)
	}
	// Links that a name is part of lead to where it is.
	b.goTo(d.origin + "/machines?search=" + url.QueryEscape(turned)).click(`a.plain[href*="group="]`).until(`location.search.startsWith("?group=") && document.querySelectorAll("tbody tr").length === 1`)
	if shown < 15 {
		t.Errorf("a hostile name stands on %d pages only", shown)
	}
}

// turns finds texts that turn round what follows them: what is not kept by its own
// element is kept by the end of the block.
const turns = `(() => {
  const out = [], all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const inline = (n) => n.nodeType === 3 || (n.nodeType === 1 && /^(inline|inline-block|none)$/.test(getComputedStyle(n).display))
  while (all.nextNode()) {
    const text = all.currentNode, at = text.data.lastIndexOf("\u202E")
    if (at < 0 || text.parentElement.closest("pre, textarea, option, title, script")) continue
    let after = text.data.slice(at + 8)
    for (let n = text; ; n = n.parentElement) {
      if (n !== text && (!inline(n) || /isolate|plaintext/.test(getComputedStyle(n).unicodeBidi))) break
      for (let s = n.nextSibling; s && inline(s); s = s.nextSibling) after += s.textContent
    }
    if (after.replace(/[\s…]/g, "")) out.push(text.parentElement.outerHTML.slice(0, 200) + " before " + after.slice(0, 40))
  }
  return out
})()`
