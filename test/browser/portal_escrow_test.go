package browser

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/store"
)

// escrowSetUp is the way of a tenant's first key, with what people do on it: they
// load the page again in the middle, and have it open in two tabs.
func escrowSetUp(t *testing.T, h *house) {
	o := h.office(t)
	a := o.signedIn()
	a.open("/escrow").shows("Escrow key")
	if !strings.Contains(a.text(), "No key yet") {
		t.Errorf("without a key: %s", a.text())
	}
	a.open("/escrow/rotate").shows("Replace the key").until(`document.querySelector(".empty a[href='/escrow/setup']")`)

	// What was begun is not there after the page was loaded again.
	a.open("/escrow/setup").shows("Set up escrow")
	a.at("choose").until(`document.querySelector("#words").textContent`)
	a.click("#step-choose > .acts .button")
	a.told("choose", "break-glass scheme first")
	void := a.generated()
	a.at("sheets").click("#cut").until(`document.querySelectorAll(".sheet").length === 5`)
	voidSheet := a.read(".sheet .share")
	a.open("/escrow/setup").at("choose")
	if a.asked.Load() != 1 {
		t.Error("the page is left without a word, and sheets are printed")
	}
	if eval[int](a.tab, `document.querySelectorAll(".sheet").length`) != 0 || a.read("#words") == void {
		t.Error("something is left of the page before")
	}

	// Two tabs: the second is told that its sheets open nothing.
	b := o.clerk(a.beside())
	b.open("/escrow/setup").at("choose")
	lost := b.generated()
	lostSheets := b.sheets()
	b.at("store")

	// A passphrase of one's own has to be a good one, typed twice.
	a.click("#way-own").fill("#new", "password password").until(`/guessed too soon/.test(document.querySelector("#strength").textContent)`)
	a.click("#kept").click("#step-choose > .acts .button")
	a.told("choose", "guessed too soon")
	eval[bool](a.tab, `(document.querySelector("#new").value = "", true)`)
	const own = "plinth gravel otter sunday mosaic tin"
	a.fill("#new", own).fill("#again", own+"s").click("#step-choose > .acts .button")
	a.told("choose", "not the same")
	a.click("#way-made")
	passphrase := a.generated()
	shares := a.sheets()
	a.stores()
	signer := a.read("#done .copyable code")

	b.click("#store-it")
	b.told("store", "Destroy the sheets")
	a.open("/escrow").until(`document.querySelector("#chain")?.textContent.includes("verified in this browser")`)
	if got := a.read(".facts > div:nth-child(2) code"); got != signer || len(signer) != 43 {
		t.Errorf("the signer is %q, and was %q", got, signer)
	}
	a.fill("#pinned", signer).click("#pin .button").until(`document.querySelector("#pin-verdict").textContent.includes("hangs on the signer")`)
	a.fill("#pinned", "x").click("#pin .button").until(`document.querySelector("#pin-verdict").textContent.includes("not the same")`)
	a.click("#opens").until(`document.querySelector("#opened")?.innerText.includes("3 of 5")`)
	a.open("/escrow/setup").until(`document.querySelector(".empty")?.innerText.includes("There is a key already")`)
	o.seal("DESK-1", "bitlocker", "445566", "--signer", signer)

	a.keeps(append(shares, passphrase, void, voidSheet, own)...)
	b.keeps(append(lostSheets, lost)...)
	a.quiet()
	b.quiet()
}

