package browser

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/oidc"
)

// house is what the flows share: a browser, and a provider to sign in at.
type house struct {
	browser context.Context
	people  *oidc.People
	made    atomic.Int64
}

// TestInABrowser runs every flow; each has a Portreeve and browsers of its own.
func TestInABrowser(t *testing.T) {
	h := &house{people: oidc.StartPeople(t), browser: chromium(t)}
	for name, flow := range map[string]func(*testing.T, *house){
		"signing in":                     signingIn,
		"signing out in another tab":     signingOut,
		"back-channel log-out":           backChannel,
		"a session that is revoked":      revoked,
		"a refusal":                      refusal,
		"a sign-in that is cancelled":    cancelled,
		"an authenticator app":           authenticatorApp,
		"a passkey":                      passkey,
		"second factors in the portal":   portalFactors,
		"second factors without a mouse": portalFactorsByKeys,
		"planted cookies":                plantedCookies,
		"pages of other sites":           otherSites,
		"where a sign-in leads":          leadsNowhereElse,
		"two tabs refresh at once":       twoTabs,
		"escrow is set up":               escrowSetUp,
		"escrow, from secret to sheet":   escrowLife,
		"escrow, an imported key":        escrowImported,
		"escrow on two hosts":            escrowHosts,
		"every page":                     everyPage,
		"the keyboard alone":             keyboard,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow(t, h)
		})
	}
}

// world is a Portreeve before an application.
type world struct {
	*edge.Edge
	t      *testing.T
	h      *house
	origin string // http://localhost:port: browsers keep Secure cookies for that name
	people *oidc.People
}

const file = `
environment: test
oidc: [{name: corp, issuer: "@ISSUER@", audience: portreeve, clientId: "@CLIENT@", clientSecret: "@SECRET@", scopes: [openid, email, offline_access]}@MORE@]
signIn: corp
tenants: {defaultFor: [oidc]}
rbac: {enabled: true, roles: [{name: editor, permissions: ["docs:write"]}]}
store: {url: "sqlite:portreeve.db", maxStale: 1h} # clocks jump here
session: {devLink: link@example.com}
upstream: "@APP@"
routes:
  - {path: /app/*, method: any, requireAuth: true}
  - {path: /open, method: any}
  - {path: /docs/write, method: any, requiredPermissions: ["docs:write"]}
  - {path: /vault/*, method: any, requireMfa: true}
`

// start starts a Portreeve that is the provider's client. more is a second
// provider of the file, or nothing.
func (h *house) start(t *testing.T, people *oidc.People, more string, now func() time.Time) *world {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(application))
	t.Cleanup(app.Close)
	c := oidc.Client{ID: fmt.Sprint("portreeve-", h.made.Add(1)), Secret: strings.Repeat("s3cret-", 6), Provider: "corp"}
	w := &world{t: t, h: h, people: people, Edge: edge.Start(t, edge.Setting{Text: file, Now: now, Words: map[string]string{
		"ISSUER": people.Issuer, "CLIENT": c.ID, "SECRET": c.Secret, "MORE": more, "APP": app.URL}})}
	w.origin = "http://localhost:" + w.Addr[strings.LastIndexByte(w.Addr, ':')+1:]
	c.Origin = w.origin
	people.Add(t, c)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Log.String())
		}
	})
	return w
}

// portreeve is start as most flows want it.
func (h *house) portreeve(t *testing.T) *world { t.Helper(); return h.start(t, h.people, "", nil) }

// application shows what it was asked, and by whom.
func application(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/vault/away" { // as an application with a sign-in of its own does
		http.Redirect(rw, r, r.URL.Query().Get("to"), http.StatusFound)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(rw, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title><h1>Application</h1>
<p id="asked">%s %s</p><p id="who">%s</p>
<form method="post" action="/.portreeve/logout"><button id="out">Sign out</button></form>`,
		r.Method, html.EscapeString(r.URL.RequestURI()), html.EscapeString(r.Header.Get("X-Portreeve-Email")))
}

// visitor is the browser of somebody new.
func (w *world) visitor() *tab { w.t.Helper(); return open(w.t, w.h.browser, w.origin) }

// provider fills in the provider's form, which is on the page.
func (b *tab) provider(name string) *tab {
	b.t.Helper()
	b.until(`document.querySelector("input[name=login]")`)
	b.fill("input[name=login]", name).fill("input[name=password]", "anything").click("button.login-submit")
	return b.consent()
}

// consent lets the provider tell Portreeve.
func (b *tab) consent() *tab {
	b.t.Helper()
	return b.click(`form:has(input[name=prompt][value=consent]) button`)
}

// lands waits for the application's page.
func (b *tab) lands(path string) *tab {
	b.t.Helper()
	return b.until(fmt.Sprintf(`document.querySelector("#asked")?.innerText === %q`, "GET "+path))
}

// signIn signs somebody in at the page of a path.
func (w *world) signIn(name, path string) *tab {
	w.t.Helper()
	return w.visitor().goTo(w.origin + path).provider(name).lands(path)
}

// who is what whoami says to a script of the page.
func (b *tab) who() map[string]any {
	b.t.Helper()
	return eval[map[string]any](b, `fetch("/.portreeve/whoami").then((r) => r.json())`)
}

// in reports whether the browser is signed in.
func (b *tab) in() bool {
	b.t.Helper()
	return b.fetch("GET", "/app/in", "").Status == 200
}
