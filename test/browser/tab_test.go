package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/portreeve/portreeve/test/peer"
)

// patience is how long a browser may take for one thing.
const patience = 20 * time.Second

// chromium is the one browser of the package, which whoever is first starts.
func chromium(t *testing.T) context.Context {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	if one.ctx != nil {
		return one.ctx
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(peer.Chromium(t)), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		// Nothing leaves this machine: the provider's own pages name a font elsewhere.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"),
	}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding"} {
		opts = append(opts, chromedp.Flag(flag, true))
	}
	ctx, quit := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closes := chromedp.NewContext(ctx)
	one.stop = func() { closes(); quit() }
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	one.ctx = ctx
	return ctx
}

// one outlives each test, and is stopped when all have ended.
var one struct {
	sync.Mutex
	ctx  context.Context
	stop func()
}

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // under the race detector, collecting was a sixth of it all
	code := m.Run()
	if one.stop != nil {
		one.stop()
	}
	os.Exit(code)
}

// tab is one tab of somebody's browser.
type tab struct {
	t    testing.TB
	ctx  context.Context
	home string // the origin whose pages must not complain
	dead bool   // its pages run no scripts

	mu     sync.Mutex
	at     string // the page shown
	loaded []loaded
	wrong  []string
}

// loaded is a page that a browser was answered with.
type loaded struct {
	url    string
	status int
	header map[string]string
}

// open opens the browser of somebody new.
func open(t testing.TB, browser context.Context, home string) *tab {
	return newTab(t, browser, home, chromedp.WithNewBrowserContext())
}

// beside opens another tab of the same browser.
func (b *tab) beside() *tab { return newTab(b.t, b.ctx, b.home) }

func newTab(t testing.TB, parent context.Context, home string, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent, opts...)
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx, home: home}
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatal(err)
	}
	call(b, audits.Enable, cdp.Empty{})
	call(b, log.Enable, cdp.Empty{})
	return b
}

// call sends a command of the protocol.
func call[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, c, params) })
	if err != nil {
		b.t.Fatalf("%s: %v", c.Method, err)
	}
	return got
}

// heard keeps what happens in the tab.
func (b *tab) heard(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complain := func(format string, args ...any) {
		if strings.HasPrefix(b.at, b.home+"/") {
			b.wrong = append(b.wrong, b.at+": "+fmt.Sprintf(format, args...))
		}
	}
	switch ev := ev.(type) {
	case *page.EventFrameNavigated:
		if ev.Frame.ParentID == "" {
			b.at = ev.Frame.URL
		}
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeDocument {
			h := map[string]string{}
			for name, value := range ev.Response.Headers {
				h[strings.ToLower(name)] = fmt.Sprint(value)
			}
			b.loaded = append(b.loaded, loaded{ev.Response.URL, int(ev.Response.Status), h})
		}
	case *audits.EventIssueAdded:
		switch ev.Issue.Code {
		case audits.InspectorIssueCodePerformanceIssue, audits.InspectorIssueCodeBounceTrackingIssue: // not of the page's making
		default:
			raw, _ := json.Marshal(ev.Issue)
			complain("issue %s", raw)
		}
	case *log.EventEntryAdded:
		// That a page came with 403 is what the page says.
		if ev.Entry.Source != log.EntrySourceNetwork {
			complain("%s: %s", ev.Entry.Source, ev.Entry.Text)
		}
	case *runtime.EventConsoleAPICalled:
		complain("console.%s", ev.Type)
	case *runtime.EventExceptionThrown:
		complain("%s", ev.ExceptionDetails.Text)
	}
}

// quiet wants that no page of Portreeve complained: no violation of its policy, no
// error of a script, no issue.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Error(w)
	}
	b.wrong = nil
}

// last is the page that was loaded last.
func (b *tab) last() loaded {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.loaded) == 0 {
		return loaded{}
	}
	return b.loaded[len(b.loaded)-1]
}

// goTo opens an address and waits for what it leads to.
func (b *tab) goTo(address string) *tab {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("open %s: %v", address, err)
	}
	return b
}

// try runs a script; a page that is going away fails it.
func try[T any](b *tab, script string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// eval runs a script in the page; a promise is waited for.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := try[T](b, script)
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// scriptless turns scripts off.
func (b *tab) scriptless() {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.dead = true
}

// waits looks whether a condition holds, again and again: in the page, where that
// costs least.
const waits = `new Promise((tell) => {
  const began = performance.now()
  const look = () => {
    let holds = false
    try { holds = %s } catch {}
    if (holds || performance.now() - began > 300) tell(holds)
    else setTimeout(look, 5)
  }
  look()
})`

// until waits until a condition holds in the page that is there by then.
func (b *tab) until(condition string) *tab {
	b.t.Helper()
	once := `document.readyState === "complete" && !!(` + condition + `)`
	script := fmt.Sprintf(waits, once)
	if b.dead {
		script = once
	}
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if ok, _ := try[bool](b, script); ok {
			return b
		}
	}
	_, err := try[bool](b, once)
	text, _ := try[string](b, `location.href + "\n" + document.body.innerText`)
	b.t.Fatalf("in vain: %s (%v) on\n%s", condition, err, text)
	return b
}

// shows waits for a heading.
func (b *tab) shows(heading string) *tab {
	b.t.Helper()
	return b.until(fmt.Sprintf(`document.querySelector("h1")?.innerText === %q`, heading))
}

// text is what of the page people read.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, `document.body.innerText`)
}

// click presses the mouse on what a selector finds.
func (b *tab) click(selector string) *tab {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelector(%q)`, selector))
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		switch {
		case err == nil:
			return b
		case !strings.Contains(err.Error(), "Could not find node"): // else the page went away before it was pressed
			b.t.Fatalf("click %s: %v", selector, err)
		}
	}
}

// fill types into a field; what is long comes at once, as out of a clipboard.
func (b *tab) fill(selector, value string) *tab {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelector(%q)`, selector))
	if len(value) > 20 {
		b.do("focus "+selector, chromedp.Focus(chromedp.CSS(selector), chromedp.NodeVisible))
		call(b, input.InsertText, input.InsertTextParams{Text: value})
		return b
	}
	b.do("fill "+selector, chromedp.SendKeys(chromedp.CSS(selector), value, chromedp.NodeVisible))
	return b
}

// press types on the keyboard, wherever the focus is.
func (b *tab) press(keys string) *tab {
	b.t.Helper()
	b.do("press keys", chromedp.KeyEvent(keys))
	return b
}

func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// got is what a page's script was answered.
type got struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// fetch has a script of the page send a request to its own site.
func (b *tab) fetch(method, path, body string) got {
	b.t.Helper()
	payload := ""
	if body != "" {
		payload = fmt.Sprintf(`, headers: {"Content-Type": "application/json"}, body: %q`, body)
	}
	return eval[got](b, fmt.Sprintf(`fetch(%q, {method: %q%s}).then(async (r) => ({status: r.status, body: await r.text()}))`, path, method, payload))
}

// cookies are those that the browser has for an address, by their names.
func (b *tab) cookies(address string) map[string]*network.Cookie {
	b.t.Helper()
	out := map[string]*network.Cookie{}
	for _, c := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{address}}).Cookies {
		out[c.Name] = c
	}
	return out
}
