package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/test/peer"
)

const partner = `, {name: partner, issuer: "http://127.0.0.1:9", audience: portreeve, clientId: portreeve}`

// everyPage opens each page that people can meet and looks at it: its policy is
// kept, axe finds nothing in it, light and dark, and it fits a telephone.
func everyPage(t *testing.T, h *house) {
	axe, err := os.ReadFile(filepath.Join(peer.Node(t, "axe-core"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	l := &look{axe: string(axe), shots: os.Getenv("PORTREEVE_SHOTS")}
	w := h.start(t, h.people, partner, nil)

	b := w.visitor()
	l.at(b.goTo(w.origin+"/.portreeve/login?return=/app/one"), "chooser", 200, "Sign in")
	l.at(b.goTo(w.origin+"/.portreeve/login/partner"), "provider-down", 503, "Not right now")
	l.at(b.goTo(w.origin+"/.portreeve/callback/corp?state=x&code=y"), "callback-error", 400, "This sign-in is over")
	l.at(b.goTo(w.origin+"/.portreeve/signed-out"), "signed-out", 200, "You are signed out")
	l.at(b.goTo(w.Links["link@example.com"]), "link", 200, "Sign in by this link")
	l.at(b.goTo(w.origin+"/.portreeve/link/"+strings.Repeat("x", 43)), "link-spent", 404, "This link is not good any more")
	l.at(b.goTo(w.origin+"/nowhere"), "not-found", 404, "There is no such page")
	b.goTo(w.origin + "/app/one").click(`a[href*="/abort"]`)
	l.at(b, "cancelled", 403, "You are not signed in")
	b.click("a.button").click(`a[href*="/login/corp"]`).provider("anna").lands("/app/one")

	l.at(b.goTo(w.origin+"/docs/write"), "refusal", 403, "You cannot open this page")
	l.at(b.goTo(w.origin+"/.portreeve/mfa?return=/app/two"), "mfa-none", 200, "One more step")
	b.authenticator()
	b.goTo(w.origin + "/app/one").lands("/app/one").enrolPasskey()
	l.at(b.goTo(w.origin+"/.portreeve/mfa?return=/app/two"), "mfa-passkey", 200, "One more step")
	b.click("#passkey").lands("/app/two")
	b.enrol(time.Now())
	l.at(b.goTo(w.origin+"/.portreeve/mfa?return=/app/two"), "mfa", 200, "One more step")
	b.mistype("000000x")
	l.at(b, "mfa-wrong", 400, "One more step")
	for range 6 {
		b.mistype("000000x")
	}
	l.at(b, "mfa-locked", 429, "One more step")

	b.goTo(w.origin + "/docs/write").click("form button").shows("You are signed out")
	l.at(b, "signed-out-here", 200, "You are signed out")

	link := w.visitor().goTo(w.Links["link@example.com"])
	link.click("form button").until(`location.pathname === "/"`)
	if who := link.who(); who["provider"] != "link" {
		t.Errorf("a link signs in %v", who)
	}
	link.quiet()
}

// look is what is held against every page.
type look struct{ axe, shots string }

// at looks at the page that is shown.
func (l *look) at(b *tab, name string, status int, heading string) {
	b.t.Helper()
	b.shows(heading)
	if got := b.last(); got.status != status || !strings.Contains(got.header["content-security-policy"], "default-src 'none'") || got.header["cache-control"] != "no-store" {
		b.t.Errorf("%s: %d %v", name, got.status, got.header)
	}
	b.quiet()
	l.both(b, name)
}

// screens are those that pages are looked at on: every width and every colour, once.
var screens = []struct {
	width  int64
	scheme string
}{{360, "light"}, {1280, "dark"}}

// both looks at the page that is shown on a telephone by day and on a screen by night.
func (l *look) both(b *tab, name string) {
	b.t.Helper()
	for _, as := range screens {
		b.screen(as.width, as.scheme)
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			b.t.Errorf("%s: %d px wider than a screen of %d", name, over, as.width)
		}
		looks := l.violations
		if as.scheme == "dark" { // the rest is the same
			looks = l.colours
		}
		for _, v := range looks(b) {
			b.t.Errorf("%s, %s at %d px: %.600s", name, as.scheme, as.width, v)
		}
		if l.shots != "" {
			l.shoot(b, fmt.Sprintf("%s-%s-%d.png", name, as.scheme, as.width))
		}
	}
}

// screen makes the tab one of a width, of people who like it light or dark.
func (b *tab) screen(width int64, scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}) // no colours half-way
	b.do("resize", chromedp.EmulateViewport(width, 720))
}

// violations are what axe finds, every rule of it.
func (l *look) violations(b *tab) []string { b.t.Helper(); return l.finds(b, `{}`) }

// colours are what axe finds in what may be another where the width and the colours are.
func (l *look) colours(b *tab) []string {
	b.t.Helper()
	return l.finds(b, `{runOnly: ["color-contrast", "scrollable-region-focusable"]}`)
}

func (l *look) finds(b *tab, options string) []string {
	b.t.Helper()
	if !eval[bool](b, `!!window.axe`) {
		b.do("load axe", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: l.axe})
			return err
		}))
	}
	return eval[[]string](b, `axe.run(document, {resultTypes: ["violations"], reporter: "no-passes", ...`+options+`}).then((r) => r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) => n.html).join(" ")))`)
}

func (l *look) shoot(b *tab, name string) {
	b.t.Helper()
	shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err := os.WriteFile(filepath.Join(l.shots, name), shot.Data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// keyboard goes where people go who have no mouse.
func keyboard(t *testing.T, h *house) {
	var c clock
	w := h.start(t, h.people, partner, c.now)
	b := w.visitor().goTo(w.origin + "/.portreeve/login?return=/app/keys").shows("Sign in")
	focus := `document.activeElement.textContent.trim()`
	if b.press("\t"); eval[string](b, focus) != "Continue with corp" {
		t.Errorf("first comes %q", eval[string](b, focus))
	}
	if ring := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); ring != "solid" {
		t.Errorf("nothing shows where the focus is: %q", ring)
	}
	if b.press("\t"); eval[string](b, focus) != "Continue with partner" {
		t.Errorf("then %q", eval[string](b, focus))
	}
	b.do("back", chromedp.KeyEvent("\t", chromedp.KeyModifiers(chromedp.ModifierShift)))
	b.press("\r").until(`document.activeElement.name === "login"`)
	b.press("anna\tanything\r").until(`document.querySelector("input[name=prompt][value=consent]") && document.activeElement.type === "submit"`)
	b.press("\r").lands("/app/keys")

	b.authenticator()
	b.enrolPasskey()
	b.goTo(w.origin + "/.portreeve/mfa?return=/app/keys").until(`document.activeElement.id === "passkey"`)
	b.press(" ").lands("/app/keys")
	p, _ := b.enrol(c.now())
	c.advance(11 * time.Minute)
	b.goTo(w.origin + "/vault/keys").until(`document.activeElement.id === "code"`)
	b.press("000000x\r").until(alert + ` && document.activeElement.id === "code"`)
	b.press("\t")
	if eval[string](b, focus) != "Confirm" {
		t.Errorf("after the code comes %q", eval[string](b, focus))
	}
	if b.press("\t"); eval[string](b, focus) != "Use your passkey" {
		t.Errorf("then %q", eval[string](b, focus))
	}
	b.do("back", chromedp.KeyEvent("\t", chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent("\t", chromedp.KeyModifiers(chromedp.ModifierShift)))
	b.press(p.code(c.now()) + "\r").lands("/vault/keys")
	b.quiet()
}
