package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/input"
)

type keysCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make an API key or a machine token, and print it this once."`
	List   keyListCmd   `cmd:"" help:"List a tenant's keys; never the keys themselves."`
	Rotate keyRotateCmd `cmd:"" help:"Give a key a new secret."`
	Revoke keyRevokeCmd `cmd:"" help:"End a key with every secret of it."`
}

// Help is shown by --help.
func (keysCmd) Help() string {
	return `Examples:
  portreeve keys create --name ci --scope docs:read --scope docs:write
  portreeve keys rotate ci --grace 1h

A key that is made here holds everything in its tenant that its scopes name.
Works beside a serving process, which takes up changes by itself.`
}

type keyCreateCmd struct {
	configFlag
	tenantFlag
	listFlag
	Name    string   `help:"What people call it."`
	Scope   []string `help:"resource:action, or * for everything but apikeys, users, rbac, secrets, escrow and audit; may be given more than once."`
	Expires string   `placeholder:"SPAN" help:"How long it lives: 90d, 12h, or never; a year unless given."`
	IP      []string `placeholder:"NETWORK" help:"An address or network that it may be used from; may be given more than once."`
	Machine bool     `help:"A machine token, which may do machine:ingest and nothing else."`
	Label   string   `help:"The name of a machine token."`
}

// Help is shown by --help.
func (keyCreateCmd) Help() string {
	return `Examples:
  portreeve keys create --name ci --scope docs:read
  portreeve keys create --tenant acme --machine --label engine

The key stands on standard output, this once, and nowhere else: the store keeps
a salted hash. Of a machine token its prefix, salt and hash are printed too.`
}

// Run makes a key.
func (c keyCreateCmd) Run(s streams) error {
	d := apikey.Draft{Machine: c.Machine, Name: given(c.Name)}
	switch {
	case c.Machine && len(c.Scope) > 0:
		return usage("a machine token holds machine:ingest and nothing else: leave --scope out")
	case !c.Machine && c.Label != "":
		return usage("--label is of --machine; a key has --name")
	case c.Machine && c.Name == "":
		d.Name = given(c.Label)
	}
	if !c.Machine {
		d.Scopes = given(append([]string{}, c.Scope...))
	}
	if d.Name.Value == "" {
		return usage("--name is missing (of a machine token --label)")
	}
	if !c.Machine && len(c.Scope) == 0 {
		return usage(`--scope is missing: resource:action, or "*"`)
	}
	if len(c.IP) > 0 {
		d.AllowedIPs = given(c.IP)
	}
	switch c.Expires {
	case "":
	case "never":
		d.ExpiresAt = input.Optional[string]{Set: true, Null: true}
	default:
		life, err := config.ParseDuration(c.Expires)
		if err != nil || life <= 0 {
			return usage("--expires is no span of time: 90d, 12h, or never")
		}
		d.ExpiresAt = given(time.Now().Add(life.Std()).UTC().Format(time.RFC3339))
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		m, err := h.APIKeys.Create(ctx, h.KeyBy(), c.of(h), d)
		if err != nil {
			return err
		}
		return printMade(s, c.JSON, m)
	})
}

// printMade prints a key, this once. The key itself is all that stands on
// standard output where only it is wanted: KEY=$(portreeve keys create …).
func printMade(s streams, asJSON bool, m apikey.Made) error {
	token := m.Token.Reveal()
	if asJSON {
		out := map[string]any{"id": m.ID, "key": token, "prefix": m.Prefix, "name": m.Name, "scopes": m.Scopes, "machine": m.Machine, "createdAt": m.CreatedAt, "expiresAt": nil}
		if !m.ExpiresAt.IsZero() {
			out["expiresAt"] = m.ExpiresAt
		}
		if !m.PreviousExpiresAt.IsZero() {
			out["previousExpiresAt"] = m.PreviousExpiresAt
		}
		if m.Machine {
			out["salt"], out["hash"] = m.Salt, m.Hash
		}
		return printJSON(s.out, out)
	}
	what := "key"
	if m.Machine {
		what = "machine token"
	}
	ends := "never"
	if !m.ExpiresAt.IsZero() {
		ends = moment(m.ExpiresAt)
	}
	fmt.Fprintf(s.err, "%s %s %s of tenant %s; expires: %s. It is shown this once:\n", what, m.ID, strconv.Quote(m.Name), m.Tenant, ends)
	if m.PreviousExpiresAt.After(time.Now()) {
		fmt.Fprintf(s.err, "the secret before it counts until %s\n", moment(m.PreviousExpiresAt))
	}
	fmt.Fprintln(s.out, token)
	if m.Machine {
		fmt.Fprintf(s.out, "prefix %s\nsalt   %s\nhash   %s\n", m.Prefix, m.Salt, m.Hash)
	}
	return nil
}

