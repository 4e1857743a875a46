package browser

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
)

// plant sets a cookie as whoever has had a hand on the browser before.
func (b *tab) plant(origin, name, value string) {
	b.t.Helper()
	yes := true
	call(b, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: origin, Path: "/", Secure: &yes, HTTPOnly: &yes})
	if b.cookies(origin)[name] == nil {
		b.t.Fatalf("the browser does not take %s", name)
	}
}

// A cookie that was there before signing in never becomes a session: neither one
// that somebody thought up, nor one of the attacker's own.
func plantedCookies(t *testing.T, h *house) {
	w := h.portreeve(t)
	eve := w.signIn("eve", "/app/one")
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	for what, planted := range map[string]string{
		"one that is thought up": base64.RawURLEncoding.EncodeToString(raw),
		"one of somebody's own":  eve.cookies(w.origin)[sessionCookie].Value,
	} {
		b := w.visitor()
		b.plant(w.origin, sessionCookie, planted)
		b.plant(w.origin, preCookie, planted)
		if strings.Contains(what, "own") { // a session it is: whoever signs in leaves it behind
			b.goTo(w.origin + "/.portreeve/login/corp?return=/app/mine")
		} else {
			b.goTo(w.origin + "/app/mine")
		}
		b.provider("bob").lands("/app/mine")
		if now := b.cookies(w.origin)[sessionCookie].Value; now == planted || b.who()["subject"] != "bob" {
			t.Errorf("%s: the planted cookie lives on; %v", what, b.who()["subject"])
		}
		if a := w.Ask(t, "GET", "/app/one", "", "Cookie: "+sessionCookie+"="+planted); a.Status != 401 {
			t.Errorf("%s: whoever planted it gets %d", what, a.Status)
		}
	}
}

// elsewhere is a page of another site with forms that lead to w.
func (w *world) elsewhere(host string) string {
	w.t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(rw, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Elsewhere</title><h1>Elsewhere</h1>
<form method="post" action="%[1]s%[2]s"><button id="send">Send</button></form><a id="follow" href="%[1]s%[2]s">Follow</a>`, w.origin, r.URL.Query().Get("to"))
	}))
	w.t.Cleanup(s.Close)
	return "http://" + host + s.URL[strings.LastIndexByte(s.URL, ':'):]
}

// What a page elsewhere has a browser send changes nothing: from another site, and
// from a sibling, whose forms carry the cookies along.
func otherSites(t *testing.T, h *house) {
	w := h.portreeve(t)
	b := w.signIn("anna", "/app/one")
	sibling, foreign := w.elsewhere("localhost"), w.elsewhere("127.0.0.1")
	page := b.beside()
	for _, from := range []string{sibling, foreign} {
		for _, to := range []string{"/.portreeve/logout", "/app/write", "/open", "/mfa/setup", "/.portreeve/mfa"} {
			page.goTo(from + "/?to=" + url.QueryEscape(to)).shows("Elsewhere").click("#send").until(fmt.Sprintf(`location.href === %q`, w.origin+to))
			want := 403
			if from == foreign { // no cookie comes along: what asks for no credential is served
				switch to {
				case "/app/write", "/mfa/setup", "/.portreeve/mfa":
					want = 401
				case "/open":
					want = 200
				}
			}
			got := page.last()
			if got.status != want {
				t.Errorf("a form of %s to %s: %d, want %d: %s", from, to, got.status, want, page.text())
			}
			if want == 403 && !strings.Contains(page.text(), "Cross-site") {
				t.Errorf("%s to %s: refused for another reason: %s", from, to, page.text())
			}
		}
		// Links lead here, signed in.
		page.goTo(from + "/?to=/app/linked").click("#follow").lands("/app/linked")
		// Scripts read nothing.
		page.goTo(from + "/").shows("Elsewhere")
		if read := eval[string](page, fmt.Sprintf(`fetch(%q, {credentials: "include"}).then((r) => r.text(), () => "blocked")`, w.origin+"/.portreeve/whoami")); read != "blocked" {
			t.Errorf("a script of %s reads %s", from, read)
		}
	}
	if !b.in() {
		t.Error("signed out by a page elsewhere")
	}
	page.goTo(w.origin + "/.portreeve/logout")
	if got := page.last().status; got != 404 && got != 405 || !b.in() {
		t.Errorf("following a link to log-out: %d", got)
	}
}

// Wherever return says to go, it is a page of this site.
func leadsNowhereElse(t *testing.T, h *house) {
	w := h.portreeve(t)
	b := w.signIn("anna", "/app/one")
	b.authenticator()
	b.enrolPasskey()
	b.goTo(w.origin + "/.portreeve/mfa?return=/app/one").click("#passkey").lands("/app/one")
	b.enrol(time.Now()) // with an app there is a form as well
	bad := []string{
		"//evil.test", "///evil.test/x", `/\evil.test`, `\\evil.test`, "/\t/evil.test", "/%09/evil.test", "/\n/evil.test", "https://evil.test", "https:evil.test", "http:///evil.test",
		"javascript:alert(document.domain)", "data:text/html,x", "/%2Fevil.test", "/%5Cevil.test", "/..//evil.test", "/.//evil.test", "/app/../..//evil.test", "@evil.test", "/;@evil.test",
		"//localhost:1/", "/.portreeve/logout", "/.portreeve/login/corp", "",
	}
	for _, back := range bad {
		b.goTo(w.origin + "/.portreeve/login/corp?return=" + url.QueryEscape(back)).until(`true`)
		if at := eval[string](b, `location.href`); at != w.origin+"/" {
			t.Errorf("a sign-in that returns to %q leads to %s", back, at)
		}
	}
	// The prompt's form and its script both go where the browser reads this.
	b.goTo(w.origin + "/app/one").lands("/app/one")
	list, err := json.Marshal(bad)
	if err != nil {
		t.Fatal(err)
	}
	for back, to := range eval[map[string][]string](b, fmt.Sprintf(`Promise.all(%s.map(async (back) => {
		const r = await fetch("/.portreeve/mfa?return=" + encodeURIComponent(back));
		const page = new DOMParser().parseFromString(await r.text(), "text/html");
		return [back, [page.querySelector("input[name=return]").value, page.querySelector("#passkey").dataset.return].map((to) => new URL(to, location.href).origin)];
	})).then(Object.fromEntries)`, list)) {
		if to[0] != w.origin || to[1] != w.origin {
			t.Errorf("the prompt leads %q to %s", back, to)
		}
	}
	b.goTo(w.origin + "/.portreeve/login?return=//evil.test").until(`location.href === "` + w.origin + `/"`)
	b.goTo(w.origin + "/.portreeve/login/corp?return=" + url.QueryEscape("/app/in?a=//evil.test")).lands("/app/in?a=//evil.test")
	b.quiet()
}
