package browser

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
	"github.com/portreeve/portreeve/test/oidc"
	"github.com/portreeve/portreeve/test/peer"
)

// office is a Portreeve with the portal, and a machine of its tenant.
type office struct {
	*edge.Edge
	t                      *testing.T
	h                      *house
	origin, program, token string
	host                   *app.Host
}

const officeFile = `
environment: test
oidc: [{name: corp, issuer: "@ISSUER@", audience: portreeve, clientId: "@CLIENT@", clientSecret: "@SECRET@", scopes: [openid, email]}]
signIn: corp
store: "sqlite:portreeve.db"
session: {}
portal: {}
`

func (h *house) office(t *testing.T) *office {
	t.Helper()
	client := oidc.Client{ID: fmt.Sprint("portreeve-", h.made.Add(1)), Secret: strings.Repeat("s3cret-", 6), Provider: "corp"}
	o := &office{t: t, h: h, Edge: edge.Start(t, edge.Setting{Text: officeFile, Words: map[string]string{"ISSUER": h.people.Issuer, "CLIENT": client.ID, "SECRET": client.Secret}})}
	o.origin = "http://localhost:" + o.Addr[strings.LastIndexByte(o.Addr, ':')+1:]
	client.Origin = o.origin
	h.people.Add(t, client)
	return o.staffed()
}

// staffed makes what an office works with: a program, a machine's token, and olga.
func (o *office) staffed() *office {
	t := o.t
	t.Helper()
	o.program = peer.Portreeve(t)
	o.host = o.Host(t)
	made, err := o.host.APIKeys.Create(t.Context(), o.host.KeyBy(), o.host.DefaultTenant(), apikey.Draft{Machine: true, Name: input.Optional[string]{Set: true, Value: "engine"}})
	if err != nil {
		t.Fatal(err)
	}
	o.token = made.Token.Reveal()
	if _, err := o.host.Tenants.AddUser(t.Context(), o.host.By(), o.host.DefaultTenant(), tenant.NewUser{Email: "olga@example.com", Roles: []string{"admin"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(o.Log.String())
		}
	})
	return o
}

// seal is a machine that hands over a secret by the command line; more are its
// further words.
func (o *office) seal(machine, kind, secret string, more ...string) {
	o.t.Helper()
	c := exec.CommandContext(o.t.Context(), o.program, append([]string{"escrow", "seal", "--plain", "--url", o.URL, "--machine", machine, "--kind", kind}, more...)...)
	c.Env = append(c.Environ(), "PORTREEVE_MACHINE_TOKEN="+o.token)
	c.Stdin = strings.NewReader(secret)
	if out, err := c.CombinedOutput(); err != nil {
		o.t.Fatalf("escrow seal: %v\n%s", err, out)
	}
}

// count is how many events of an action the audit trail has.
func (o *office) count(b *tab, action string) int {
	o.t.Helper()
	return eval[int](b, fmt.Sprintf(`fetch("/v1/audit?limit=100").then((r) => r.json()).then((a) => a.data.filter((e) => e.action === %q).length)`, action))
}

// clerk is somebody at the portal, whose browser is listened to.
type clerk struct {
	*tab
	o      *office
	asked  atomic.Int64 // whether a page that was left may be left
	mu     sync.Mutex
	traces []string // addresses and bodies that went out
}

