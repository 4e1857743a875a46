package flows

import (
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
)

// Credentials that a browser adds by itself do not change anything for a page
// of another site.
func TestAmbientCredentialsStayOnTheirSite(t *testing.T) {
	t.Parallel()
	a := accessTeam(t, standin.AccessOptions{Audience: "app-a"})
	e := start(t, setting{Words: map[string]string{"CERTS": a.CertsURL(), "SECRET": sharedSecret}, Text: `
environment: test
access: {teamDomain: acme.cloudflareaccess.com, audience: app-a, certsURL: "@CERTS@"}
jwt: {secret: "@SECRET@"}
cors: {origins: ["https://app.example.test"], credentials: true}
upstream: "@ECHO@"
routes:
  - {path: /orders, method: any, requireAuth: true}
  - {path: /public, method: any}
`})
	carol := must(a.Mint("carol@example.com", nil))
	byCookie, byHeader := cookie(carol), assertion(carol)
	byToken := bearer(sign(t, shared(sharedSecret), nil))
	for _, c := range []struct {
		name, method string
		fields       []string
		status       int
	}{
		{"reading by cookie", "GET", []string{byCookie}, 200},
		{"reading from another site", "GET", []string{byCookie, "Sec-Fetch-Site: cross-site", "Origin: https://evil.test"}, 200},
		{"writing by cookie, without a word of where from", "POST", []string{byCookie}, 403},
		{"writing by header, without a word of where from", "POST", []string{byHeader}, 200},
		{"from the same origin", "POST", []string{byCookie, "Sec-Fetch-Site: same-origin"}, 200},
		{"from the address bar", "POST", []string{byCookie, "Sec-Fetch-Site: none"}, 200},
		{"from a sibling", "POST", []string{byCookie, "Sec-Fetch-Site: same-site"}, 403},
		{"from elsewhere", "POST", []string{byCookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"from elsewhere, by an assertion that Cloudflare made of a cookie", "POST", []string{byHeader, "Sec-Fetch-Site: cross-site"}, 403},
		{"from the site's own origin", "POST", []string{byCookie, "Origin: @"}, 200},
		{"from the site's own host by another scheme", "POST", []string{byCookie, "Origin: https@"}, 403},
		{"from an origin of cors", "POST", []string{byCookie, "Sec-Fetch-Site: cross-site", "Origin: https://app.example.test"}, 200},
		{"from an origin that only begins so", "POST", []string{byCookie, "Origin: https://app.example.test.evil.test"}, 403},
		{"from an origin without name", "POST", []string{byCookie, "Origin: null"}, 403},
		{"from two origins", "POST", []string{byCookie, "Origin: @", "origin: https://evil.test"}, 403},
		{"said twice", "POST", []string{byCookie, "Sec-Fetch-Site: same-origin", "sec-fetch-site: cross-site"}, 403},
		{"deleting", "DELETE", []string{byCookie, "Origin: https://evil.test"}, 403},
		{"with a method of one's own", "MOVE", []string{byCookie, "Origin: https://evil.test"}, 403},
		{"upgrading", "GET", []string{byCookie, "Origin: https://evil.test", "Connection: Upgrade", "Upgrade: websocket"}, 403},
		{"with a token, which no browser adds", "POST", []string{byToken, "Sec-Fetch-Site: cross-site", "Origin: https://evil.test"}, 200},
		{"with a token beside the cookie", "POST", []string{byToken, byCookie, "Origin: https://evil.test"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, f := range c.fields {
				switch f {
				case "Origin: @":
					c.fields[i] = "Origin: " + e.URL
				case "Origin: https@":
					c.fields[i] = "Origin: https" + e.URL[len("http"):]
				}
			}
			for _, path := range []string{"/orders", "/public"} {
				ans := e.ask(t, c.method, path, c.fields...)
				message := ""
				if c.status == 403 {
					message = "Cross-site request refused"
				}
				status(t, ans, c.status, message)
			}
		})
	}
}