type keyListCmd struct {
	configFlag
	tenantFlag
	listFlag
	Revoked bool `help:"Those that were revoked instead."`
}

// Help is shown by --help.
func (keyListCmd) Help() string {
	return `Example:
  portreeve keys list --tenant acme`
}

// Run lists keys.
func (c keyListCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		if _, err := h.Tenants.Tenant(ctx, c.of(h)); err != nil {
			return err
		}
		list, err := all(func(offset int) ([]apikey.Key, int, error) {
			return h.APIKeys.List(ctx, c.of(h), c.Revoked, pageSize, offset)
		})
		if err != nil {
			return err
		}
		views, rows := make([]json.RawMessage, 0, len(list)), make([][]string, 0, len(list))
		for _, k := range list {
			raw, err := json.Marshal(apikey.ViewOf(k))
			if err != nil {
				return err
			}
			views = append(views, raw)
			rows = append(rows, []string{k.Name, k.ID, k.Prefix, strings.Join(k.Scopes, " "), stateOf(k), moment(k.ExpiresAt), moment(k.LastUsedAt)})
		}
		if c.JSON {
			return printJSON(s.out, views)
		}
		table(s.out, []string{"NAME", "ID", "PREFIX", "SCOPES", "STATE", "EXPIRES", "LAST USED"}, rows)
		return nil
	})
}

func stateOf(k apikey.Key) string {
	switch {
	case !k.RevokedAt.IsZero():
		return "revoked"
	case k.Disabled:
		return "disabled"
	case !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(time.Now()):
		return "expired"
	}
	return "open"
}

type keyRotateCmd struct {
	configFlag
	tenantFlag
	listFlag
	Key   string `arg:"" help:"The key's id, or its name where one key has it."`
	Grace string `default:"0s" placeholder:"SPAN" help:"How long the secret before lives on: 1h, 7d; at most 30d, none unless given."`
}

// Help is shown by --help.
func (keyRotateCmd) Help() string {
	return `Example:
  portreeve keys rotate key_0b6d1f5e9c3a47d2801f6e2ab95c4d73 --grace 1h

The key's id and scopes stay. A further rotation ends the grace at once.`
}

// Run rotates a key.
func (c keyRotateCmd) Run(s streams) error {
	grace, err := config.ParseDuration(c.Grace)
	if err != nil || grace < 0 || grace.Std() > 30*24*time.Hour {
		return usage("--grace is no span of time up to 30d: 1h, 7d")
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		id, err := keyOf(ctx, h, c.of(h), c.Key)
		if err != nil {
			return err
		}
		m, err := h.APIKeys.Rotate(ctx, h.KeyBy(), c.of(h), id, grace.Std())
		if err != nil {
			return err
		}
		return printMade(s, c.JSON, m)
	})
}

type keyRevokeCmd struct {
	configFlag
	tenantFlag
	Key string `arg:"" help:"The key's id, or its name where one key has it."`
}

// Help is shown by --help.
func (keyRevokeCmd) Help() string {
	return `Example:
  portreeve keys revoke key_0b6d1f5e9c3a47d2801f6e2ab95c4d73

Takes effect on a serving process within a second, in a cluster within five.`
}

// Run revokes a key.
func (c keyRevokeCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		id, err := keyOf(ctx, h, c.of(h), c.Key)
		if err != nil {
			return err
		}
		if err := h.APIKeys.Revoke(ctx, h.KeyBy(), c.of(h), id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "key %s revoked\n", id)
		return err
	})
}

// keyOf is the id of the key that is meant: one that has it, else the only one
// of that name.
func keyOf(ctx context.Context, h *app.Host, tenant, ref string) (string, error) {
	if _, err := h.APIKeys.Get(ctx, tenant, ref); !errors.Is(err, apikey.ErrNoKey) {
		return ref, err
	}
	list, err := all(func(offset int) ([]apikey.Key, int, error) {
		return h.APIKeys.List(ctx, tenant, false, pageSize, offset)
	})
	found := ""
	for _, k := range list {
		switch {
		case k.Name != ref:
		case found != "":
			return "", fmt.Errorf("several keys are called %q; name the one that is meant by its id: portreeve keys list", ref)
		default:
			found = k.ID
		}
	}
	if err == nil && found == "" {
		err = apikey.ErrNoKey
	}
	return found, err
}