// escrowLife is what comes after: secrets are revealed, the passphrase is changed,
// the key replaced, and recovered by sheets.
func escrowLife(t *testing.T, h *house) {
	o := h.office(t)
	a := o.signedIn()
	a.open("/escrow/setup")
	passphrase := a.generated()
	shares := a.sheets()
	a.stores()
	signer := a.read("#done .copyable code")
	const hostile = `<img src=x onerror="document.title='gone'">` + "\n\u202eevil"
	const bitlocker = "445566-112233-778899"
	o.seal("DESK-1", "bitlocker", bitlocker, "--signer", signer)
	o.seal("DESK-1", "admin-password", hostile, "--signer", signer)

	// A wrong passphrase is said before anything is handed out.
	a.machine("DESK-1")
	a.reveals("bitlocker", "disk replaced", "not-the-passphrase-of-anybody")
	const box = `[data-reveal][data-kind="bitlocker"]`
	a.until(`document.querySelector('` + box + ` [role=alert]:not([hidden])')?.innerText.includes("not the passphrase")`)
	if n := o.count(a.tab, "secret.revealed"); n != 0 {
		t.Errorf("with a wrong passphrase, %d secrets were handed out", n)
	}
	eval[bool](a.tab, `(document.querySelector('`+box+` [id^=passphrase]').value = "", true)`)
	a.fill(box+" [id^=passphrase]", passphrase).click(box + " form .acts .button")
	a.revealed("bitlocker", bitlocker)
	if n := o.count(a.tab, "secret.revealed"); n != 1 {
		t.Errorf("%d events for one secret", n)
	}
	if !strings.Contains(a.read(box+" .left"), "Hidden in") {
		t.Error("nothing says when it will be hidden")
	}
	// The passphrase is asked for once.
	a.reveals("admin-password", "somebody asked", "")
	a.revealed("admin-password", hostile)
	if title := eval[string](a.tab, `document.title`); title == "gone" || eval[int](a.tab, `document.images.length`) != 0 {
		t.Error("a secret was markup")
	}
	a.click(box + " .revealed .button:last-of-type").until(`!document.querySelector('` + box + ` pre')`)
	// What is shown is hidden after a minute, and the keys go after five quiet ones.
	a.later(time.Minute).until(`!document.querySelector("[data-reveal] pre")`)
	a.later(5 * time.Minute)
	a.reveals("bitlocker", "five minutes later", passphrase)
	a.revealed("bitlocker", bitlocker)

	// The passphrase is changed, and what is before it removed.
	a.open("/escrow/passphrase").at("open").unlocks("something-else-entirely")
	a.told("open", "not the passphrase")
	a.unlocks(passphrase)
	second := a.generated()
	a.stores()
	a.click("#older .button.stop").until(`document.querySelector("#doing").textContent.includes("Version 1 is removed")`)
	a.machine("DESK-1")
	a.reveals("bitlocker", "again", passphrase)
	a.until(`document.querySelector('` + box + ` [role=alert]:not([hidden])')?.innerText.includes("not the passphrase")`)

	// Another key, by who shows the second factor.
	_, backup := a.enrol(time.Now())
	a.open("/escrow/rotate").at("open").unlocks(second)
	third := a.generated()
	newShares := a.sheets()
	a.at("store").click("#store-it").until(`document.querySelector("dialog[open]")`)
	a.fill("#factor-code", "abcdefgh").click("dialog .button").until(`document.querySelector("dialog [role=alert]:not([hidden])")`)
	a.fill("#factor-code", backup[0]).click("dialog .button")
	a.at("done")
	a.open("/escrow").until(`document.querySelector("#chain")?.textContent.includes("verified in this browser")`)
	if v := eval[weighed](a.tab, weigh); v.Bytes > mostBytes || v.Requests > mostModules || v.Shift > mostShift {
		t.Errorf("the page of a key: %d bytes, %d requests, shift %.4f of %q", v.Bytes, v.Requests, v.Shift, v.Moved)
	}
	if got := a.read(".facts > div:nth-child(2) code"); got != signer {
		t.Errorf("a rotation changes the signer from %q to %q", signer, got)
	}
	o.seal("DESK-1", "luks", "of the new key", "--signer", signer)
	a.machine("DESK-1")
	a.reveals("luks", "new key", third)
	a.revealed("luks", "of the new key")
	a.reveals("bitlocker", "old key", third)
	a.until(`document.querySelector('` + box + ` [role=alert]:not([hidden])')?.innerText.includes("key from before")`)
	a.fill(box+" [id^=passphrase]", second).click(box + " form .acts .button")
	a.revealed("bitlocker", bitlocker)

	// The passphrase is lost. Sheets of the key before do not open this one.
	a.open("/escrow/recover").at("shares").typed("shares", shares[0], shares[1], shares[2])
	a.told("shares", "no copy for sheets of set")
	a.open("/escrow/recover").at("shares").typed("shares", newShares[0], newShares[3], newShares[4])
	fourth := a.generated()
	a.at("store").click("#store-it")
	a.until(`document.querySelector("dialog[open], #step-done:not([hidden])")`)
	if eval[bool](a.tab, `!!document.querySelector("dialog[open]")`) {
		a.fill("#factor-code", backup[1]).click("dialog .button")
	}
	a.at("done")
	o.seal("DESK-1", "late", "of the new key too", "--signer", signer)
	a.machine("DESK-1")
	a.reveals("luks", "recovered", fourth)
	a.revealed("luks", "of the new key")

	// Signed out in another tab.
	b := o.clerk(a.beside())
	if b.open("/escrow"); b.fetch("POST", "/.portreeve/logout", "").Status != 200 {
		t.Error("signing out")
	}
	a.reveals("late", "signed out", "")
	a.until(`document.querySelector('[data-kind="late"] [role=alert]:not([hidden])')?.innerText.includes("no longer signed in")`)
	if eval[int](a.tab, `document.querySelectorAll("[data-reveal] pre").length`) != 0 {
		t.Error("a secret is still shown to somebody who signed out")
	}
	a.keeps(append(append(shares, newShares...), passphrase, second, third, fourth, bitlocker)...)
	a.quiet()
}

