package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/tenant"
)

type tenantsCmd struct {
	Create  tenantCreateCmd  `cmd:"" help:"Make a tenant."`
	List    tenantListCmd    `cmd:"" help:"List the tenants."`
	Disable tenantDisableCmd `cmd:"" help:"Refuse everybody of a tenant from now on."`
	Enable  tenantEnableCmd  `cmd:"" help:"Let a disabled tenant's people and keys in again."`
	Delete  tenantDeleteCmd  `cmd:"" help:"Remove a tenant with its users, roles, keys and secrets."`
	Export  tenantExportCmd  `cmd:"" help:"Write what is stored about a tenant as JSON, without secrets."`
}

// Help is shown by --help.
func (tenantsCmd) Help() string {
	return `Examples:
  portreeve tenants create acme
  portreeve tenants list

Works beside a serving process, which takes up changes by itself.`
}

type tenantCreateCmd struct {
	configFlag
	listFlag
	ID   string `arg:"" help:"Lower-case letters, digits and -, at most 63."`
	Name string `help:"What people call it; the id unless given."`
}

// Help is shown by --help.
func (tenantCreateCmd) Help() string {
	return `Example:
  portreeve tenants create acme --name "Acme Ltd."`
}

// Run makes a tenant.
func (c tenantCreateCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		t, err := h.Tenants.Create(ctx, h.By(), tenant.NewTenant{ID: c.ID, Name: c.Name})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, t)
		}
		_, err = fmt.Fprintf(s.out, "tenant %s made\n", t.ID)
		return err
	})
}

type tenantListCmd struct {
	configFlag
	listFlag
}

// Help is shown by --help.
func (tenantListCmd) Help() string {
	return `Example:
  portreeve tenants list --json`
}

// Run lists tenants.
func (c tenantListCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		list, err := all(func(offset int) ([]tenant.Tenant, int, error) {
			return h.Tenants.Tenants(ctx, input.Page{Limit: pageSize, Offset: offset})
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, list)
		}
		rows := make([][]string, 0, len(list))
		for _, t := range list {
			state := "open"
			if t.Disabled {
				state = "disabled"
			}
			rows = append(rows, []string{t.ID, t.Name, state, moment(t.CreatedAt)})
		}
		table(s.out, []string{"TENANT", "NAME", "STATE", "MADE"}, rows)
		return nil
	})
}

type tenantDisableCmd struct {
	configFlag
	ID string `arg:"" help:"The tenant."`
}

// Help is shown by --help.
func (tenantDisableCmd) Help() string {
	return `Example:
  portreeve tenants disable acme

Nothing of it is removed. Takes effect on a serving process within a second, in a
cluster within five.`
}

// Run disables a tenant.
func (c tenantDisableCmd) Run(s streams) error { return setTenant(s, c.configFlag, c.ID, true) }

type tenantEnableCmd struct {
	configFlag
	ID string `arg:"" help:"The tenant."`
}

// Help is shown by --help.
func (tenantEnableCmd) Help() string {
	return `Example:
  portreeve tenants enable acme`
}

// Run enables a tenant.
func (c tenantEnableCmd) Run(s streams) error { return setTenant(s, c.configFlag, c.ID, false) }

// setTenant disables a tenant, or enables it.
func setTenant(s streams, c configFlag, id string, disabled bool) error {
	return onStore(s, c, func(ctx context.Context, h *app.Host) error {
		if err := h.Tenants.SetDisabled(ctx, h.By(), id, disabled); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "tenant %s %s\n", id, map[bool]string{true: "disabled", false: "enabled"}[disabled])
		return err
	})
}

type tenantDeleteCmd struct {
	configFlag
	ID  string `arg:"" help:"The tenant."`
	Yes bool   `help:"Do not ask on a terminal."`
}

// Help is shown by --help.
func (tenantDeleteCmd) Help() string {
	return `Example:
  portreeve tenants delete acme

Its users, roles, keys and secrets go with it and cannot be brought back; its
audit trail stays, and no other tenant gets its id.`
}

// Run removes a tenant.
func (c tenantDeleteCmd) Run(s streams) error {
	if !c.Yes {
		if err := confirm(s, "Everything of the tenant goes with it. Its id to delete it: ", c.ID); err != nil {
			return err
		}
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		if err := h.Tenants.Delete(ctx, h.By(), c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "tenant %s deleted\n", c.ID)
		return err
	})
}

// confirm asks on a terminal for a word; a script is taken at its word.
func confirm(s streams, prompt, word string) error {
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	fmt.Fprint(s.err, prompt)
	line, err := bufio.NewReader(f).ReadString('\n')
	if err == nil && strings.TrimSpace(line) != word {
		err = errors.New("that is not it; nothing is done")
	}
	return err
}

type tenantExportCmd struct {
	configFlag
	ID string `arg:"" help:"The tenant."`
}

// Help is shown by --help.
func (tenantExportCmd) Help() string {
	return `Example:
  portreeve tenants export acme > acme.json

Holds no key, no hash and no secret's value.`
}

// Run writes a tenant.
func (c tenantExportCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		out, err := h.Export(ctx, c.ID)
		if err != nil {
			return err
		}
		return printJSON(s.out, out)
	})
}
