package browser

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/app"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/portreeve/portreeve/test/oidc"
)

const (
	sessionCookie = "__Host-portreeve"
	preCookie     = "__Host-portreeve-pre"
)

// Who opens a protected page signs in and lands on it, query and all; the next tab
// is signed in already.
func signingIn(t *testing.T, h *house) {
	w := h.portreeve(t)
	const page = "/app/page?x=1&y=%2Fa&z="
	b := w.visitor().goTo(w.origin + page)
	if b.until(`document.querySelector("input[name=login]")`); b.cookies(w.origin)[preCookie] == nil {
		t.Error("no pre-session cookie")
	}
	b.provider("anna").lands(page)
	if who := eval[string](b, `document.querySelector("#who").innerText`); who != "anna@example.com" {
		t.Errorf("the application is told of %q", who)
	}
	who := b.who()
	for name, want := range map[string]any{"authenticated": true, "provider": "corp", "subject": "anna", "email": "anna@example.com", "emailVerified": true, "tenant": "main", "kind": "user"} {
		if who[name] != want {
			t.Errorf("whoami: %s is %v", name, who[name])
		}
	}
	c := b.cookies(w.origin)[sessionCookie]
	if c == nil || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Path != "/" || !c.Session {
		t.Errorf("the session's cookie: %+v", c)
	}
	if b.cookies(w.origin)[preCookie] != nil {
		t.Error("the pre-session's cookie stays")
	}
	if script := eval[string](b, `document.cookie`); script != "" {
		t.Errorf("scripts read %q", script)
	}
	b.beside().goTo(w.origin + "/app/second").lands("/app/second")
	if !strings.Contains(b.fetch("GET", "/.portreeve/sessions", "").Body, `"current":true`) {
		t.Error("the session does not stand in its owner's list")
	}
	b.quiet()
}

// Whoever changes their mind at the provider, or finds it broken, is told so in
// words, and gets on from there.
func cancelled(t *testing.T, h *house) {
	people := oidc.StartPeople(t)
	var ahead atomic.Int64
	people.Down(t, "/")
	w := h.start(t, people, "", func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })

	b := w.visitor().goTo(w.origin + "/app/x?y=1").shows("Not right now")
	if b.last().status != 503 || b.last().header["retry-after"] == "" {
		t.Errorf("the provider is down: %d", b.last().status)
	}
	people.Down(t, "")
	ahead.Store(int64(time.Minute)) // what did not work is not tried again at once

	b.click(`a.button`).click(`a[href*="/abort"]`).shows("You are not signed in")
	if rec, err := app.Lookup(w.Source, eval[string](b, `document.querySelector(".id").innerText`)); err != nil || rec.Reason != "provider_denied" {
		t.Errorf("the decision on the page: %+v, %v", rec, err)
	}
	if b.last().status != 403 || strings.Contains(b.text(), "access_denied") {
		t.Errorf("%d %s", b.last().status, b.text())
	}

	people.Down(t, "/token")
	b.click(`a.button`).provider("anna").shows("Not right now")
	people.Down(t, "")
	b.click(`a.button`).until(`document.querySelector("#asked") || document.querySelector("form:has(input[value=consent])")`)
	b.lands("/app/x?y=1").quiet()
}
