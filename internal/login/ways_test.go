package login

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// way is one thing that a client can send: each route, and each grant of
// /oauth/token.
type way struct {
	name, line, body string
	fields           []string
	where            string // "gate", or "aside" for what takes no password, refresh token or code
	stored           bool   // it needs a store
	unscored         bool   // a browser on its way back, which has no device token
	asks             bool   // it goes on to the provider
}

const device = "x-castle-request-token: device-1"

func waysIn() []way {
	mfa := `"mfa_token":"mfa-token-1"`
	gate := func(name, line, body string) way {
		return way{name: name, line: line, body: body, fields: []string{device}, where: "gate", asks: true}
	}
	aside := func(line, body string, fields ...string) way {
		return way{name: line, line: line, body: body, fields: fields, where: "aside"}
	}
	callback := gate("social callback", "GET /social/callback", "")
	callback.stored, callback.unscored = true, true
	social := gate("a social code", "POST /oauth/token", `{"grant_type":"authorization_code","code":"`+strings.Repeat("A", 43)+`","code_verifier":"`+strings.Repeat("v", 43)+`"}`)
	social.stored, social.asks = true, false
	begin := aside("GET /social/google-oauth2?return=https://app.example/done&code_challenge="+strings.Repeat("A", 43), "")
	begin.stored = true
	return []way{
		gate("no grant type", "POST /oauth/token", `{"username":"ann@example.com","password":"correct-horse"}`),
		gate("password", "POST /oauth/token", `{"grant_type":"password","email":"ann@example.com","password":"correct-horse"}`),
		gate("password-realm", "POST /oauth/token", `{"grant_type":"http://auth0.com/oauth/grant-type/password-realm","username":"ann","password":"correct-horse"}`),
		gate("refresh_token", "POST /oauth/token", `{"grant_type":"refresh_token","refresh_token":"refresh-1"}`),
		gate("mfa-oob", "POST /oauth/token", `{"grant_type":"http://auth0.com/oauth/grant-type/mfa-oob",`+mfa+`,"oob_code":"oob-1","binding_code":"112233"}`),
		gate("mfa-otp", "POST /oauth/token", `{"grant_type":"http://auth0.com/oauth/grant-type/mfa-otp",`+mfa+`,"otp":"112233"}`),
		gate("mfa-recovery-code", "POST /oauth/token", `{"grant_type":"http://auth0.com/oauth/grant-type/mfa-recovery-code",`+mfa+`,"recovery_code":"RECOVERY-1"}`),
		social,
		gate("refresh", "POST /oauth/refresh", `{"refresh_token":"refresh-1"}`),
		gate("signup", "POST /signup", `{"email":"ann@example.com","password":"correct-horse"}`),
		gate("mfa token", "POST /mfa/token", `{"username":"ann@example.com","password":"correct-horse"}`),
		gate("mfa verify", "POST /mfa/verify", `{`+mfa+`,"otp":"112233"}`),
		callback,
		aside("POST /change-password", `{"email":"ann@example.com"}`),
		aside("POST /email/verify", `{"email":"ann@example.com"}`),
		aside("POST /email/validate", `{"email":"not an address"}`),
		aside("GET /userinfo", "", "Authorization: Bearer access-1"),
		aside("POST /mfa/first-enroll", `{"phone_number":"+15550001234"}`, "Authorization: Bearer mfa-token-1"),
		aside("POST /mfa/associate", `{"phone_number":"+15550001234"}`, "Authorization: Bearer mfa-token-1"),
		aside("POST /mfa/enroll", `{"phone_number":"+15550001234"}`, "Authorization: Bearer mfa-token-1"),
		aside("GET /mfa/authenticators", "", "Authorization: Bearer mfa-token-1"),
		aside("DELETE /mfa/authenticators/sms|dev_1", "", "Authorization: Bearer mfa-token-1"),
		aside("POST /mfa/challenge", `{`+mfa+`}`),
		begin,
		aside("GET /layer/session", "", "Authorization: Bearer access-1"),
		aside("POST /layer/session/account", `{}`, "Authorization: Bearer access-1"),
		aside("GET /layer/jwks.json", ""),
		aside("POST /metric/track", `{"name":"opened"}`),
	}
}

func (w way) db(t *testing.T) *store.DB {
	if !w.stored {
		return nil
	}
	return storetest.SQLite(t)
}

