package gateway

import (
	"fmt"
	"strings"
	"testing"
)

// Where a path holds a secret, logs and records have the pattern: also of what
// only begins like such a path, and was refused.
func TestASecretInAPathIsNotShown(t *testing.T) {
	t.Parallel()
	const secret = "Vv3H1xQ0-secret_secret"
	surface := func(in *SiteInput) {
		in.Surfaces = []SurfaceRoute{
			{Method: "GET", Path: "/invite/:token", Public: true, Op: Operation{Surface: "things", SecretPath: true, Run: echo}},
			{Method: "GET", Path: "/plain/:id", Public: true, Op: Operation{Surface: "things", Run: echo}},
		}
	}
	for _, file := range []string{`{}`, `{prod: true}`, `{pathCase: fold, semicolon: allow, rateLimit: {default: {windowMs: 60000, max: 1}}}`} {
		g := loadWith(t, file, surface)
		for _, line := range []string{"GET /invite/" + secret, "POST /invite/" + secret, "GET /invite/" + secret + "/", "GET /INVITE/" + secret + "?a=b",
			"GET /invite/" + secret + "//x", "GET /invite/" + secret + "/..;/x"} {
			a := arrival(line)
			a.TLS = false
			got := g.send(a, "")
			text := got.x.ShownPath() + fmt.Sprint(got.steps, got.x.Explain(a, g.now))
			if got.x.ShownPath() != "/invite/:token" || strings.Contains(text, secret) {
				t.Errorf("%s %s: %d %s", file, line, got.status, text)
			}
		}
		for _, path := range []string{"/plain/" + secret, "/invite", "/invite/", "/"} {
			if got := g.ask("GET " + path); got.x.ShownPath() != path {
				t.Errorf("%s is shown as %q", path, got.x.ShownPath())
			}
		}
	}
}

// What people paste into an address by mistake is good still: nobody who reads
// records may take it from there.
func TestACredentialInAPathIsMasked(t *testing.T) {
	t.Parallel()
	g := load(t, `routes: [{path: "/keys/:id", method: get, requireAuth: true}]
upstream: http://127.0.0.1:9`)
	for path, want := range map[string]string{
		"/keys/prk_test_0123456789ab_" + strings.Repeat("S", 49):                "/keys/prk_test_0123456789ab_…",
		"/keys/tok_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH":                            "/keys/tok_…",
		"/x/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlc2lnbmF0dXJl/y": "/x/eyJ…/y",
		"/keys/prk_test_0123456789ab":                                           "/keys/prk_test_0123456789ab",
		"/keys/tok_BwcH":                                                        "/keys/tok_BwcH",
	} {
		got := g.ask("GET " + path)
		text := fmt.Sprint(got.steps, got.x.Explain(arrival("GET "+path), g.now))
		if got.x.ShownPath() != want || want != path && strings.Contains(text, path) {
			t.Errorf("%s is shown as %s, with %s", path, got.x.ShownPath(), text)
		}
	}
}
