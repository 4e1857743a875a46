package links

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
)

func unmarshal(b []byte, into any) bool { return json.Unmarshal(b, into) == nil }

const shop = `{name: Example, scheme: example, fallback: {ios: "https://apps.apple.com/us/app/example/id123456789?pt=12345&mt=8", android: "https://play.google.com/store/apps/details?id=com.example.app"},
  rules: [{match: "/link/:screen", to: "example://open/{{params.screen}}?ref={{query.ref}}"}]}`

func TestAHostWithoutRulesIsSilent(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", `{ios: {appId: ABCDE12345.a.b}}`)
	for _, link := range []string{"/", "/link/a", "/link/a?format=json", "/%2F", "/.portreeve/style.css", "/.well-known/other"} {
		if r := h.get(link, iPhone); r.Status != 200 || len(r.Body) > 0 {
			t.Errorf("%s: %d, %d bytes", link, r.Status, len(r.Body))
		}
	}
}

func TestFaultsHaveTheHostsShape(t *testing.T) {
	t.Parallel()
	r := Shape(&fault.Error{Kind: fault.MethodNotAllowed, Allow: []string{"GET"}}, "", "d")
	if r.Status != 405 || r.Header.Get("Allow") != "GET, HEAD" || r.Header.Get("X-Portreeve-Decision") != "d" {
		t.Errorf("%d %v", r.Status, r.Header)
	}
	if r := Shape(fault.New(fault.NotFound, "bad_path", ""), "", ""); r.Status != 400 {
		t.Errorf("a path without a meaning: %d", r.Status)
	}
}

func TestAPhoneGetsAPageThatOpensTheApp(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", shop)
	for agent, has := range map[string][]string{
		iPhone: {`href="example://open/home?ref=x%26y"`, "https://apps.apple.com/us/app/example/id123456789?pt=12345&amp;mt=8", "Get it from the App Store", "Open Example",
			`<meta name="apple-itunes-app" content="app-id=123456789, app-argument=https://links.example.com/link/home?ref=x%26y">`, `src="/.portreeve/open.js?v=`},
		pixel: {`href="example://open/home?ref=x%26y"`, "https://play.google.com/store/apps/details?id=com.example.app&amp;referrer=deep_link%3Dexample%253A%252F%252Fopen%252Fhome%253Fref%253Dx%252526y", "Get it from Google Play"},
	} {
		r := h.get("/link/home?ref=x%26y", agent)
		if r.Status != 200 || r.Header.Get("Vary") != "User-Agent" || r.Header.Get("Cache-Control") != "no-store" || strings.Contains(r.Header.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%d %v", r.Status, r.Header)
		}
		for _, s := range has {
			if !strings.Contains(string(r.Body), s) {
				t.Errorf("no %s in\n%s", s, r.Body)
			}
		}
		if strings.Contains(string(r.Body), "ZgotmplZ") {
			t.Error("a link was taken for an attack")
		}
	}
	if js := h.get("/.portreeve/open.js", iPhone); js.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || len(js.Body) == 0 {
		t.Errorf("the script: %v", js.Header)
	}
	if css := h.get("/.portreeve/style.css", iPhone); css.Status != 200 || len(css.Body) == 0 {
		t.Errorf("the stylesheet: %d", css.Status)
	}
}

func TestADesktopGetsACodeOrIsSentOn(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", shop)
	r := h.get("/link/home", macBook)
	for _, s := range []string{"Open this on your phone", `class="code"`, "https://links.example.com/link/home", `href="example://open/home?ref="`, "App Store", "Google Play"} {
		if !strings.Contains(string(r.Body), s) {
			t.Errorf("no %s in\n%s", s, r.Body)
		}
	}
	if r := h.get("/link/"+strings.Repeat("x", 400), macBook); r.Status != 200 || strings.Contains(string(r.Body), `class="code"`) {
		t.Error("a link that no camera could read made a code")
	}
	for _, mode := range []string{"page", "redirect"} {
		h := serve(t, "prod", `{scheme: example, mode: `+mode+`, fallback: {desktop: "https://www.example.com/get?a=b"}, rules: [{match: "/*", to: "example://{{path}}"}]}`)
		if r := h.get("/x?utm_source=mail", macBook); r.Status != 302 || r.Header.Get("Location") != "https://www.example.com/get?a=b" || r.Header.Get("Vary") != "User-Agent" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", mode, r.Status, r.Header)
		}
	}
}

