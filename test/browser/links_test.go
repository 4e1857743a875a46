package browser

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/peer"
)

const linksFile = `
environment: test
links:
  name: Example
  scheme: example
  fallback: {ios: "https://apps.apple.com/us/app/example/id123456789", android: "https://play.google.com/store/apps/details?id=com.example.app"}
  rules:
    - {match: "/link/:screen", to: "example://open/{{params.screen}}?ref={{query.ref}}"}
`

const (
	iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
	pixel  = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
	laptop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)

// Links that opened no app: the pages that are shown instead, and where they lead.
func TestLinksThatOpenedNoApp(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(peer.Node(t, "axe-core"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	l := &look{axe: string(axe), shots: os.Getenv("PORTREEVE_SHOTS")}
	e := edge.Start(t, edge.Setting{Text: linksFile})
	origin := "http://localhost:" + e.Addr[strings.LastIndexByte(e.Addr, ':')+1:]
	chrome := chromium(t)
	visitor := func(agent string) *tab {
		b := open(t, chrome, origin)
		call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent})
		return b
	}

	// Without a script each page says all there is to say.
	for name, agent := range map[string]string{"link-ios": iPhone, "link-android": pixel} {
		b := visitor(agent)
		call(b, network.Enable, network.EnableParams{})
		call(b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/.portreeve/open.js*", Block: true}}})
		l.at(b.goTo(origin+"/link/home?ref=mail"), name, 200, "Continue in Example")
		if href := eval[string](b, `document.querySelector("#open").href`); href != "example://open/home?ref=mail" {
			t.Errorf("%s: the button leads to %q", name, href)
		}
	}
	b := visitor(laptop)
	l.at(b.goTo(origin+"/link/home?ref=mail"), "link-desktop", 200, "Open this on your phone")
	if wide := eval[float64](b, `document.querySelector(".code").getBoundingClientRect().width`); wide < 200 {
		t.Errorf("the code is %v pixels wide: no camera reads it", wide)
	}

	// With it the app is opened, and where none took over, the store.
	var mu sync.Mutex
	var went []string
	b = visitor(pixel)
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if ev, ok := ev.(*page.EventFrameRequestedNavigation); ok {
			mu.Lock()
			went = append(went, ev.URL)
			mu.Unlock()
		}
	}); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, page.Enable, page.EnableParams{})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.goTo(origin + "/link/home?ref=mail")
	b.until(`location.protocol !== "http:"`)
	mu.Lock()
	defer mu.Unlock()
	want := []string{"example://open/home?ref=mail", "https://play.google.com/store/apps/details?id=com.example.app&referrer=deep_link%3Dexample%253A%252F%252Fopen%252Fhome%253Fref%253Dmail"}
	if !slices.Equal(went, want) {
		t.Errorf("the script went to %q", went)
	}
}
