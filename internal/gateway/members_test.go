package gateway

import (
	"strings"
	"testing"
)

func TestProblemsOfGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ upstream, want string }{
		{`"unix:/run/app.sock"`, "warnings only:"}, {`"unix:"`, "names no socket"}, {`"unix:///run/app.sock"`, "names no socket"},
		{`{urls: [http://a, http://b], balance: leastConnections, retries: 0, healthCheck: {path: "/healthz?full=1", interval: 2s}}`, "warnings only:"},
		{`{urls: [http://a, "unix:b"]}`, "warnings only:"},
		{`{urls: [http://a, http://A:80]}`, "urls[1]: stands twice"},
		{`{urls: [http://a/x, http://b/y]}`, "urls[1]: all URLs of an upstream have the same base path"},
		{`{urls: [http://a, ftp://b]}`, "urls[1]: is no upstream URL"},
		{`{url: http://a, balance: random}`, "none of roundRobin, leastConnections"},
		{`{url: http://a, retries: 6}`, "from 0 to 5"}, {`{url: http://a, retries: -1}`, "from 0 to 5"},
		{`{url: http://a, healthCheck: {}}`, "path"}, {`{url: http://a, healthCheck: {path: x}}`, "is no path"},
		{`{url: http://a, healthCheck: {path: "/a b"}}`, "is no path"}, {`{url: http://a, healthCheck: {path: "/../x"}}`, "is no path"},
		{`{url: http://a, healthCheck: {path: "/a?b c"}}`, "is no path"}, {`{url: http://a, healthCheck: {path: "/a\r\nX: y"}}`, "is no path"},
		{`{url: http://a, healthCheck: {path: /a, interval: 10ms}}`, "less than 1s"},
		{`{url: http://a, tls: {ca: x}}`, "no URL of this upstream is one"}, {`{url: https://a, tls: {ca: x}}`, "warnings only:"},
		{`{url: https://a, tls: {cert: x}}`, "cert and key go together"}, {`{url: https://a, tls: {ca: "-----BEGIN CERTIFICATE-----"}}`, "not what is in it"},
		{`{url: https://a, tls: {serverName: "a b"}}`, "no host name"}, {`{url: https://a, tls: {serverName: "a:443"}}`, "no host name"},
		{`{url: https://a, tls: {insecure: true}}`, "unknown key"},
		{`{urls: [http://a, http://b], assertion: true}`, "name"}, {`{urls: [http://a, http://b], assertion: true, name: app}`, "warnings only:"},
		{`{url: "unix:a", assertion: true}`, "a name"},
	} {
		if p := load(t, "routes: [{path: /a, method: get, upstream: "+c.upstream+"}]").problems; !strings.Contains(p, c.want) {
			t.Errorf("%s:\n%s\nwant %s", c.upstream, p, c.want)
		}
	}
}

// Routes share a group where all its settings are the same, and a group is
// known by no address.
func TestRoutesShareGroups(t *testing.T) {
	t.Parallel()
	g := serving(t, `
routes:
  - {path: /a, method: get, upstream: {urls: [http://a, http://b]}}
  - {path: /b, method: get, upstream: {urls: [http://a, http://b], name: app, stripPrefix: /b}}
  - {path: /c, method: get, upstream: {urls: [http://a, http://b], retries: 2}}
  - {path: /d, method: get, upstream: {urls: [http://a, http://b], balance: leastConnections}}
  - {path: /e, method: get, upstream: {urls: [http://b, http://a]}}
  - {path: /f, method: get, upstream: {urls: [http://a, http://b], healthCheck: {path: /}}}
  - {path: /g, method: get, upstream: {urls: [http://a, http://b], timeout: 1s}}
`)
	labels := map[string]bool{}
	for _, u := range g.upstreams {
		labels[u.Label] = true
	}
	if len(g.upstreams) != 6 || len(labels) != 6 || !labels["routes[0].upstream"] {
		t.Errorf("%d groups called %v", len(g.upstreams), labels)
	}
}

// A rewritten path is held to the rules of every route that leads to any of the
// same servers.
func TestChangedPathsAreComparedByMember(t *testing.T) {
	t.Parallel()
	g := serving(t, `
routes:
  - {path: "/admin/*", method: any, upstream: {urls: [http://one, http://two]}, requireAuth: true}
  - {path: "/pub/*", method: any, upstream: {urls: [http://two:80, http://three], stripPrefix: /pub}}
  - {path: "/far/*", method: any, upstream: {urls: [http://four], stripPrefix: /far}}
`)
	for line, want := range map[string]string{
		"GET /pub/admin/x": "403 rewrite_other_route", "GET /pub/x": "GET /x", "GET /far/admin/x": "GET /admin/x",
	} {
		if got := g.ask(line).upstream(); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
