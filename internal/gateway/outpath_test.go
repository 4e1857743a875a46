package gateway

import (
	"strings"
	"testing"
)

func TestPathsUpstream(t *testing.T) {
	t.Parallel()
	g := serving(t, `
upstream: http://app:9000/base/
encodedSlash: allow
emptySegments: keep
routes:
  - {path: /plain/*, method: any}
  - {path: "/strip/:x/*", method: any, upstream: {url: "http://app:9001", stripPrefix: /strip/}}
  - {path: /strip, method: any, upstream: {url: "http://app:9001", stripPrefix: /strip}}
  - {path: "/re/:x", method: any, upstream: {url: "http://app:9002/v2", rewrite: "/users/{{params.x}}/of-{{query.of}}"}}
  - {path: "/opt/:x", method: any, upstream: {url: "http://app:9002", rewrite: "/users/{{params.x?}}"}}
`)
	for _, c := range []struct{ line, want string }{
		{"GET /plain/%61%2fb?x=%zz&", "GET /base/plain/a%2Fb?x=%zz&"}, {"PUT /plain/?", "PUT /base/plain/?"}, {"GET /plain//x", "GET /base/plain//x"},
		{"GET /strip/a/b?c", "GET /a/b?c"}, {"GET /strip", "GET /"}, {"GET /strip/a/", "GET /a/"}, {"GET /strip//a", "404 no_route"},
		{"GET /re/a%20b?of=1", "GET /v2/users/a%20b/of-1?of=1"}, {"GET /re/a%2fb?of=x/y", "GET /v2/users/a%2Fb/of-x%2Fy?of=x/y"},
		{"GET /re/x", "400 rewrite"}, {"GET /re/%3F?of=%3F%23", "GET /v2/users/%3F/of-%3F%23?of=%3F%23"}, {"GET /opt/x", "GET /users/x"},
	} {
		if got := g.ask(c.line).upstream(); got != c.want {
			t.Errorf("%s: %s, want %s", c.line, got, c.want)
		}
	}
}

// What one route of the site guards cannot be reached by the changed path of
// another.
func TestAChangedPathReachesNothingThatAnotherRouteGuards(t *testing.T) {
	t.Parallel()
	g := serving(t, `
routes:
  - {path: "/admin/:x", method: get, requireAuth: true, upstream: http://app:9000}
  - {path: /open/*, method: any, upstream: http://app:9000}
  - {path: /posts, method: post, upstream: http://app:9000}
  - {path: /based, method: get, requireAuth: true, upstream: http://app:9000/inner}
  - {path: /old/secret, method: get, requireAuth: true, upstream: {url: http://app:9000, stripPrefix: /old}}
  - {path: /elsewhere, method: get, requireAuth: true, upstream: http://other:9000}
  - {path: "/pub/*", method: any, upstream: {url: http://app:9000, stripPrefix: /pub}}
  - {path: "/re/:a/:b", method: any, upstream: {url: http://app:9000, rewrite: "/{{params.a}}/{{params.b}}"}}
`)
	for _, c := range []struct{ line, want string }{
		{"GET /pub/else", "GET /else"}, {"GET /pub/open/x", "GET /open/x"}, {"GET /pub/elsewhere", "GET /elsewhere"}, {"POST /pub/posts", "POST /posts"},
		{"GET /pub/admin/x", "403 rewrite_other_route"}, {"POST /pub/admin/x", "403 rewrite_other_route"}, {"GET /pub/posts", "403 rewrite_other_route"},
		{"GET /pub/%61dmin/x", "403 rewrite_other_route"}, {"GET /re/admin/x", "403 rewrite_other_route"}, {"HEAD /re/admin/x", "403 rewrite_other_route"},
		{"GET /pub/inner/based", "403 rewrite_other_route"}, {"GET /pub/secret", "403 rewrite_other_route"}, {"GET /re/a/b", "GET /a/b"},
	} {
		if got := g.ask(c.line).upstream(); got != c.want {
			t.Errorf("%s: %s, want %s", c.line, got, c.want)
		}
	}
}

func TestProblemsOfUpstreams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ upstream, want string }{
		{`ftp://app`, "no upstream URL"}, {`app:9000`, "no upstream URL"}, {`"http://u:p@app"`, "no user"}, {`"http://app/?x"`, "no user, query"}, {`"http://app/a/../b"`, "base path"},
		{`{}`, "needs a url"}, {`{url: http://a, urls: [http://b]}`, "exclude each other"},
		{`{url: http://a, stripPrefix: /a, rewrite: /b}`, "exclude each other"}, {`{url: http://a, stripPrefix: "/:x"}`, "plain segments"}, {`{url: http://a, stripPrefix: a}`, `begins with "/"`},
		{`{url: http://a, rewrite: "/a?b={{query.c}}"}`, "is a path alone"}, {`{url: http://a, rewrite: "http://b/{{query.c}}"}`, "a path begins with"}, {`{url: http://a, rewrite: "{{query.c}}"}`, "cannot stand before"},
		{`{url: http://a, rewrite: "/../b"}`, ".. segment"}, {`{url: http://a, rewrite: "/{{query.c?}}"}`, "warnings only:"},
		{`{url: http://a, http2: true}`, "is for https"}, {`{url: https://a, h2c: true}`, "there is http2"},
		{`{url: http://a, requestTrailers: ["x y"]}`, "no header name"}, {`{url: http://a, requestTrailers: [Content-Type]}`, "cannot be a trailer"},
		{`{url: http://a, headers: {set: {X-A: "{{body.x}}"}}}`, "body"}, {`{url: http://a, headers: {set: {X-Portreeve-Subject: x}}}`, "Portreeve's own"}, {`{url: http://a, headers: {set: {Connection: x}}}`, "belongs to the connection"},
	} {
		if p := load(t, "routes: [{path: /a, method: get, upstream: "+c.upstream+"}]").problems; !strings.Contains(p, c.want) {
			t.Errorf("%s:\n%s\nwant %s", c.upstream, p, c.want)
		}
	}
}
