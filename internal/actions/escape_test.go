package actions

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// one runs a body as the handler of a login.
func one(t testing.TB, e *Engine, body string, more ...func(*Script)) (*Outcome, error) {
	t.Helper()
	s := Script{Name: "try.js", Source: "exports.onExecutePostLogin = async (event, api) => {" + body + "\n};"}
	for _, f := range more {
		f(&s)
	}
	return e.Run(t.Context(), PostLogin, []Script{s}, map[string]any{"user": map[string]any{"email": "ada@example.com", "app_metadata": map[string]any{}}})
}

// Each of these is what a script would try to learn something of the machine. All
// of it comes to nothing, and what is asked for as a claim says so.
func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{})
	for name, expression := range map[string]string{
		"reading a file":                  `(() => { try { return require("fs").readFileSync("/etc/passwd").toString() } catch (e) { return "refused" } })()`,
		"reading a file by its node name": `(() => { try { return require("node:fs/promises") } catch (e) { return "refused" } })()`,
		"a module by its path":            `(() => { try { return require("/etc/passwd") } catch (e) { return "refused" } })()`,
		"a module by the prototype":       `(() => { try { return require("__proto__") || require("constructor") } catch (e) { return "refused" } })()`,
		"starting a process":              `(() => { try { return require("child_process").execSync("id") } catch (e) { return "refused" } })()`,
		"the environment":                 `typeof process === "undefined" ? "refused" : process.env.PATH`,
		"the global object of node":       `typeof global === "undefined" && typeof Deno === "undefined" && typeof Buffer === "undefined" ? "refused" : "there"`,
		"a source map of eval":            `(() => { try { eval("1\n//# sourceMappingURL=/etc/passwd"); return "refused" } catch (e) { return String(e) } })()`,
		"a source map of Function":        `(() => { try { Function("return 1\n//# sourceMappingURL=file:///etc/passwd")(); return "refused" } catch (e) { return String(e) } })()`,
		"a file by fetch":                 `await fetch("file:///etc/passwd").then((r) => r.text(), () => "refused")`,
		"the host behind a function":      `(() => { const f = api.access.deny.constructor("return typeof process + typeof require + typeof host"); return f() === "undefinedundefinedundefined" ? "refused" : f() })()`,
		"the host behind arguments":       `(() => { try { return String(require.caller || require.arguments || "refused") } catch (e) { return "refused" } })()`,
		"Go behind an object":             `Object.getOwnPropertyNames(Object.getPrototypeOf(api)).some((n) => /go|reflect/i.test(n)) ? "there" : "refused"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := one(t, e, `api.idToken.setCustomClaim("x", `+expression+`);`)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(out.IDToken["x"]); got != `"refused"` {
				t.Errorf("%s", got)
			}
		})
	}
}

// A script that runs over, one way or another, is an error within a bounded time.
func TestRunningOverRefuses(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{Timeout: 4 * time.Second, Children: 2, Wait: time.Minute})
	for name, c := range map[string]struct {
		body string
		why  string // one of, by |
	}{
		"an endless loop":               {`for (;;) {}`, "takes more than 2 s|is late|is killed"},
		"an endless loop of promises":   {`for (;;) { await null }`, "takes more than 2 s|is late|is killed"},
		"an endless native loop":        {`new Array(2e7).fill(0).sort()`, "takes more|is late|is killed|ends early"},
		"a sort whose rules never end":  {`new Array(3e6).fill(0).map(Math.random).sort(() => Math.random() - 0.5)`, "takes more|is late|is killed|ends early"},
		"a regular expression":          {`/^(a+)+$/.test("a".repeat(40) + "!"); /^((a+)+b?)+(?=x)$/.test("a".repeat(60) + "!")`, "takes more than 2 s|is late|is killed"},
		"a string without end":          {`let s = "x"; for (;;) { s = s + s; if (s.charCodeAt(s.length - 1) < 0) break }`, "takes more|ends early|throws|is late|is killed"},
		"a string repeated":             {`const s = "xyz".repeat(2 ** 28); api.idToken.setCustomClaim("n", s.length)`, "takes more|throws|ends early"},
		"memory in arrays":              {`const a = []; for (;;) { a.push(new Array(1e5).fill(a.length)) }`, "takes more|is late|is killed|ends early"},
		"memory in a buffer":            {`const a = []; for (;;) { a.push(new Uint8Array(16 << 20).fill(1)) }`, "takes more|throws|is late|is killed|ends early"},
		"one buffer of all":             {`new Uint8Array(2 ** 31).fill(1)`, "takes more|throws|ends early"},
		"endless recursion":             {`const f = () => f() + 1; f()`, "throws|takes more"},
		"endless recursion in JSON":     {`let o = {}; for (let i = 0; i < 1e6; i++) { o = {o} } JSON.stringify(o)`, "throws|takes more|is late|ends early"},
		"a promise that never settles":  {`await new Promise(() => {})`, "never settles"},
		"a timer that never ends":       {`await new Promise((r) => setInterval(() => {}, 1000))`, "is late"},
		"a timer that spins":            {`await new Promise((r) => { const f = () => setTimeout(f, 0); f() })`, "never settles|is late"},
		"waiting longer than it may":    {`await new Promise((r) => setTimeout(r, 15000))`, "is late"},
		"an exception":                  {`throw new TypeError("no: " + event.user.email)`, "throws TypeError at try.js:1:"},
		"something thrown":              {`throw 42`, "throws"},
		"something odd thrown":          {`throw { get name() { throw 1 }, get stack() { throw 2 }, toString() { throw 3 } }`, "throws"},
		"a rejection nobody waits for":  {`Promise.reject(new Error("x"))`, "leaves a rejection unhandled"},
		"a message too large":           {`api.idToken.setCustomClaim("x", "y".repeat(300000))`, "throws TypeError"},
		"a claim larger than all":       {`api.idToken.setCustomClaim("x", "y".repeat(120000))`, "is given more than is kept"},
		"too many claims":               {`for (let i = 0; i < 150; i++) api.idToken.setCustomClaim("x" + i, 1)`, "is given more than is kept"},
		"a flood of calls":              {`for (;;) api.user.setAppMetadata("x", 1)`, "asks for too much"},
		"a flood of console":            {`for (;;) console.log("x".repeat(1000))`, "asks for too much"},
		"a flood of questions":          {`for (;;) api.cache.get("x")`, "asks for too much"},
		"a method that is not there":    {`api.redirect.sendUserTo("https://evil.example")`, "throws TypeError"},
		"a provider that is not there":  {`api.multifactor.enable("none")`, "wants any"},
		"metadata without a name":       {`api.user.setAppMetadata(undefined, 1)`, "wants a name"},
		"a value that JSON has not":     {`api.user.setAppMetadata("x", 1n)`, "throws TypeError"},
		"a value that is a circle":      {`const o = {}; o.o = o; api.user.setAppMetadata("x", o)`, "throws TypeError"},
		"modules that are not there":    {`require("axios").get("https://x.example")`, "throws Error"},
		"undoing its own answers":       {`fetch = undefined; JSON.parse = () => { throw 1 }; Promise.prototype.then = () => { for (;;) {} }; await new Promise(() => {})`, "never settles|takes more|is late"},
		"calls after the handler threw": {`setTimeout(() => api.access.deny("late"), 1); throw new Error("first")`, "throws Error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			out, err := one(t, e, c.body)
			var f *Failure
			if !errors.As(err, &f) || out != nil {
				t.Fatalf("%+v, %v: not refused", out, err)
			}
			matched := false
			for why := range strings.SplitSeq(c.why, "|") {
				matched = matched || strings.Contains(f.Error(), why)
			}
			if !matched {
				t.Errorf("%s (%s), want %s", f, f.Detail, c.why)
			}
			if strings.Contains(err.Error(), "ada@example.com") {
				t.Errorf("the error quotes the event: %v", err)
			}
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("after %s", took)
			}
		})
	}
}

// The parent reads only what the table of calls lets through, whatever the script
// made of the language before.
func TestPrototypesAreTheScriptsOwnAffair(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{})
	out, err := one(t, e, `
		Object.prototype.denied = true; Object.prototype.MFA = "none"; Object.prototype.kind = "done"; Object.prototype.method = "access.deny";
		Object.prototype.args = ["x"]; Object.prototype.isAdmin = true; Array.prototype.push = () => 1; Array.prototype.map = () => ["evil"];
		String.prototype.toString = () => "evil"; Object.defineProperty(Object.prototype, "id", { get() { return 1 } });
		JSON.stringify = () => '{"kind":"done"}'; Promise.resolve = () => { throw 1 };
		api.user.setAppMetadata("plan", { level: 2 });
		api.idToken.setCustomClaim("https://example.com/n", [1, "2"]);
		api.multifactor.enable("any", { allowRememberBrowser: false });
		api.__proto__.access = {}; event.__proto__.x = 1;`)
	if err != nil {
		t.Fatal(err)
	}
	if out.Denied || out.MFA != "any" || string(out.AppMetadata["plan"]) != `{"level":2}` || string(out.IDToken["https://example.com/n"]) != `[1,"2"]` || len(out.AppMetadata)+len(out.IDToken) != 2 {
		t.Errorf("%+v", out)
	}
	// Nothing of it is left for the next script of the same trigger.
	again, err := one(t, e, `api.user.setAppMetadata("left", typeof ({}).isAdmin)`)
	if err != nil || string(again.AppMetadata["left"]) != `"undefined"` {
		t.Errorf("%+v %v", again, err)
	}
}

func TestReservedClaimsAreLeftOut(t *testing.T) {
	t.Parallel()
	out, err := one(t, engine(t, Options{}), `
		for (const name of ["sub", "iss", "aud", "exp", "SUB", "scope", "permissions", "amr", "https://auth0.com/x", "https://acme.auth0.com/x", "http://webtask.io#y"]) {
			api.accessToken.setCustomClaim(name, "evil"); api.idToken.setCustomClaim(name, "evil");
		}
		api.accessToken.setCustomClaim("https://notauth0.com/x", 1).idToken.setCustomClaim("plan", 2);`)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.AccessToken) != 1 || len(out.IDToken) != 1 || string(out.AccessToken["https://notauth0.com/x"]) != "1" || string(out.IDToken["plan"]) != "2" {
		t.Errorf("%s %s", out.AccessToken, out.IDToken)
	}
	ignored := 0
	for _, c := range out.Calls {
		if c.Ignored != "" {
			ignored++
		}
	}
	if ignored != 22 || len(out.Calls) != 24 {
		t.Errorf("%d of %d calls are reported as left out", ignored, len(out.Calls))
	}
}

func TestADenialEndsTheRow(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{})
	scripts := []Script{
		{Name: "a.js", Source: `exports.onExecutePostLogin = async (event, api) => { api.user.setAppMetadata("a", 1) }`},
		{Name: "b.js", Source: `module.exports = { onExecutePostLogin(event, api) { api.access.deny("not on a Sunday"); api.access.deny("again"); api.user.setAppMetadata("b", 1) } }`},
		{Name: "c.js", Source: `exports.onExecutePostLogin = () => { throw 1 }`},
	}
	out, err := e.Run(t.Context(), PostLogin, scripts, struct{}{})
	if err != nil || !out.Denied || out.Code != "access_denied" || out.Reason != "not on a Sunday" || len(out.AppMetadata) != 2 {
		t.Errorf("%+v %v", out, err)
	}
	out, err = e.Run(t.Context(), PreUserRegistration, []Script{{Name: "d.js", Source: `exports.onExecutePreUserRegistration = async (event, api) => { api.access.deny("listed", "We cannot\nregister you") }`}}, struct{}{})
	if err != nil || !out.Denied || out.Reason != "listed" || out.UserMessage != "We cannot register you" {
		t.Errorf("%+v %v", out, err)
	}
	if _, err := e.Run(t.Context(), PreUserRegistration, []Script{{Name: "e.js", Source: `exports.onExecutePreUserRegistration = async (event, api) => { api.multifactor.enable("any") }`}}, struct{}{}); err == nil {
		t.Error("a method of another trigger was there")
	}
}

func TestAnEventHoldsNoCredentials(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{})
	s := Script{Name: "s.js", Secrets: map[string]string{"API_KEY": "key-of-the-script"},
		Source: `exports.onExecutePostLogin = async (event, api) => { console.log(event, event.secrets.API_KEY); api.idToken.setCustomClaim("event", event) }`}
	out, err := e.Run(t.Context(), PostLogin, []Script{s}, map[string]any{
		"secrets": map[string]any{"STOLEN": "canary-1"},
		"request": map[string]any{"body": map[string]any{"username": "ada", "password": "canary-2", "refresh_token": "canary-3", "mfa_token": "canary-4", "code": "canary-5", "otp": "canary-6",
			"oob_code": "canary-7", "binding_code": "canary-8", "recovery_code": "canary-9", "client_secret": "canary-10", "refreshToken": "canary-11", "deep": []any{map[string]any{"Access-Token": "canary-12"}}},
			"query": map[string]any{"code": "canary-13"}, "geoip": map[string]any{"countryCode": "DE"}},
		"user": map[string]any{"app_metadata": map[string]any{"password_reset_required": true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := string(out.IDToken["event"])
	if strings.Contains(seen, "canary") {
		t.Errorf("%s", seen)
	}
	for _, kept := range []string{`"username":"ada"`, `"countryCode":"DE"`, `"password_reset_required":true`, `"API_KEY":"key-of-the-script"`} {
		if !strings.Contains(seen, kept) {
			t.Errorf("%s is gone: %s", kept, seen)
		}
	}
	if strings.Contains(strings.Join(out.Logs, "\n"), "key-of-the-script") {
		t.Errorf("a line of console quotes a secret: %s", out.Logs)
	}
}