func (o *office) clerk(b *tab) *clerk {
	o.t.Helper()
	c := &clerk{tab: b, o: o}
	if err := chromedp.Listen(b.ctx, func(ev any) {
		switch ev := ev.(type) {
		case *page.EventJavascriptDialogOpening:
			c.asked.Add(1)
			go call(b, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		case *network.EventRequestWillBeSent:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.traces = append(c.traces, ev.Request.URL+ev.Request.URLFragment)
			for _, part := range ev.Request.PostDataEntries {
				c.traces = append(c.traces, string(part.Bytes))
			}
		}
	}); err != nil {
		o.t.Fatal(err)
	}
	return c
}

// keeps wants that nothing of secrets went out or was put into a storage.
func (c *clerk) keeps(secrets ...string) {
	c.t.Helper()
	c.mu.Lock()
	traces := slices.Clone(c.traces)
	c.mu.Unlock()
	if len(traces) < 5 {
		c.t.Fatalf("%d requests were seen", len(traces))
	}
	stored := eval[string](c.tab, `JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])`)
	for _, s := range secrets {
		for _, at := range append(traces, stored) {
			if strings.Contains(at, s) || strings.Contains(strings.ReplaceAll(at, "-", ""), strings.ReplaceAll(s, "-", "")) {
				c.t.Errorf("something secret went out: %.80s", at)
			}
		}
	}
}

func (c *clerk) open(path string) *clerk { c.t.Helper(); c.goTo(c.o.origin + path); return c }

// at waits for a step of the page.
func (c *clerk) at(step string) *clerk {
	c.t.Helper()
	c.until(fmt.Sprintf(`document.querySelector("#step-%s:not([hidden])")`, step))
	return c
}

// told waits for what a step says is wrong.
func (c *clerk) told(step, words string) {
	c.t.Helper()
	c.until(fmt.Sprintf(`document.querySelector("#step-%s [role=alert]:not([hidden])")?.innerText.includes(%q)`, step, words))
}

// generated takes the six words that are offered.
func (c *clerk) generated() (passphrase string) {
	c.t.Helper()
	c.at("choose").until(`document.querySelector("#words").textContent`)
	passphrase = eval[string](c.tab, `document.querySelector("#words").textContent`)
	if n := len(strings.Split(passphrase, "-")); n != 6 {
		c.t.Errorf("%d words are offered", n)
	}
	c.click("#kept").click("#step-choose > .acts .button")
	return passphrase
}

// sheets makes recovery sheets, and types some of them in again.
func (c *clerk) sheets() (shares []string) {
	c.t.Helper()
	c.at("sheets").click("#cut").until(`document.querySelectorAll(".sheet").length === 5`)
	shares = eval[[]string](c.tab, `Array.from(document.querySelectorAll(".sheet .share"), (s) => s.textContent)`)
	c.click("#sheets-on")
	c.told("sheets", "Print the sheets first")
	c.click("#printed").click("#sheets-on")
	c.at("check").typed("check", strings.ToLower(shares[4]), shares[1], strings.ReplaceAll(shares[2], "-", " "))
	return shares
}

func (c *clerk) typed(step string, shares ...string) {
	c.t.Helper()
	for i, s := range shares {
		c.fill(fmt.Sprintf("#share-%d", i), s)
	}
	c.click("#step-" + step + " > .acts .button")
}

// unlocks enters a passphrase at the step that opens the key.
func (c *clerk) unlocks(passphrase string) *clerk {
	c.t.Helper()
	eval[bool](c.tab, `(document.querySelector("#old").value = "", true)`)
	c.at("open").fill("#old", passphrase).click("#step-open > .acts .button")
	return c
}

// stores ends the steps.
func (c *clerk) stores() *clerk {
	c.t.Helper()
	c.at("store").click("#store-it")
	return c.at("done")
}

// signedIn is olga's browser.
func (o *office) signedIn() *clerk {
	o.t.Helper()
	b := open(o.t, o.h.browser, o.origin)
	b.goTo(o.origin + "/escrow").provider("olga").shows("Escrow key")
	return o.clerk(b)
}

// reveals asks for a secret of the page; passphrase "" where none is to be asked.
func (c *clerk) reveals(kind, reason, passphrase string) {
	c.t.Helper()
	box := fmt.Sprintf(`[data-reveal][data-kind=%q]`, kind)
	c.click(box+" > button").fill(box+" [id^=reason]", reason)
	if shown := eval[bool](c.tab, fmt.Sprintf(`!!document.querySelector(%q)?.checkVisibility()`, box+" [id^=passphrase]")); shown != (passphrase != "") {
		c.t.Errorf("a passphrase is asked for: %v", shown)
	}
	if passphrase != "" {
		c.fill(box+" [id^=passphrase]", passphrase)
	}
	c.click(box + " form .acts .button")
}

func (c *clerk) revealed(kind, secret string) {
	c.t.Helper()
	c.until(fmt.Sprintf(`document.querySelector('[data-reveal][data-kind="%s"] pre code')?.textContent === %q`, kind, secret))
}

func (c *clerk) machine(hostname string) *clerk {
	c.t.Helper()
	id := eval[string](c.tab, fmt.Sprintf(`fetch("/v1/machines?limit=100").then((r) => r.json()).then((a) => a.data.find((m) => m.hostname === %q).id)`, hostname))
	c.open("/machines/" + id).until(`document.querySelector("[data-reveal] > button")`)
	return c
}

func (c *clerk) read(selector string) string {
	c.t.Helper()
	return strings.TrimSpace(eval[string](c.tab, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector)))
}

// later moves on the clock of the page.
func (c *clerk) later(d time.Duration) *clerk {
	c.t.Helper()
	eval[bool](c.tab, fmt.Sprintf(`((now) => { Date.now = () => now() + %d; return true })(Date.now.bind(Date))`, d.Milliseconds()))
	return c
}