func TestProgramsAreToldInJSON(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", strings.Replace(shop, "rules: [", `rules: [{match: "/all/*", to: "example://{{path}}?{{query}}"}, `, 1))
	for _, tt := range []struct {
		link, agent string
		want        map[string]any
	}{
		{"/link/a?format=json", iPhone, map[string]any{"matched": true, "platform": "ios", "target": "example://open/a?ref=", "fallback": "https://apps.apple.com/us/app/example/id123456789?pt=12345&mt=8"}},
		{"/link/a?format=json", macBook, map[string]any{"matched": true, "platform": "desktop", "target": "example://open/a?ref=", "fallback": nil}},
		{"/all/a?x=1&format=json&y=2", iPhone, map[string]any{"matched": true, "platform": "ios", "target": "example://all/a?x=1&y=2", "fallback": "https://apps.apple.com/us/app/example/id123456789?pt=12345&mt=8"}},
		{"/none?format=json", pixel, map[string]any{"matched": false, "platform": "android", "target": nil, "fallback": "https://play.google.com/store/apps/details?id=com.example.app"}},
	} {
		r := h.get(tt.link, tt.agent)
		var got map[string]any
		if !unmarshal(r.Body, &got) || r.Header.Get("Vary") != "User-Agent" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %s", tt.link, r.Header, r.Body)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.link, diff)
		}
	}
}

// The stores hand on what they document, and nothing of it changes where a link
// leads.
func TestWhatTheStoresHandOn(t *testing.T) {
	t.Parallel()
	const rule = `rules: [{match: "/x", to: "example://x"}]`
	for _, tt := range []struct{ fallback, query, agent, want string }{
		{`ios: "https://apps.apple.com/app/id1?pt=9"`, "ct=spring", iPhone, "https://apps.apple.com/app/id1?pt=9&ct=spring"},
		{`ios: "https://apps.apple.com/app/id1?pt=9"`, "utm_campaign=spring%20sale&pt=666", iPhone, "https://apps.apple.com/app/id1?pt=9&ct=spring%20sale"},
		{`ios: "https://apps.apple.com/app/id1?pt=9&ct=ours"`, "ct=theirs", iPhone, "https://apps.apple.com/app/id1?pt=9&ct=ours"},
		{`ios: "https://apps.apple.com/app/id1"`, "ct=spring", iPhone, "https://apps.apple.com/app/id1"}, // without pt nobody counts it
		{`ios: "https://apps.apple.com/app/id1?pt=9"`, "ct=" + strings.Repeat("x", 31), iPhone, "https://apps.apple.com/app/id1?pt=9"},
		{`ios: "https://apps.apple.com/app/id1?pt=9"`, "ct=a%0Ab", iPhone, "https://apps.apple.com/app/id1?pt=9"},
		{`android: "https://play.google.com/store/apps/details?id=a.b"`, "utm_source=mail&utm_medium=a%26b&other=1", pixel, "https://play.google.com/store/apps/details?id=a.b&referrer=utm_source%3Dmail%26utm_medium%3Da%2526b%26deep_link%3Dexample%253A%252F%252Fx"},
		{`android: "https://play.google.com/store/apps/details?id=a.b&referrer=ours"`, "utm_source=mail", pixel, "https://play.google.com/store/apps/details?id=a.b&referrer=ours"},
		{`android: "https://play.google.com/store/apps/details?id=a.b"`, "utm_source=" + strings.Repeat("x", 990), pixel, "https://play.google.com/store/apps/details?id=a.b&referrer=deep_link%3Dexample%253A%252F%252Fx"},
		{`android: "https://www.example.com/get"`, "utm_source=mail", pixel, "https://www.example.com/get"},
	} {
		h := serve(t, "prod", `{scheme: example, fallback: {`+tt.fallback+`}, `+rule+`}`)
		var got struct{ Fallback string }
		if unmarshal(h.get("/x?format=json&"+tt.query, tt.agent).Body, &got); got.Fallback != tt.want {
			t.Errorf("%s with %s: %s\nwant %s", tt.fallback, tt.query, got.Fallback, tt.want)
		}
	}
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]Platform{
		iPhone: IOS, pixel: Android, macBook: Desktop, "": Desktop, "curl/8.5.0": Desktop,
		"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148":                                     IOS,
		"Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36":                           Android,
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36":                          Desktop,
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36":                           Desktop,
		"Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; NOKIA; like iPhone OS 7_0_3 Mac OS X) Mobile Safari/537":    Desktop,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/22A [FBAN/FBIOS;FBAV/480.0.0.0;]":  IOS,
		"Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36 Version/4.0 Chrome/130 Mobile Instagram 1": Android,
	} {
		if got := platformOf(agent); got != want {
			t.Errorf("%s: %s, want %s", agent, got, want)
		}
	}
}
