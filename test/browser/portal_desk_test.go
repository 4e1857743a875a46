package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/oidc"
	"github.com/portreeve/portreeve/test/peer"
)

// desk is a Portreeve with the portal that all of its flows share: a fleet with
// more of everything than a page shows, people of every role, and a tenant beside.
type desk struct {
	*edge.Edge
	browser context.Context
	origin  string // http://localhost:port
	team    *standin.Access
	clock   clock
	look    *look
	admin   string // the credential of a program that may do everything here
	rows    rows
}

const deskFile = `
environment: test
oidc: {name: corp, issuer: "@ISSUER@", audience: portreeve, clientId: desk, clientSecret: "@SECRET@", scopes: [openid, email]}
access: {teamDomain: acme.cloudflareaccess.com, audience: portal, certsURL: "@CERTS@"}
jwt: {secret: "@SECRET@"}
signIn: corp
tenants: {defaultFor: [jwt, oidc, access], autoCreate: true}
store: {url: "sqlite:portreeve.db", maxStale: 1h} # the clock jumps here
session: {idle: 20m, devLink: {user: olga@example.com, roles: [admin, operator]}}
rateLimit: {enabled: false} # everybody here comes from one address, faster than people do
rbac: {roles: [{name: operator, permissions: ["platform:read"]}]}
portal: {}
agents: {collections: [agents, teams]}
`

// TestThePortal is the portal as people meet it.
func TestThePortal(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	t.Run("flows", func(t *testing.T) {
		for name, flow := range map[string]func(*testing.T){
			"every page, narrow":      d.narrow,
			"every page, wide":        d.wide,
			"by mouse":                d.byMouse,
			"by keyboard":             d.byKeyboard,
			"signed in by Access":     d.byAccess,
			"who may do what":         d.roles,
			"without scripts":         d.withoutScripts,
			"hostile names":           d.hostile,
			"forms that go astray":    d.astray,
			"addresses that are made": d.addresses,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				flow(t)
			})
		}
	})
	d.expiry(t) // the clock is everybody's
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join(peer.Node(t, "axe-core"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	people, secret := oidc.StartPeople(t), strings.Repeat("s3cret-", 6)
	team, err := standin.NewAccess(edge.Listen(t), standin.AccessOptions{Team: "acme.cloudflareaccess.com", Audience: "portal"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = team.Close() })
	d := &desk{browser: chromium(t), team: team, look: &look{axe: string(axe), shots: os.Getenv("PORTREEVE_SHOTS")}}
	d.Edge = edge.Start(t, edge.Setting{Text: deskFile, Now: d.clock.now, Words: map[string]string{
		"ISSUER": people.Issuer, "CERTS": team.CertsURL(), "SECRET": secret}})
	d.origin = "http://localhost:" + d.Addr[strings.LastIndexByte(d.Addr, ':')+1:]
	people.Add(t, oidc.Client{ID: "desk", Secret: secret, Provider: "corp", Origin: d.origin})
	d.admin = d.token(t, "")
	d.fill(t)
	t.Cleanup(func() {
		if t.Failed() && testing.Verbose() {
			t.Log(d.Log.String())
		}
	})
	return d
}

// token is the credential of a program with every role of a tenant.
func (d *desk) token(t *testing.T, tenant string) string {
	t.Helper()
	s, err := app.Token(d.Source, app.TokenRequest{Subject: "filler", Email: "filler@example.com", Roles: []string{"admin"}, Tenant: tenant, Expires: time.Hour, Now: d.clock.now()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// api asks an operation as a program, and returns the id that it answers.
func (d *desk) api(t *testing.T, token, method, path string, in any) string {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	a := d.Ask(t, method, path, string(raw), edge.Bearer(token), "Content-Type: application/json", "Origin: "+d.URL)
	if a.Status >= 300 {
		t.Fatalf("%s %s %.200s: %d %s", method, path, raw, a.Status, a.Body)
	}
	var out struct{ ID, Token, Key string }
	_ = json.Unmarshal([]byte(a.Body), &out)
	if out.Token != "" {
		return out.Token
	}
	return out.ID
}

// visitor is the browser of somebody new. What its pages complain of fails the
// flow, as does one that came with another policy than the portal's.
func (d *desk) visitor(t *testing.T) *tab { t.Helper(); return d.visitorAt(t, d.origin) }

func (d *desk) visitorAt(t *testing.T, home string) *tab {
	t.Helper()
	b := open(t, d.browser, home)
	d.watch(b)
	b.screen(1280, "light")
	return b
}

// beside is another tab of the same browser.
func (d *desk) beside(b *tab) *tab {
	b.t.Helper()
	other := b.beside()
	d.watch(other)
	return other
}

const portalPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func (d *desk) watch(b *tab) {
	b.t.Helper()
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if _, is := ev.(*page.EventJavascriptDialogOpening); is { // an alert of somebody's name
			b.mu.Lock()
			b.wrong = append(b.wrong, b.at+": a dialog")
			b.mu.Unlock()
			go call(b, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		b.quiet()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, l := range b.loaded {
			path, ours := strings.CutPrefix(l.url, b.home)
			if !ours || strings.HasPrefix(path, "/.portreeve/") || l.status == 303 || !strings.HasPrefix(l.header["content-type"], "text/html") {
				continue
			}
			if got := l.header["content-security-policy"]; got != portalPolicy && l.header["x-portreeve-decision"] == "" || l.header["cache-control"] != "no-store" || l.header["x-content-type-options"] != "nosniff" {
				b.t.Errorf("%s (%d): %v", path, l.status, l.header)
			}
		}
	})
}

// signIn signs somebody in at the provider, who comes from a page.
func (d *desk) signIn(t *testing.T, name, path string) *tab {
	t.Helper()
	return d.visitor(t).goTo(d.origin + path).provider(name).until(fmt.Sprintf(`location.pathname === %q`, path))
}

// byLink signs olga in by the development link. It works once.
func (d *desk) byLink(t *testing.T) *tab {
	t.Helper()
	link := d.Links["olga@example.com"]
	return d.visitor(t).goTo(d.origin + link[strings.Index(link, "/.portreeve/"):]).click("form button").shows("Overview")
}

// inside is the browser of somebody whom Access let in: what is in front of
// Portreeve then says so in a header, and passes the rest on.
func (d *desk) inside(t *testing.T, email string) *tab {
	t.Helper()
	to, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := d.team.Mint(email, nil)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Cf-Access-Jwt-Assertion", assertion)
	}, ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) }})
	t.Cleanup(front.Close)
	return d.visitorAt(t, "http://localhost:"+front.URL[strings.LastIndexByte(front.URL, ':')+1:])
}

// says waits for the message of a page that a form led to.
func (b *tab) says(words string) *tab {
	b.t.Helper()
	return b.until(fmt.Sprintf(`document.querySelector(".notice")?.innerText.includes(%q)`, words))
}