// escrowImported is a key of the older system's: it is opened as it is, wrapped anew,
// and gets a signing key.
func escrowImported(t *testing.T, h *house) {
	o := h.office(t)
	public, wrapped, kid, passphrase := importedVector(t)
	if err := o.host.DB.Tx(t.Context(), func(tx *store.Tx) error {
		_, err := o.host.Escrow.ImportKey(tx, escrow.By{Tenant: o.host.DefaultTenant(), Actor: o.host.Actor()}, escrow.KeyRow{Public: public, Wrapped: wrapped})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	a := o.signedIn()
	a.open("/escrow").until(`document.querySelector("#chain")?.textContent.includes("nothing to verify")`)
	for _, words := range []string{"imported, and nothing signs it", "weaker than new ones may be", "2048 bits"} {
		if !strings.Contains(a.text(), words) {
			t.Errorf("nothing says %q", words)
		}
	}
	a.click("#opens").until(`document.querySelector("#opened")?.innerText.includes("Wrap the key anew")`)
	a.open("/escrow/rotate").until(`document.querySelector(".empty")?.innerText.includes("Nothing signs the present key")`)
	o.seal("OLD-1", "admin-password", "of an engine", "--raw")
	a.machine("OLD-1")
	a.reveals("admin-password", "before", passphrase)
	a.revealed("admin-password", "of an engine")
	if !strings.Contains(a.text(), "Not bound to its machine") {
		t.Error("nothing says that it is not bound to its machine")
	}

	a.open("/escrow/passphrase").at("open").unlocks(passphrase)
	next := a.generated()
	shares := a.sheets()
	a.stores()
	signer := a.read("#done .copyable code")
	a.open("/escrow").until(`document.querySelector("#chain")?.textContent.includes("verified in this browser")`)
	if a.read("#escrow .facts code") != kid || a.read(".facts > div:nth-child(2) code") != signer {
		t.Error("it is another key")
	}
	o.seal("OLD-1", "bitlocker", "bound", "--signer", signer)
	a.machine("OLD-1")
	a.reveals("bitlocker", "after", next)
	a.revealed("bitlocker", "bound")
	a.reveals("admin-password", "after", "")
	a.revealed("admin-password", "of an engine")
	// And then it can be replaced by a stronger one.
	a.open("/escrow/rotate").at("open").unlocks(next)
	last := a.generated()
	more := a.sheets()
	a.stores()
	a.open("/escrow").until(`document.querySelector("#chain")?.textContent.includes("verified in this browser")`)
	if strings.Contains(a.text(), "weaker than") {
		t.Error("the new key is weak")
	}
	a.keeps(append(append(shares, more...), passphrase, next, last)...)
	a.quiet()
}

// importedVector is a key of the vectors, as the older system wrapped it.
func importedVector(t *testing.T) (public, wrapped, kid, passphrase string) {
	t.Helper()
	const vectors = "../../internal/escrow/testdata/vectors/"
	var good struct {
		Wrapped []struct{ Name, Kid, Wrapped, Passphrase string }
	}
	var keys []struct {
		Kid string
		Set struct{ Keys []struct{ Kty, N, E string } }
	}
	for name, into := range map[string]any{"good.json": &good, "keys.json": &keys} {
		raw, err := os.ReadFile(vectors + name)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range good.Wrapped {
		for _, k := range keys {
			if w.Name == "imported: PKCS #8" && k.Kid == w.Kid {
				jwk := k.Set.Keys[0]
				return `{"kty":"RSA","n":"` + jwk.N + `","e":"` + jwk.E + `"}`, w.Wrapped, w.Kid, w.Passphrase
			}
		}
	}
	t.Fatal("no imported key among the vectors")
	return "", "", "", ""
}
