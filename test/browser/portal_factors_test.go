package browser

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/oidc"
)

const factorsFile = `
environment: test
oidc: [{name: corp, issuer: "@ISSUER@", audience: portreeve, clientId: "@CLIENT@", clientSecret: "@SECRET@", scopes: [openid, email]}]
signIn: corp
tenants: {defaultFor: [oidc]}
store: {url: "sqlite:portreeve.db", maxStale: 1h} # clocks jump here
session: {}
portal: {}
`

// factorsOf is anna at the page of her second factors, and the time there. A silent
// provider does not say when it asked her.
func (h *house) factorsOf(t *testing.T, silent bool) (b *tab, c *clock) {
	t.Helper()
	c = &clock{}
	client := oidc.Client{ID: fmt.Sprint("portreeve-", h.made.Add(1)), Secret: strings.Repeat("s3cret-", 6), Provider: "corp", Silent: silent}
	e := edge.Start(t, edge.Setting{Text: factorsFile, Now: c.now, Words: map[string]string{"ISSUER": h.people.Issuer, "CLIENT": client.ID, "SECRET": client.Secret}})
	client.Origin = "http://localhost:" + e.Addr[strings.LastIndexByte(e.Addr, ':')+1:]
	h.people.Add(t, client)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(e.Log.String())
		}
	})
	b = open(t, h.browser, client.Origin)
	return b.goTo(client.Origin + "/factors").provider("anna").shows("Second factors"), c
}

// scanned is the authenticator app that has scanned the page's picture.
func (b *tab) scanned() telephone {
	b.t.Helper()
	b.until(`document.querySelector(".qr")?.complete && document.querySelector(".qr").naturalWidth > 100`)
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(eval[string](b, `document.querySelector("[name=secret]").value`))
	if err != nil {
		b.t.Fatal(err)
	}
	return telephone{raw}
}

// notes waits for what a page says of the form before.
func (b *tab) notes(words string) *tab {
	b.t.Helper()
	return b.until(fmt.Sprintf(`document.querySelector(".notice:not([hidden])")?.innerText.includes(%q)`, words))
}

// portalFactors sets up an app and a passkey by the mouse, and shows them where a
// change asks for one.
func portalFactors(t *testing.T, h *house) {
	b, c := h.factorsOf(t, true)
	b.click(`a[href="/factors/app"]`).shows("Set up an authenticator app").click("main form .button").shows("Sign in again")
	b.click(`a[href*="again=true"]`).until(`document.querySelector("input[name=login]")`) // it knows her, and asks
	b.fill("input[name=login]", "anna").fill("input[name=password]", "anything").click("button.login-submit")
	b.shows("Set up an authenticator app").click("main form .button")
	p := b.scanned()
	b.fill("#code", "000000").click("main form .button").until(`document.querySelector("#code-issue")`)
	if again := b.scanned(); string(again.secret) != string(p.secret) {
		t.Error("a wrong code changes the secret")
	}
	b.fill("#code", p.code(c.now())).click("main form .button").shows("Your authenticator app is on")
	b.until(`document.querySelectorAll("#codes code").length === 10 && !document.querySelector("#download").hidden`).click("#download")
	b.click("main > .acts .button").shows("Second factors").until(`document.querySelector("main").innerText.includes("10 codes")`)

	// A further factor takes the first.
	b.authenticator()
	const add = "form[data-passkey=register] > .acts .button"
	b.click(`a[href="/factors/passkey"]`).shows("Add a passkey").fill("#name", "Laptop <b>").click(add)
	b.until(`document.activeElement.id === "mfaCode"`)
	b.fill("#mfaCode", "000000").click(add).until(`document.querySelector("[data-passkey-problem]:not([hidden])")?.innerText.includes("This code is wrong")`)
	c.advance(30 * time.Second)
	b.fill("#mfaCode", p.code(c.now())).click(add).notes("The passkey is added")
	if text := b.text(); !strings.Contains(text, "Laptop <b>") {
		t.Errorf("its name is not there: %s", text)
	}

	// The passkey serves where a code is asked for.
	c.advance(11 * time.Minute)
	b.click(`a[href="/factors/codes"]`).shows("Backup codes").click("main form .button").until(`document.querySelector("#mfaCode")`)
	b.click("[data-passkey=submit]").shows("Your backup codes")
	c.advance(11 * time.Minute)
	b.click("main > .acts .button").click("[data-passkey=test]").notes("It works")

	b.click("main tbody a").shows("Remove a passkey").click("main form .button.stop").notes("The passkey is removed")
	b.quiet()
}

// portalFactorsByKeys does without a mouse.
func portalFactorsByKeys(t *testing.T, h *house) {
	b, c := h.factorsOf(t, false)
	on := func(label string, tabs int) *tab {
		t.Helper()
		b.press("\t").press("\r").until(`document.activeElement.id === "main"`) // over the menu
		for range tabs {
			b.press("\t")
		}
		if got := eval[string](b, `document.activeElement.textContent.trim()`); got != label {
			t.Fatalf("the focus is on %q, not %q", got, label)
		}
		return b
	}
	on("Set up an app", 1).press("\r").shows("Set up an authenticator app")
	on("Show the picture", 2).press("\r")
	p := b.scanned()
	b.until(`document.activeElement.id === "code"`).press(p.code(c.now()) + "\r").shows("Your authenticator app is on")
	b.goTo(b.home + "/factors/off").shows("Turn second factors off")
	on("Turn them off", 2).press("\r").until(`document.activeElement.id === "problems"`)
	c.advance(30 * time.Second)
	b.press("\t\t").until(`document.activeElement.id === "mfaCode"`).press(p.code(c.now()) + "\r").notes("Second factors are off")
	b.quiet()
}
