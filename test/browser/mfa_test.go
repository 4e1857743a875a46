package browser

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
)

// telephone is an authenticator app (RFC 6238).
type telephone struct{ secret []byte }

func (p telephone) code(at time.Time) string {
	m := hmac.New(sha1.New, p.secret)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := m.Sum(nil)
	cut := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", cut%1_000_000)
}

// enrol sets up an authenticator app as the documentation says, from a page of the
// site: the session's cookie is the credential.
func (b *tab) enrol(now time.Time) (p telephone, backup []string) {
	b.t.Helper()
	ask := func(path, body string, into any) {
		b.t.Helper()
		a := b.fetch("POST", path, body)
		if a.Status != 200 {
			b.t.Fatalf("%s: %d %s", path, a.Status, a.Body)
		}
		if err := json.Unmarshal([]byte(a.Body), into); err != nil {
			b.t.Fatal(err)
		}
	}
	var setup struct{ Secret, QR string }
	ask("/mfa/setup", "{}", &setup)
	if !strings.HasPrefix(setup.QR, "data:image/png;base64,") {
		b.t.Errorf("the QR code is %.30q", setup.QR)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Secret)
	if err != nil {
		b.t.Fatal(err)
	}
	p = telephone{secret}
	var verified struct{ Verified bool }
	if ask("/mfa/verify", fmt.Sprintf(`{"code": %q}`, p.code(now)), &verified); !verified.Verified {
		b.t.Fatal("not verified")
	}
	var enabled struct{ BackupCodes []string }
	if ask("/mfa/enable", "{}", &enabled); len(enabled.BackupCodes) != 10 {
		b.t.Fatalf("%d backup codes", len(enabled.BackupCodes))
	}
	return p, enabled.BackupCodes
}

// clock is a Portreeve's time, which tests move on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

const alert = `document.querySelector("[role=alert]:not([hidden])")?.innerText`

// mistype types a code into the prompt that it does not take, and waits for the page
// that says so.
func (b *tab) mistype(code string) *tab {
	b.t.Helper()
	eval[bool](b, `window.before = true`)
	return b.fill("#code", code).click("form button").until(`!window.before && ` + alert)
}

func authenticatorApp(t *testing.T, h *house) {
	var c clock
	w := h.start(t, h.people, "", c.now)
	b := w.signIn("anna", "/app/one")
	b.goTo(w.origin + "/vault/gold").shows("One more step")
	if text := b.text(); !strings.Contains(text, "has none yet") {
		t.Errorf("without a factor: %s", text)
	}
	before := b.cookies(w.origin)[sessionCookie].Value
	p, backup := b.enrol(c.now())
	spent := p.code(c.now())

	const page = "/vault/gold?bars=7&of=%2F"
	b.goTo(w.origin + page).shows("One more step")
	right := p.code(c.now().Add(30 * time.Second))
	wrong := "000000"
	for at := c.now(); wrong == p.code(at) || wrong == p.code(at.Add(30*time.Second)) || wrong == p.code(at.Add(-30*time.Second)); {
		wrong = "111111"
	}
	for what, code := range map[string]string{"a wrong code": wrong, "a code that was used": spent} {
		b.mistype(code)
		if text := eval[string](b, alert); b.last().status != 400 || !strings.Contains(text, "wrong, or was used before") {
			t.Errorf("%s: %d %s", what, b.last().status, text)
		}
	}
	c.advance(30 * time.Second)
	b.fill("#code", right).click("form button").lands(page)
	b.beside().goTo(w.origin + "/vault/silver").lands("/vault/silver")
	if m := b.cookies(w.origin)["__Host-portreeve-mfa"]; m == nil || !m.Secure || !m.HTTPOnly {
		t.Errorf("the step-up's cookie: %+v", m)
	}
	if b.in(); b.cookies(w.origin)[sessionCookie].Value == before {
		t.Error("a step-up does not change the session's cookie")
	}
	// Where the application leads on to another site, the prompt is no obstacle.
	away := w.elsewhere("127.0.0.1") + "/"
	third := w.signIn("anna", "/app/three").goTo(w.origin + "/vault/away?to=" + url.QueryEscape(away)).shows("One more step")
	third.fill("#code", backup[4]).click("form button").until(`location.href === "` + away + `"`)
	third.quiet()
	// What is shown once counts once, in any session.
	other := w.signIn("anna", "/app/two").goTo(w.origin + "/vault/gold").shows("One more step")
	other.mistype(right)
	other.fill("#code", backup[3]).click("form button").lands("/vault/gold")
	// Step-ups end.
	c.advance(11 * time.Minute)
	b.goTo(w.origin + "/vault/gold").shows("One more step")
	b.quiet()
	other.quiet()
}

// register makes a passkey as the documentation says.
const register = `(async () => {
  const from = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const post = async (path, body) => {
    const r = await fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    return {status: r.status, body: await r.json()};
  };
  const begun = await post("/mfa/passkeys/register/begin", {});
  if (begun.status !== 200) return {status: begun.status, body: JSON.stringify(begun.body)};
  const credential = await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(begun.body.publicKey)});
  const done = await post("/mfa/passkeys/register/finish", {name: "Laptop", ...credential.toJSON()});
  return {status: done.status, body: JSON.stringify(done.body)};
})()`

// authenticator gives the tab one that is part of the machine.
func (b *tab) authenticator() webauthn.AuthenticatorID {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	return call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
		HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}).AuthenticatorID
}

func (b *tab) enrolPasskey() {
	b.t.Helper()
	if r := eval[got](b, register); r.Status != 201 {
		b.t.Fatalf("register a passkey: %d %s", r.Status, r.Body)
	}
}

func passkey(t *testing.T, h *house) {
	w := h.portreeve(t)
	b := w.signIn("anna", "/app/one")
	id := b.authenticator()
	b.enrolPasskey()
	const page = "/vault/gold?bars=7"
	b.goTo(w.origin + page).shows("One more step")

	// Whoever cannot show it is told so and may try again.
	call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id})
	b.click("#passkey").until(alert)
	if text := eval[string](b, alert); !strings.Contains(text, "No passkey was used") || eval[bool](b, `document.querySelector("#passkey").disabled`) {
		t.Errorf("a passkey that is not shown: %s", text)
	}
	call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: true})
	b.click("#passkey").lands(page)
	b.quiet()

	// Another browser has not got it.
	other := w.signIn("anna", "/app/two")
	other.authenticator()
	other.goTo(w.origin + page).click("#passkey").until(alert)
	if other.fetch("GET", "/vault/gold", "").Status != 403 {
		t.Error("let in without the passkey")
	}
	call(b, webauthn.Disable, cdp.Empty{})
}
