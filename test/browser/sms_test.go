package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/peer"
)

const textFile = `
environment: test
store: "sqlite:portreeve.db"
sms:
  origins: ["@PAGE@"]
  regions: [US]
  twilio: {accountSid: AC00112233445566778899aabbccddeeff, authToken: an-auth-token, messagingServiceSid: MG00112233445566778899aabbccddeeff, baseURL: "@TWILIO@"}
  campaigns: {default: "Get the app", spring: "Spring is here"}
  limits: {perNumber: {windowMs: 3600000, max: 1}}
  turnstile: {secret: a-secret, baseURL: "@TURNSTILE@"}
  widget: true
`

// company is a page of another origin, whose policy allows what it has to and no
// more.
func company(rw http.ResponseWriter, r *http.Request, portreeve string) {
	if r.URL.Path == "/page.css" {
		rw.Header().Set("Content-Type", "text/css")
		fmt.Fprint(rw, `:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}body{margin:2rem 1rem;max-width:40rem}`)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+portreeve+"; connect-src "+portreeve+"; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
	fmt.Fprintf(rw, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"><title>Company</title>
<script src="%[1]s/widget.js" defer></script>
<main><h1>Company</h1><p>Our app on your phone:</p>
<portreeve-sms campaign="spring" hint="We text you once."><input type="hidden" name="cf-turnstile-response"></portreeve-sms></main>`, portreeve)
}

// The widget on a page of another origin under a strict policy, by the keyboard
// alone.
func TestTheWidgetOnAPageElsewhere(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(peer.Node(t, "axe-core"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	chrome := chromium(t)
	twilio := standin.NewTwilio(edge.Listen(t), standin.TwilioOptions{AccountSid: "AC00112233445566778899aabbccddeeff", AuthToken: "an-auth-token", Services: []string{"MG00112233445566778899aabbccddeeff"}})
	check := standin.NewTurnstile(edge.Listen(t), standin.TurnstileOptions{Secret: "a-secret"})
	t.Cleanup(func() { _, _ = twilio.Close(), check.Close() })

	portreeve := "" // known once it serves
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { company(rw, r, portreeve) }))
	t.Cleanup(page.Close)
	e := edge.Start(t, edge.Setting{Text: textFile, Words: map[string]string{"PAGE": page.URL, "TWILIO": twilio.URL(), "TURNSTILE": check.URL()}})
	portreeve = "http://localhost:" + e.Addr[strings.LastIndexByte(e.Addr, ':')+1:]

	b := open(t, chrome, page.URL).goTo(page.URL + "/").shows("Company").until(`document.querySelector("portreeve-sms").shadowRoot`)
	const inside = `document.querySelector("portreeve-sms").shadowRoot`
	status := func(text string) {
		t.Helper()
		b.until(fmt.Sprintf(`%s.querySelector("[role=status]").textContent === %q && !%s.querySelector("[aria-disabled=true]")`, inside, text, inside))
	}
	solve := func() {
		t.Helper()
		eval[bool](b, fmt.Sprintf(`(document.querySelector("[name=cf-turnstile-response]").value = %q, true)`, check.Solve("127.0.0.1", "")))
	}
	l := &look{axe: string(axe), shots: os.Getenv("PORTREEVE_SHOTS")}
	see := func(name string) {
		t.Helper()
		b.quiet()
		l.both(b, "sms-"+name)
		b.screen(320, "light")
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: %d px wider than a screen of 320", name, over)
		}
		b.mu.Lock()
		b.wrong = nil // what axe itself tries on a page under such a policy
		b.mu.Unlock()
	}
	status("We text you once.")
	see("before")

	focus := inside + `.activeElement?.tagName`
	if b.press("\t"); eval[string](b, focus) != "INPUT" {
		t.Errorf("first comes %q", eval[string](b, focus))
	}
	b.press("12\r")
	status("That number cannot get a text.")
	if eval[string](b, focus) != "INPUT" || eval[string](b, inside+`.querySelector("input").getAttribute("aria-invalid")`) != "true" {
		t.Error("a wrong number does not lead back to the field")
	}
	// Without the bot check nothing goes out, and the person hears of it.
	b.do("again", chromedp.KeyEvent("\b\b"))
	b.press("(415) 555-2671\r")
	status("That did not work. Try again later.")

	solve()
	if b.press("\t"); eval[string](b, focus) != "BUTTON" {
		t.Errorf("then comes %q", eval[string](b, focus))
	}
	if ring := eval[string](b, `getComputedStyle(`+inside+`.activeElement).outlineStyle`); ring != "solid" {
		t.Errorf("nothing shows where the focus is: %q", ring)
	}
	b.press(" ")
	status("Sent. Look at your phone.")
	if texts := twilio.Texts(); len(texts) != 1 || texts[0].To != "+14155552671" || texts[0].Body != "Spring is here" {
		t.Errorf("Twilio took %v", texts)
	}
	if got := eval[string](b, inside+`.querySelector("input").getAttribute("aria-invalid")`); got != "false" {
		t.Errorf("the field is still invalid: %s", got)
	}
	see("sent")

	// A limit is told, across origins too. Another text to the same number is one
	// too many.
	eval[bool](b, `(document.querySelector("portreeve-sms").setAttribute("campaign", ""), true)`)
	solve()
	b.press("\r")
	status("That was too often. Try again later.")
	solve()
	eval[bool](b, `(`+inside+`.querySelector("input").value = "12", true)`)
	b.press("\r")
	status("That number cannot get a text.")
	see("invalid")
	if len(twilio.Complaints())+len(check.Complaints()) > 0 {
		t.Errorf("stand-ins complain: %v %v", twilio.Complaints(), check.Complaints())
	}
	log := e.Log.String()
	for _, secret := range []string{"4155552671", "555-2671", "an-auth-token", "a-secret"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}
