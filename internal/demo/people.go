package demo

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/tenant"
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

func (d *Demo) byAccess(email string) (string, error) {
	token, err := d.access.Mint(email, nil)
	return "Cf-Access-Jwt-Assertion: " + token, err
}

var everybody = []person{
	{"alice", "admin, by a JWT with the shared secret", func(d *Demo) (string, error) { return bearer(d.shared("alice", "admin")) }},
	{"bob", "editor, by the OpenID Connect issuer", func(d *Demo) (string, error) {
		return bearer(d.issuer.Mint(map[string]any{"sub": "bob", "aud": "demo-api", "role": "editor", "email": "bob@example.com", "email_verified": true}))
	}},
	{"carol", "carol@example.com, by Cloudflare Access", func(d *Demo) (string, error) { return d.byAccess("carol@example.com") }},
	{"dave", "reader, by a JWT with the shared secret", func(d *Demo) (string, error) { return bearer(d.shared("dave", "reader")) }},
	{"robot", "a program with the scope reports:read, by the issuer", func(d *Demo) (string, error) {
		return bearer(d.issuer.Mint(map[string]any{"sub": "robot", "aud": "demo-api", "scope": "reports:read"}))
	}},
	{"olga", "olga@example.com, by Cloudflare Access: admin by her row in the store", func(d *Demo) (string, error) { return d.byAccess("olga@example.com") }},
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

// accounts are the people of the Auth0 tenant: a user name and a password each, in
// a file that curl posts: -d @FILE.
func (d *Demo) accounts() error {
	for _, p := range []standin.Person{{Username: "lena", Verified: true}, {Username: "mallory"}, {Username: "kim"}, {Username: "nora", MFA: true}} {
		p.Email, p.Password = p.Username+"@example.com", random()
		id, status := d.auth0.Add(p), "active"
		if p.Username == "kim" {
			status = "blocked"
		}
		d.users.Put(standin.User{ID: id, Email: p.Email, Status: status, Plan: "gold"})
		if err := d.write(p.Username, url.Values{"username": {p.Email}, "password": {p.Password}}.Encode()); err != nil {
			return err
		}
		text, err := json.Marshal(map[string]string{"username": p.Email, "password": p.Password})
		if err == nil {
			err = d.write(p.Username+".json", string(text))
		}
		if err != nil {
			return err
		}
	}
	d.castle.Act("mallory@example.com", "deny")
	return nil
}

// store puts into the store what the tours begin with: a company's people and
// programs, and machines of two tenants, of which only one will have a key.
func (d *Demo) store() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	clock := time.Now()
	h, err := app.OpenHost(ctx, d.source(), app.HostOptions{Who: "demo", Log: io.Discard, Now: func() time.Time { return clock }})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	if err := lived(ctx, h, &clock); err != nil {
		return err
	}
	clock = time.Now()
	if err := d.company(ctx, h); err != nil {
		return err
	}
	if _, err := h.Tenants.Create(ctx, h.By(), tenant.NewTenant{ID: "initech"}); err != nil {
		return err
	}
	for name, of := range map[string]string{"engine": h.DefaultTenant(), "newcomer": "initech"} {
		made, err := h.APIKeys.Create(ctx, h.KeyBy(), of, apikey.Draft{Machine: true, Name: input.Optional[string]{Set: true, Value: name}})
		if err == nil {
			err = d.write(name, "Authorization: Bearer "+made.Token.Reveal()+"\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
