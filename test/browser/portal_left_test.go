package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/oidc"
)

// TestEscrowLeftAlone: whoever leaves a page while keys are open leaves nothing, and
// a server that hands out another secret than the one that the page shows is told.
func TestEscrowLeftAlone(t *testing.T) {
	h := &house{people: oidc.StartPeople(t), browser: chromium(t)}
	o := h.office(t)
	a := o.signedIn()
	a.open("/escrow/setup")
	a.generated()

	// Sheets are printed: that takes more than five minutes, and not a whole day.
	a.at("sheets").click("#cut").until(`document.querySelectorAll(".sheet").length === 5`)
	a.later(6 * time.Minute)
	time.Sleep(1500 * time.Millisecond) // as long as the page takes to look at its clock
	if n := eval[int](a.tab, `document.querySelectorAll(".sheet").length`); n != 5 {
		t.Errorf("%d sheets are left after six minutes", n)
	}
	a.later(time.Hour)
	forgotten := func() {
		t.Helper()
		a.until(`document.querySelector("#trouble:not([hidden])")?.innerText.includes("forgot what was open")`)
		if at := eval[string](a.tab, `location.hash + document.querySelectorAll(".sheet").length`); at != "0" {
			t.Errorf("left on the page: %q", at)
		}
	}
	forgotten()
	if a.asked.Load() != 0 {
		t.Error("somebody who is not there was asked")
	}
	a.at("choose")
	passphrase := a.generated()
	a.sheets()
	a.stores()

	// A key that is open, and nobody there.
	a.open("/escrow/passphrase").unlocks(passphrase).at("choose")
	a.later(5 * time.Minute)
	forgotten()
	a.at("open")

	// Whoever comes back by a key that is pressed just then finds it closed too.
	a.unlocks(passphrase).at("choose")
	a.until(`(Date.now = ((now) => () => now() + 5 * 60_000)(Date.now.bind(Date)), dispatchEvent(new KeyboardEvent("keydown", { key: "a" })), true)`)
	forgotten()

	// A page that is left holds nothing, also where a browser keeps it.
	a.at("open").unlocks(passphrase).at("choose").until(`document.querySelector("#words").textContent`)
	eval[bool](a.tab, `dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	a.click("#way-made").click("#other-words").click("#kept").click("#step-choose > .acts .button")
	a.at("store").click("#store-it")
	a.told("store", "enter the passphrase again")

	// What is handed out is what was asked for.
	o.seal("DESK-1", "bitlocker", "445566")
	o.seal("DESK-2", "bitlocker", "778899")
	other := eval[string](a.tab, `fetch("/v1/secrets").then((r) => r.json()).then((a) => a.data.find((s) => s.hostname === "DESK-2").id)`)
	a.machine("DESK-1")
	const box = `[data-reveal][data-kind="bitlocker"]`
	eval[bool](a.tab, fmt.Sprintf(`((real) => { globalThis.fetch = (to, how) => real(String(to).replace(/secrets\/[^/]+\/reveal/, "secrets/%s/reveal"), how); return true })(fetch.bind(globalThis))`, other))
	a.reveals("bitlocker", "disk replaced", passphrase)
	a.until(`document.querySelector('` + box + ` [role=alert]:not([hidden])')?.innerText.includes("was swapped")`)
	if eval[bool](a.tab, `document.body.innerText.includes("778899")`) {
		t.Error("the secret of another machine is shown")
	}
	a.machine("DESK-1")
	a.reveals("bitlocker", "disk replaced", passphrase)
	a.revealed("bitlocker", "445566")
	a.quiet()
}
