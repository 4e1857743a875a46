package properties

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/standin"
)

// world is every kind of credential that there is, and a configuration that
// takes them all.
type world struct {
	*keys
	issuer *standin.Issuer
	access *standin.Access
}

const (
	teamDomain = "properties.cloudflareaccess.com"
	accessAud  = "properties-application"
	oidcAud    = "properties-api"
	mark       = "zq7mark" // stands in the claims of every token and nowhere else
)

const worldConfig = `
environment: test
jwt: {secret: "{{file.jwt-secret}}"}
oidc: [{name: issuer, issuer: "@ISSUER@", audience: properties-api, trustRoles: true}]
access: {teamDomain: properties.cloudflareaccess.com, audience: properties-application, certsURL: "@CERTS@"}
rbac:
  roles: [{name: reader, permissions: ["docs:read"]}, {name: admin, permissions: ["users:read"]}]
upstream: {url: "@ECHO@", headers: {set: {X-Claim: "{{auth.claims.mark?}}"}}}
routes:
  - {path: /open, method: any}
  - {path: /closed, method: any, requireAuth: true}
  - {path: /docs, method: any, requiredPermissions: ["docs:read"]}
  - {path: /users, method: any, requiredPermissions: ["users:read"]}
  - {path: /local, method: any, authProvider: jwt}
  - {path: /foreign, method: any, authProvider: issuer}
  - {path: /team, method: any, authProvider: access}
  - {path: /who, method: any, data: {who: "{{auth.sub}}", all: "{{auth}}", mark: "{{auth.claims.mark?}}"}}
`

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{keys: newKeys(t)}
	var err error
	if w.issuer, err = standin.NewIssuer(loopback(t), standin.IssuerOptions{}); err != nil {
		t.Fatal(err)
	}
	closing(t, w.issuer)
	if w.access, err = standin.NewAccess(loopback(t), standin.AccessOptions{Team: teamDomain, Audience: accessAud}); err != nil {
		t.Fatal(err)
	}
	closing(t, w.access)
	return w
}

// config is worldConfig with more on its top and more routes.
func (w *world) config(top, routes string) string {
	return strings.NewReplacer("@ISSUER@", w.issuer.URL(), "@CERTS@", w.access.CertsURL()).Replace(top + worldConfig + routes)
}

func (w *world) start(t testing.TB, e engine) *edge { return w.startWith(t, e, "", "") }

// startWith serves the world, and more, and waits for its key sets.
func (w *world) startWith(t testing.TB, e engine, top, routes string) *edge {
	t.Helper()
	d := start(t, e, w.config(top, routes), w.files())
	c := d.client(t)
	for _, kind := range w.kinds(t) {
		for until := time.Now().Add(20 * time.Second); ; {
			a := c.get(t, "x.test", "/open", kind.present(kind.token)...)
			if a.status == 200 {
				break
			}
			if a.status != 503 || time.Now().After(until) {
				t.Fatalf("a good %s: %d %s", kind.name, a.status, a.body)
			}
		}
	}
	return d
}

// kind is one way to prove who one is.
type kind struct {
	name    string
	token   string
	subject string
	present func(token string) []request.Field
}

func (w *world) kinds(t testing.TB) []kind {
	t.Helper()
	foreign, err := w.issuer.Mint(map[string]any{"sub": "bob", "aud": oidcAud, "mark": mark, "roles": []string{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	person, err := w.access.Mint("carol@example.com", map[string]any{"mark": mark})
	if err != nil {
		t.Fatal(err)
	}
	field := func(name, before string) func(string) []request.Field {
		return func(token string) []request.Field { return []request.Field{{Name: name, Value: before + token}} }
	}
	return []kind{
		{"HS256 token", w.hs256(t, map[string]any{"sub": "alice", "role": "admin", "mark": mark}), "alice", bearer},
		{"RS256 token", foreign, "bob", bearer},
		{"Access header", person, "", field("Cf-Access-Jwt-Assertion", "")},
		{"Access cookie", person, "", field("Cookie", "CF_Authorization=")},
	}
}