// prepare begins what a way goes on with, and is the way's line then.
func (w way) prepare(k *kit) string {
	if w.name != "social callback" {
		return w.line
	}
	at, _ := strings.CutPrefix(k.send("GET /social/google-oauth2?return=https://app.example/done&code_challenge="+strings.Repeat("A", 43), "").header.Get("Location"), "")
	_, state, _ := strings.Cut(at, "&state=")
	state, _, _ = strings.Cut(state, "&")
	return w.line + "?code=oob-1&state=" + state
}

// Every route and every grant type is in the table, and what takes a password, a
// refresh token or a code goes through the gate, in its order.
func TestEveryWayInGoesThroughTheGate(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{change: func(*Config) {}})
	covered := map[string]bool{}
	for _, w := range waysIn() {
		method, path, _ := strings.Cut(w.line, " ")
		path, _, _ = strings.Cut(path, "?")
		for _, r := range k.u.Routes() {
			if r.Method == method && (r.Path == path || strings.Contains(r.Path, ":") && strings.HasPrefix(path, r.Path[:strings.Index(r.Path, ":")]) && path != callbackPath) {
				covered[r.Method+" "+r.Path] = true
			}
		}
	}
	for _, r := range k.u.Routes() {
		if !covered[r.Method+" "+r.Path] {
			t.Errorf("%s %s is in no table", r.Method, r.Path)
		}
		if !r.Anonymous || !r.OtherSites || r.Op.Shape == nil {
			t.Errorf("%s %s looks at credentials, or has no shape", r.Method, r.Path)
		}
	}
	for _, w := range waysIn() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, setting{db: w.db(t)})
			line := w.prepare(k)
			k.took()
			k.queue = []canned{{status: 200, body: tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com"})},
				{status: 200, body: tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com"})}}
			got := k.send(line, w.body, w.fields...)
			var order []string
			for _, s := range k.took() {
				first, _, _ := strings.Cut(s, "\n")
				words := strings.Fields(first)
				order = append(order, words[0]+" "+words[1])
			}
			through := slices.Contains(order, "lock-out check")
			if through != (w.where == "gate") {
				t.Fatalf("through the gate: %v; %d %v", through, got.status, order)
			}
			if !through {
				return
			}
			last := -1
			for _, want := range []string{"lock-out check", "risk filter", "provider POST", "lock-out succeeded"} {
				at := slices.Index(order, want)
				switch {
				case at < 0 && (want == "risk filter" && w.unscored || want == "provider POST" && !w.asks || want == "lock-out succeeded"):
				case at <= last:
					t.Errorf("%s at %d of %v", want, at, order)
				default:
					last = at
				}
			}
			if i, j := slices.Index(order, "users by-email"), slices.Index(order, "provider POST"); i >= 0 && i < slices.Index(order, "risk filter") || i > j && strings.Contains(w.body, `"username":"ann@`) {
				t.Errorf("the user service out of its turn: %v", order)
			}
		})
	}
}

// A grant is sent from one place, the gate runs from one place: whoever adds another
// has to change this test.
func TestAGrantIsSentFromOnePlace(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
					found[sel.Sel.Name] = append(found[sel.Sel.Name], name)
				}
			}
			return true
		})
	}
	for name, where := range map[string]string{"token": "ask.go", "pass": "http.go", "redeem": "ask.go", "register": "ask.go", "signup": "signup.go"} {
		if got := found[name]; len(got) != 1 || got[0] != where {
			t.Errorf("%s is called in %v", name, got)
		}
	}
}

// So it is where the factors are our own: of what is there besides, the proof goes
// through the gate, and nothing else takes more than the mfa_token.
func TestOwnFactorsStandBehindTheGate(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{factors: noFactors{}, change: withReissue})
	aside := map[string]bool{"GET " + jwksPath: true, "GET " + discoveryPath: true, "POST /email/validate": true, "POST /metric/track": true, "GET /layer/session": true,
		"GET /layer/jwks.json": true, "POST /layer/session/account": true,
		"POST /mfa/first-enroll": true, "POST /mfa/associate": true, "GET /mfa/authenticators": true, "POST /mfa/challenge": true}
	bodies := map[string]string{"POST /oauth/token": `{"username":"ann@example.com","password":"correct-horse"}`, "POST /oauth/refresh": `{"refresh_token":"refresh-1"}`,
		"POST /mfa/verify": `{"mfa_token":"mfa-token-1","otp":"112233"}`}
	for _, r := range k.u.Routes() {
		line := r.Method + " " + r.Path
		if aside[line] {
			continue
		}
		k.took()
		k.send(line, bodies[line], device)
		if steps := k.took(); len(steps) == 0 || !strings.HasPrefix(steps[0], "lock-out check") {
			t.Errorf("%s is beside the gate: %v", line, steps)
		}
	}
}
