package pages

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
)

func TestPagesOfLinksWorkWithoutAScript(t *testing.T) {
	t.Parallel()
	p := made(t)
	for name, tt := range map[string]struct {
		reply    request.Reply
		has, not []string
	}{
		"phone": {p.AppLink(AppLink{Host: "h", App: "Example", Open: "example://a?b=c", Store: "https://play.google.com/x", StoreName: "Google Play", Script: "/s.js"}),
			[]string{"<title>Open Example · h</title>", `id="open" href="example://a?b=c"`, `href="https://play.google.com/x"`, "Get it from Google Play", `src="/s.js"`}, []string{"apple-itunes-app"}},
		"phone without a store": {p.AppLink(AppLink{App: "the app", Open: "example://"}), []string{"Continue in the app"}, []string{`id="store"`, "<script"}},
		"banner":                {p.AppLink(AppLink{StoreID: "123", Link: "https://h/a"}), []string{`content="app-id=123, app-argument=https://h/a"`}, nil},
		"desktop":               {p.AppDesktop(AppDesktop{App: "Example", Link: "https://h/a", Open: "example://a", Code: &Code{Size: 29, Dark: "M0 0h7v1h-7z"}, Stores: []Link{{"App Store", "https://apps.apple.com/x"}, {"Google Play", "https://play.google.com/y"}}}), []string{`viewBox="-4 -4 29 29"`, `d="M0 0h7v1h-7z"`, "App Store</a> · <a", `href="example://a"`}, []string{"<script"}},
		"desktop without":       {p.AppDesktop(AppDesktop{App: "Example", Open: "example://a"}), []string{"Send yourself"}, []string{"<svg class=\"code\"", "No app yet"}},
	} {
		body := string(tt.reply.Body)
		if tt.reply.Status != 200 || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: %d\n%s", name, tt.reply.Status, body)
		}
		for _, s := range tt.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s: no %s in\n%s", name, s, body)
			}
		}
		for _, s := range tt.not {
			if strings.Contains(body, s) {
				t.Errorf("%s: %s in\n%s", name, s, body)
			}
		}
	}
}

func TestWhatLinksHoldIsInert(t *testing.T) {
	t.Parallel()
	p, evil := made(t), `"><script>alert(1)</script><a href="javascript:alert(1)">`
	for name, reply := range map[string]request.Reply{
		"phone":   p.AppLink(AppLink{Host: evil, App: evil, Open: evil, Store: "javascript:alert(1)", StoreName: evil, StoreID: evil, Link: evil}),
		"desktop": p.AppDesktop(AppDesktop{Host: evil, App: evil, Open: evil, Link: evil, Code: &Code{Dark: evil}, Stores: []Link{{evil, "javascript:alert(1)"}}}),
	} {
		for _, s := range []string{"<script>alert", `="javascript:`, `<a href="javascript`} {
			if strings.Contains(string(reply.Body), s) {
				t.Errorf("%s: %s stands in\n%s", name, s, reply.Body)
			}
		}
	}
}
