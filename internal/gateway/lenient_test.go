package gateway

import "testing"

// What a lenient upstream takes for a guarded path must not get past the guard
// by way of a wider, open pattern.
func TestPathsThatReadAsGuardedOnesAreRefused(t *testing.T) {
	t.Parallel()
	const routes = `
routes:
  - {path: /admin, method: get, requireAuth: true}
  - {path: /admin/*, method: get, requireAuth: true}
  - {path: /objects/:key, method: get}
  - {path: /objects/secret/*, method: get, requireAuth: true}
  - {path: /keys/:key, method: get}
  - {path: /keys/*, method: get, requireAuth: true}
  - {path: /*, method: get}
`
	for _, test := range []struct {
		name, settings, target string
		want                   int
	}{
		{"an encoded slash", "encodedSlash: allow", "/admin%2Fusers", 400},
		{"a backslash", "encodedSlash: allow", "/admin%5cusers", 400},
		{"another case of a literal", "encodedSlash: allow\npathCase: fold", "/ADMIN%2Fusers", 400},
		{"an empty segment", "emptySegments: keep", "/a//b", 200},
		{"an empty segment inside a guarded path", "emptySegments: keep\nencodedSlash: allow", "/x%2F..;/admin", 400},
		{"reported, not enforced: a semicolon", "strictness: report", "/admin;x=1", 400},
		{"reported, not enforced: a semicolon further on", "strictness: report", "/admin;x/users", 400},
		{"a key that reads as a guarded path", "encodedSlash: allow", "/objects/secret%2Fplans", 400},
		{"the same by a backslash", "encodedSlash: allow", "/objects/secret%5cplans", 400},
		{"a key that holds a slash, beside a guarded rest", "encodedSlash: allow", "/keys/a%2Fb", 200},
		{"a key that holds a slash", "encodedSlash: allow", "/objects/a%2Fb", 200},
		{"an open path that reads as an open one", "encodedSlash: allow", "/files%2Fa", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := serving(t, test.settings+routes)
			if got := g.ask("GET " + test.target); got.status != test.want {
				t.Errorf("GET %s: %d %s, want %d", test.target, got.status, got.code, test.want)
			}
		})
	}
}

// A cookie that does not count on a route may still count for its upstream.
func TestAmbientCredentialsThatDoNotCountAreHeldToTheirSite(t *testing.T) {
	t.Parallel()
	g := serving(t, `
routes:
  - {path: /a, method: any, authProvider: jwt, upstream: {url: "http://127.0.0.1:9", passCredential: true}}
  - {path: /b, method: any, upstream: {url: "http://127.0.0.1:9", passCredential: true}}
`)
	for _, path := range []string{"/a", "/b"} {
		got := g.ask("POST "+path, "Cookie: CF_Authorization="+accessToken(), "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
		if got.status != 403 || got.code != "cross_site" {
			t.Errorf("POST %s from another site: %d %s", path, got.status, got.code)
		}
	}
}
