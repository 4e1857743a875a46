package demo

import (
	"context"
	"fmt"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/tenant"
)

// company are the people and programs of the tenant that the portal shows.
func (d *Demo) company(ctx context.Context, h *app.Host) error {
	of := h.DefaultTenant()
	for _, p := range []struct {
		email, name string
		roles       []string
		disabled    bool
	}{
		{"olga@example.com", "Olga Ferrari", []string{"admin"}, false}, {"petra@example.com", "Petra Nowak", []string{"operator"}, false},
		{"mei@example.com", "Mei Tanaka", []string{"member"}, false}, {"samir@example.com", "Samir Haddad", []string{"member", "editor"}, false},
		{"vera@example.com", "Vera Lindqvist", []string{"viewer"}, false}, {"tom@example.com", "Tom Okafor", []string{"reader"}, true},
	} {
		if _, err := h.Tenants.AddUser(ctx, h.By(), of, tenant.NewUser{Email: p.email, Name: p.name, Roles: p.roles, Disabled: p.disabled}); err != nil {
			return fmt.Errorf("%s: %w", p.email, err)
		}
	}
	for _, k := range []struct {
		name   string
		scopes []string
	}{{"billing export", []string{"docs:read"}}, {"search indexer", []string{"docs:read", "docs:write"}}, {"status page", []string{"machines:read"}}} {
		made, err := h.APIKeys.Create(ctx, h.KeyBy(), of, apikey.Draft{Name: set(k.name), Scopes: set(k.scopes)})
		if err == nil {
			err = d.write("keys/"+k.name, "x-api-key: "+made.Token.Reveal()+"\n")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

// busy is a little of what a company does all day: agents that people share, calls
// of its programs, and some that are refused.
func (d *Demo) busy() error {
	alice, err := d.read("alice")
	if err != nil {
		return err
	}
	for name, about := range map[string]string{"release-notes": "Drafts the notes of a release", "oncall-digest": "Sums up the night for whoever comes next"} {
		resp, err := d.ask("POST", d.URL+"/api/agents", alice, fmt.Sprintf(`{"name": %q, "description": %q, "public": true}`, name, about))
		if err != nil || resp.StatusCode != 201 {
			return fmt.Errorf("the agent %s: %v %v", name, resp, err)
		}
	}
	for _, c := range []struct {
		who, method, path string
		times             int
	}{
		{"keys/billing export", "GET", "/docs/7", 12}, {"keys/search indexer", "PUT", "/docs/3", 9}, {"keys/status page", "GET", "/docs/3", 1},
		{"bob", "GET", "/admin/users", 1}, {"bob", "GET", "/own/alice", 1}, {"carol", "GET", "/reports/2026/q3", 1}, {"alice", "GET", "/vault", 1},
	} {
		head, err := d.read(c.who)
		if err != nil {
			return err
		}
		for range c.times {
			if _, err := d.ask(c.method, d.URL+c.path, head, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func set[T any](v T) input.Optional[T] { return input.Optional[T]{Set: true, Value: v} }
