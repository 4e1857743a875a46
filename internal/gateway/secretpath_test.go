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
