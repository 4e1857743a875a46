package browser

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/edge"
)

// The machines' way to the API leads past Access: here by an address.
const hostsFile = `
environment: test
store: "sqlite:portreeve.db"
access: {teamDomain: acme.cloudflareaccess.com, certsURL: "@CERTS@"}
sites:
  - hosts: [portal.acme.localhost]
    access: {audience: app-portal.acme.localhost}
    portal: {escrow: "@API@"}
  - hosts: [api.acme.localhost, 127.0.0.1]
    access: {audience: app-api.acme.localhost}
    escrow: {portalOrigin: "@PORTAL@"}
    mfa: {}
`

// escrowHosts is the usual case: the portal on one host and the API on another, both
// behind Access.
func escrowHosts(t *testing.T, h *house) {
	c := startCloudflare(t)
	o := &office{t: t, h: h, origin: c.origin(portalHost), Edge: edge.Start(t, edge.Setting{Text: hostsFile, Words: map[string]string{
		"CERTS": c.team.CertsURL(), "API": c.origin(apiHost), "PORTAL": c.origin(portalHost)}})}
	c.before(o.Edge)
	o.staffed()
	a := o.clerk(open(t, h.browser, o.origin))
	a.open("/escrow").shows("Access").click("#olga").shows("Escrow key")
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self' " + c.origin(apiHost) + "; img-src 'self' data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	if got := a.last().header["content-security-policy"]; got != policy {
		t.Errorf("the pages' policy is\n%s, want\n%s", got, policy)
	}

	// Nobody is signed in at the API's host by being signed in here. That is said at
	// the beginning, and nothing is lost where it was not heeded.
	a.open("/escrow/setup").until(`document.querySelector("#not-there")?.innerText.includes("you are not signed in there")`)
	passphrase := a.generated()
	shares := a.sheets()
	a.at("store").click("#store-it")
	a.told("store", "No answer from "+apiHost+c.port)
	b := a.beside()
	b.goTo(eval[string](a.tab, `document.querySelector("#not-there a").href`)).until(`document.body.innerText.includes("olga@example.com")`)
	eval[bool](a.tab, `document.dispatchEvent(new Event("visibilitychange"))`)
	a.until(`!document.querySelector("#not-there")`)
	a.expected()
	a.stores()
	signer := a.read("#done .copyable code")
	const bitlocker = "445566-112233-778899"
	o.seal("DESK-1", "bitlocker", bitlocker, "--signer", signer)
	if strings.Contains(a.text(), "not signed in") {
		t.Error("the notice stays")
	}

	// Access answers preflights itself, or lets OPTIONS through. No more is asked for
	// than its CORS settings allow.
	const box = `[data-reveal][data-kind="bitlocker"]`
	c.asked()
	for _, answers := range []bool{false, true} {
		c.set(func() { c.answers = answers })
		a.machine("DESK-1")
		a.reveals("bitlocker", "disk replaced", passphrase)
		a.revealed("bitlocker", bitlocker)
		posts := 0
		for _, s := range c.asked() {
			switch {
			case s.method == "OPTIONS" && s.asks != "POST content-type":
				t.Errorf("a preflight asks for %q", s.asks)
			case s.method == "POST":
				posts++
				fallthrough
			case s.method == "GET":
				if !s.signedIn || s.status != 200 || s.origin != o.origin {
					t.Errorf("%+v", s)
				}
			case s.method != "OPTIONS":
				t.Errorf("%s %s", s.method, s.path)
			}
		}
		if posts != 1 {
			t.Errorf("%d posts for one secret", posts)
		}
	}

	// The session of either host ends. At the API's, Access leads a script away with or
	// without the headers of CORS; past Access it is Portreeve that refuses.
	for _, way := range []struct {
		vouches, open bool
		says          string
	}{{false, false, "No answer from " + apiHost}, {true, false, "You are not signed in at " + apiHost}, {false, true, "You are not signed in at " + apiHost}} {
		c.set(func() { c.vouches, c.lets[apiHost] = way.vouches, way.open })
		a.machine("DESK-1")
		a.until(`!document.querySelector("#not-there")`)
		c.ends(apiHost)
		a.reveals("bitlocker", "ended", passphrase)
		a.until(fmt.Sprintf(`document.querySelector('%s [role=alert]:not([hidden])')?.innerText.includes(%q)`, box, way.says))
		c.set(func() { c.lets[apiHost] = false })
		b.goTo(c.origin(apiHost) + "/.portreeve/whoami").until(`document.body.innerText.includes("olga@example.com")`)
		a.expected()
		a.click(box + " form .acts .button")
		if way.says[0] == 'N' { // what was typed is still there
			a.revealed("bitlocker", bitlocker)
		}
	}
	a.machine("DESK-1")
	c.ends(portalHost)
	a.reveals("bitlocker", "the portal's has ended", passphrase)
	a.revealed("bitlocker", bitlocker)
	c.set(func() { c.signedIn = false })
	a.open("/keys/new").shows("Access").click("#olga").shows("Make an API key")
	c.ends(portalHost)
	c.set(func() { c.lets[portalHost] = true })
	if a.open("/escrow").until(`document.querySelector("h1")`); a.last().status != 401 || !strings.Contains(a.text(), "sign") {
		t.Errorf("past Access, nobody gets %d:\n%s", a.last().status, a.text())
	}
	c.set(func() { c.lets[portalHost] = false })
	a.open("/escrow").shows("Escrow key")

	// Pages of a third origin, of another site and of the same, with the cookie.
	secret := eval[string](a.tab, `fetch("/v1/secrets").then((r) => r.json()).then((a) => a.data[0].id)`)
	before := o.count(a.tab, "secret.revealed")
	for _, answers := range []bool{false, true} {
		c.set(func() { c.answers = answers })
		for _, host := range []string{"evil.acme.localhost", "evil.localhost"} {
			c.set(func() {
				c.page = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Evil</title><h1>Evil</h1>`
			})
			b.goTo(c.origin(host) + "/").shows("Evil")
			c.asked()
			for _, kind := range []string{"application/json", "text/plain"} {
				if read := eval[string](b, fmt.Sprintf(`fetch(%q, {method: "POST", credentials: "include", headers: {"Content-Type": %q}, body: '{"reason": "mine"}'}).then((r) => r.text(), () => "blocked")`,
					c.origin(apiHost)+"/v1/secrets/"+secret+"/reveal", kind)); read != "blocked" {
					t.Errorf("%s reads %s", host, read)
				}
			}
			if read := eval[string](b, fmt.Sprintf(`fetch(%q, {credentials: "include"}).then((r) => r.text(), () => "blocked")`, c.origin(apiHost)+"/v1/secrets")); read != "blocked" {
				t.Errorf("%s reads %s", host, read)
			}
			got := c.asked()
			// To another site browsers need not send the cookie at all, and some do not.
			sibling := strings.HasSuffix(host, ".acme.localhost")
			if sibling && !slices.ContainsFunc(got, func(s seen) bool { return s.method == "POST" && s.signedIn && s.status == 403 }) ||
				slices.ContainsFunc(got, func(s seen) bool { return s.method == "POST" && s.status < 300 }) {
				t.Errorf("%s, Access answers preflights: %v: %+v", host, answers, got)
			}
		}
	}
	if after := o.count(a.tab, "secret.revealed"); after != before {
		t.Errorf("%d secrets were handed out to pages elsewhere", after-before)
	}

	// A second factor is shown at the API, whose step-up it is: where the site asks for
	// one before a secret is revealed, and before the key is another.
	_, backup := a.enrol(time.Now())
	text, err := os.ReadFile(o.Source.Path)
	if err != nil {
		t.Fatal(err)
	}
	o.Write(t, "portreeve.yaml", strings.Replace(string(text), "    mfa: {}\n", "    mfa: {}\n    requireMfa: [\"escrow:reveal\"]\n", 1))
	if err := o.App.Reload(); err != nil {
		t.Fatal(err)
	}
	a.machine("DESK-1")
	a.reveals("bitlocker", "with a factor", passphrase)
	a.until(`document.querySelector("dialog[open]")`).fill("#factor-code", backup[1]).click("dialog .button")
	a.revealed("bitlocker", bitlocker)
	c.asked()
	a.open("/escrow/rotate").at("open").unlocks(passphrase)
	second := a.generated()
	more := a.sheets()
	a.at("store").click("#store-it").until(`document.querySelector("dialog[open]")`)
	if eval[bool](a.tab, `Array.from(document.querySelectorAll("dialog button")).some((b) => b.innerText.includes("passkey") && b.checkVisibility())`) {
		t.Error("a passkey of another host is asked for")
	}
	a.fill("#factor-code", backup[0]).click("dialog .button")
	a.at("done")
	if !slices.ContainsFunc(c.asked(), func(s seen) bool { return s.path == "/mfa/verify" && s.status == 200 }) {
		t.Error("the factor was not shown at the API")
	}
	a.open("/escrow").until(`document.querySelector("#chain")?.textContent.includes("verified in this browser")`)

	// Access's cookie is all that anybody has.
	for _, host := range []string{portalHost, apiHost} {
		for name := range a.cookies(c.origin(host)) {
			if name != "CF_Authorization" && name != "__Host-portreeve-zone" {
				t.Errorf("%s sets the cookie %s", host, name)
			}
		}
	}
	if cookie := a.cookies(c.origin(apiHost))["CF_Authorization"]; cookie == nil || string(cookie.SameSite) != "None" || !cookie.Secure {
		t.Errorf("Access's cookie at the API is %+v", cookie)
	}
	a.keeps(append(append(shares, more...), passphrase, second, bitlocker)...)
	a.quiet()
}

// expected forgets complaints about calls that came to nothing, and no others.
func (b *tab) expected() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = slices.DeleteFunc(b.wrong, func(w string) bool {
		return strings.Contains(w, "CorsIssue") || strings.Contains(w, "blocked by CORS policy")
	})
}
