package demo

import (
	"time"

	"github.com/portreeve/portreeve/internal/app"
)

// person is somebody with a credential, in a file that curl reads: -H @FILE.
type person struct {
	name, is string
	header   func(d *Demo) (string, error)
}

func bearer(token string, err error) (string, error) { return "Authorization: Bearer " + token, err }

func (d *Demo) shared(sub, role string) (string, error) {
	return app.Token(d.source(), app.TokenRequest{Subject: sub, Roles: []string{role}, Email: sub + "@example.com", Expires: lifetime, Now: time.Now()})
}

var everybody = []person{
	{"alice", "admin, by a JWT with the shared secret", func(d *Demo) (string, error) { return bearer(d.shared("alice", "admin")) }},
	{"bob", "editor, by the OpenID Connect issuer", func(d *Demo) (string, error) {
		return bearer(d.issuer.Mint(map[string]any{"sub": "bob", "aud": "demo-api", "role": "editor", "email": "bob@example.com", "email_verified": true}))
	}},
	{"carol", "carol@example.com, by Cloudflare Access", func(d *Demo) (string, error) {
		token, err := d.access.Mint("carol@example.com", nil)
		return "Cf-Access-Jwt-Assertion: " + token, err
	}},
	{"dave", "reader, by a JWT with the shared secret", func(d *Demo) (string, error) { return bearer(d.shared("dave", "reader")) }},
	{"robot", "a program with the scope reports:read, by the issuer", func(d *Demo) (string, error) {
		return bearer(d.issuer.Mint(map[string]any{"sub": "robot", "aud": "demo-api", "scope": "reports:read"}))
	}},
}

// people writes everybody's credential to a file of the demo's folder.
func (d *Demo) people() error {
	for _, p := range everybody {
		line, err := p.header(d)
		if err == nil {
			err = d.write(p.name, line+"\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Request is one request that shows something.
type Request struct {
	Who    string // "" for anonymous
	Method string
	Path   string
	Status int
	Shows  string
}

// Requests are those that the demo prints, in its order.
func Requests() []Request {
	return []Request{
		{"", "GET", "/", 200, "anybody may"},
		{"", "GET", "/.portreeve/whoami", 200, "who Portreeve takes you for: nobody"},
		{"alice", "GET", "/.portreeve/whoami", 200, "and alice"},
		{"alice", "GET", "/profile", 200, "templates see the verified token"},
		{"alice", "GET", "/admin/users", 200, "admin holds every permission; see which headers the application got"},
		{"bob", "PUT", "/docs/7", 200, "editor holds docs:*"},
		{"dave", "GET", "/docs/7", 200, "reader holds docs:read"},
		{"carol", "GET", "/team", 200, "Access says she is at example.com"},
		{"robot", "GET", "/reports/2026/q3", 200, "the token's scope is enough"},
		{"bob", "GET", "/own/bob", 200, "auth.sub == params.user; the application gets a signed assertion"},
		{"bob", "GET", "/own/alice", 403, "and here it does not hold"},
		{"", "GET", "/profile", 401, "no credential"},
		{"alice", "GET", "/docs/..%2fadmin%2fusers", 400, "paths have one spelling"},
		{"dave", "DELETE", "/docs/7", 403, "refused: see below"},
	}
}
