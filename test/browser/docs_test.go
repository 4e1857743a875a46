package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/manual"
	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/peer"
)

var alike = regexp.MustCompile(`^(?:adr|examples)/|^(?:compatibility|config)`)

const docsFile = `
environment: test
docs: true
routes: [{path: /a, method: get, data: {}}]
`

// The documentation as people read it: its policy is kept, axe finds nothing, it
// fits a telephone; it is searched by keyboard, with a server and without one, and
// read without a script.
func TestTheDocumentation(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(peer.Node(t, "axe-core"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	l := &look{axe: string(axe), shots: os.Getenv("PORTREEVE_SHOTS")}
	e := edge.Start(t, edge.Setting{Text: docsFile})
	origin := "http://localhost:" + e.Addr[strings.LastIndexByte(e.Addr, ':')+1:]
	chrome := chromium(t)

	b := open(t, chrome, origin)
	l.reads(b.goTo(origin+"/docs/"), "docs", "Portreeve")
	l.reads(b.goTo(origin+"/docs/tutorial.html"), "docs-tutorial", "Tutorial: from a clone to a protected application")
	l.reads(b.goTo(origin+"/docs/config.html"), "docs-config", "Every key")
	b.goTo(origin + "/docs/config-2.html").until(`document.querySelector("h1")?.innerText.startsWith("Every key: ")`)
	l.reads(b, "docs-config-2", eval[string](b, `document.querySelector("h1").innerText`)) // where it is cut changes with the keys
	l.reads(b.goTo(origin+"/docs/howto/move-from-edge-workers.html"), "docs-move", "Move from the edge Workers")
	l.reads(b.goTo(origin+"/docs/search.html"), "docs-index", "Search and index")
	l.reads(b.goTo(origin+"/docs/search.html?q=revocation"), "docs-search", "Search and index")
	l.reads(b.goTo(origin+"/docs/examples/sign-in.html"), "docs-example", "sign-in.yaml")

	// Every other page, once, as the narrowest telephone shows it: those of one kind
	// are alike in what axe looks at.
	files, err := app.Documentation(true)
	if err != nil {
		t.Fatal(err)
	}
	b.screen(360, "dark")
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".html") {
			continue
		}
		b.goTo(origin + "/docs/" + f.Path)
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: %d px wider than a screen of 360", f.Path, over)
		}
		if alike.MatchString(f.Path) {
			continue
		}
		for _, v := range l.violations(b) {
			t.Errorf("%s: %.600s", f.Path, v)
		}
	}

	// By keyboard: the first key leads past the frame, a search to the place found.
	b.screen(1280, "light")
	b.goTo(origin + "/docs/tutorial.html").press("\t")
	if got := eval[string](b, `document.activeElement.textContent`); got != "Skip to the text" {
		t.Errorf("first comes %q", got)
	}
	b.press("\r").until(`document.activeElement.id === "text"`)
	searched(t, b, origin+"/docs/tutorial.html", origin+"/docs/howto/gateway.html#behind-another-proxy")

	// The list shows where one is, however long it is; the text itself stays on top.
	b.goTo(origin + "/docs/compatibility.html").until(`document.querySelector(".pages").scrollTop > 0`)
	if !eval[bool](b, `scrollY === 0 && document.querySelector(".pages [aria-current]").getBoundingClientRect().bottom < innerHeight`) {
		t.Error("the list of pages does not show the page that is shown")
	}

	// A session is copied without its prompts and answers.
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	// Whoever presses a button may write to the clipboard; a browser without windows has nobody to press.
	call(b, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "clipboard-write"},
		Setting: browser.PermissionSettingGranted, Origin: origin, BrowserContextID: call(b, target.GetTargetInfo, target.GetTargetInfoParams{}).TargetInfo.BrowserContextID})
	b.goTo(origin + "/docs/tutorial.html").until(`document.querySelector(".console + .copy")`)
	b.click(".console + .copy").until(`document.querySelector(".console + .copy").textContent === "Copied"`)
	eval[bool](b, `!!(navigator.clipboard.writeText = async (text) => { window.copied = text; })`) // reading takes a permission, ours is to write
	b.click(".console + .copy").until(`window.copied`)
	if got := eval[string](b, `window.copied`); !strings.HasPrefix(got, "portreeve serve -c app/portreeve.yaml 2> app.log & app=$!\ncurl -s ") || strings.Contains(got, "notes/7\",") {
		t.Errorf("copied is %q", got)
	}
	b.quiet()

	// Without a script the search is an index.
	plain := open(t, chrome, origin)
	plain.scriptless()
	plain.goTo(origin + "/docs/search.html?q=revocation")
	if !strings.Contains(plain.text(), "Behind another proxy") || eval[bool](plain, `!!document.querySelector(".copy")`) {
		t.Error("without a script there is no index, or a button that does nothing")
	}
	plain.quiet()

	// From a folder, without a server.
	begin, err := manual.Write(t.TempDir(), "v1", files)
	if err != nil {
		t.Fatal(err)
	}
	root := "file://" + filepath.ToSlash(filepath.Dir(begin))
	away := open(t, chrome, root)
	searched(t, away, root+"/howto/people.html", root+"/howto/gateway.html#behind-another-proxy")
	away.quiet()
}

// searched searches from a page by keyboard, and follows what is found first.
func searched(t *testing.T, b *tab, from, leads string) {
	t.Helper()
	b.goTo(from).shows(eval[string](b, `document.querySelector("h1").innerText`))
	b.do("focus", chromedp.Focus(chromedp.CSS("input[name=q]")))
	b.press("trustedProxies cloudflare\r").until(`location.pathname.endsWith("/search.html") && document.querySelectorAll("#found li").length > 0`)
	if text := eval[string](b, `document.querySelector("#status").textContent`); !strings.HasSuffix(text, " places.") {
		t.Errorf("a search says %q", text)
	}
	b.press("\r").until(`document.activeElement.closest("#found")`)
	if !eval[bool](b, fmt.Sprintf(`[...document.querySelectorAll("#found a")].some((a) => a.href === %q)`, leads)) {
		t.Errorf("nothing found leads to %s", leads)
	}
	b.press("\r").until(`!location.pathname.endsWith("/search.html")`)
}

// reads looks at a page in both themes and at both widths.
func (l *look) reads(b *tab, name, heading string) {
	b.t.Helper()
	b.shows(heading)
	if got := b.last(); got.status != 200 || !strings.HasPrefix(got.header["content-security-policy"], "default-src 'none'; ") {
		b.t.Errorf("%s: %d %v", name, got.status, got.header)
	}
	l.both(b, name)
	b.quiet()
}
