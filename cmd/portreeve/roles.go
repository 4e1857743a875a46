package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/rbac"
)

type rolesCmd struct {
	List     roleListCmd     `cmd:"" help:"List the roles of a tenant: the file's, the built-in ones and its own."`
	Create   roleCreateCmd   `cmd:"" help:"Make a role of a tenant."`
	Assign   roleAssignCmd   `cmd:"" help:"Give a user one more role."`
	Unassign roleUnassignCmd `cmd:"" help:"Take a role away from a user."`
	Delete   roleDeleteCmd   `cmd:"" help:"Remove a role that nobody has."`
}

// Help is shown by --help.
func (rolesCmd) Help() string {
	return `Examples:
  portreeve roles create publisher --permission docs:publish --parent editor
  portreeve roles assign anna@example.com publisher

What is done here is done by the host, which may grant everything. Works beside
a serving process, which takes up changes by itself.`
}

type roleListCmd struct {
	configFlag
	tenantFlag
	listFlag
}

// Help is shown by --help.
func (roleListCmd) Help() string {
	return `Example:
  portreeve roles list --tenant acme`
}

// Run lists roles.
func (c roleListCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		list, err := all(func(offset int) ([]rbac.Shown, int, error) {
			return h.Roles.List(ctx, c.of(h), input.Page{Limit: pageSize, Offset: offset})
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, list)
		}
		rows := make([][]string, 0, len(list))
		for _, r := range list {
			parent := ""
			if r.ParentRole != nil {
				parent = *r.ParentRole
			}
			rows = append(rows, []string{r.Name, r.Source, dash(parent), strconv.Itoa(r.Assigned), dash(strings.Join(r.Effective, " "))})
		}
		table(s.out, []string{"ROLE", "OF", "PARENT", "USERS", "HOLDS"}, rows)
		return nil
	})
}

type roleCreateCmd struct {
	configFlag
	tenantFlag
	listFlag
	Name        string   `arg:"" help:"The role's name."`
	Permission  []string `help:"resource:action, with * for either part; may be given more than once."`
	Parent      string   `placeholder:"ROLE" help:"A role whose permissions this one inherits."`
	Description string   `help:"For people."`
}

// Help is shown by --help.
func (roleCreateCmd) Help() string {
	return `Example:
  portreeve roles create publisher --permission docs:publish --parent editor`
}

// Run makes a role.
func (c roleCreateCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		d := rbac.Draft{Name: given(c.Name), Permissions: given(append([]string{}, c.Permission...))}
		if c.Parent != "" {
			d.Parent = given(c.Parent)
		}
		if c.Description != "" {
			d.Description = given(c.Description)
		}
		r, err := h.Roles.Create(ctx, h.Caller(), c.of(h), d)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, r)
		}
		_, err = fmt.Fprintf(s.out, "role %s of tenant %s made; it holds %s\n", r.Name, c.of(h), dash(strings.Join(r.Effective, " ")))
		return err
	})
}

// given is a member that is set.
func given[T any](v T) input.Optional[T] { return input.Optional[T]{Set: true, Value: v} }

// assignFlags are of both ways to change which roles a user has.
type assignFlags struct {
	configFlag
	tenantFlag
	listFlag
	User     string `arg:"" help:"E-mail or id, or with --provider a subject there."`
	Role     string `arg:"" help:"The role."`
	Provider string `help:"The provider whose subject is meant."`
}

func (c assignFlags) run(s streams, did string, do func(*app.Host) func(context.Context, rbac.Caller, string, rbac.Assignment) (rbac.Assigned, error)) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		a := rbac.Assignment{User: c.User, Role: c.Role}
		if c.Provider != "" {
			issuer, ok := h.Issuer(c.Provider)
			if !ok {
				return usage("the configuration has no provider %q whose subjects are users", c.Provider)
			}
			a.Provider, a.Issuer, a.Named = c.Provider, issuer, true
		}
		out, err := do(h)(ctx, h.Caller(), c.of(h), a)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, out)
		}
		_, err = fmt.Fprintf(s.out, "role %s %s user %s; roles: %s\n", out.Role, did, out.UserID, dash(strings.Join(out.Roles, ", ")))
		return err
	})
}

type roleAssignCmd struct{ assignFlags }

// Help is shown by --help.
func (roleAssignCmd) Help() string {
	return `Examples:
  portreeve roles assign anna@example.com publisher
  portreeve roles assign --provider jwt alice editor`
}

// Run gives a role.
func (c roleAssignCmd) Run(s streams) error {
	return c.run(s, "assigned to", func(h *app.Host) func(context.Context, rbac.Caller, string, rbac.Assignment) (rbac.Assigned, error) {
		return h.Roles.Assign
	})
}

type roleUnassignCmd struct{ assignFlags }

// Help is shown by --help.
func (roleUnassignCmd) Help() string {
	return `Example:
  portreeve roles unassign anna@example.com publisher`
}

// Run takes a role away.
func (c roleUnassignCmd) Run(s streams) error {
	return c.run(s, "taken from", func(h *app.Host) func(context.Context, rbac.Caller, string, rbac.Assignment) (rbac.Assigned, error) {
		return h.Roles.Unassign
	})
}

type roleDeleteCmd struct {
	configFlag
	tenantFlag
	Name string `arg:"" help:"The role."`
}

// Help is shown by --help.
func (roleDeleteCmd) Help() string {
	return `Example:
  portreeve roles delete publisher`
}

// Run removes a role.
func (c roleDeleteCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		if err := h.Roles.Delete(ctx, h.Caller(), c.of(h), c.Name); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "role %s of tenant %s deleted\n", c.Name, c.of(h))
		return err
	})
}
