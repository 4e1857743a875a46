package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/tenant"
)

type usersCmd struct {
	Add     userAddCmd     `cmd:"" help:"Add a user; the first administrator too."`
	List    userListCmd    `cmd:"" help:"List a tenant's users."`
	Role    userRoleCmd    `cmd:"" help:"Give a user exactly these roles."`
	Disable userDisableCmd `cmd:"" help:"Refuse a user from now on."`
	Enable  userEnableCmd  `cmd:"" help:"Let a disabled user in again."`
	Relink  userRelinkCmd  `cmd:"" help:"Undo which identity a user is bound to."`
	Delete  userDeleteCmd  `cmd:"" help:"Remove a user with its roles; its keys hold nothing from then on."`

	ResetMFA userResetMFACmd `cmd:"" name:"reset-mfa" help:"Remove the second factors of a user who has lost them."`
	Sessions userSessionsCmd `cmd:"" help:"List the browsers' sessions of a user, or end them."`
	Appoint  userAppointCmd  `cmd:"" help:"Make somebody the owner of an agent."`
}

// Help is shown by --help.
func (usersCmd) Help() string {
	return `Examples:
  portreeve users add anna@example.com --role admin
  portreeve users list

A user is named by e-mail, id or service token. Works beside a serving process,
which takes up changes by itself.`
}

// userFlags are of every command about one user.
type userFlags struct {
	configFlag
	tenantFlag
	listFlag
	User string `arg:"" help:"E-mail, id, or an Access service token's client id."`
}

// change does something to the named user and prints the user.
func (c userFlags) change(s streams, did string, do func(ctx context.Context, h *app.Host, tenant, id string) (tenant.User, error)) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		u, err := h.Tenants.FindUser(ctx, c.of(h), c.User)
		if err == nil {
			u, err = do(ctx, h, c.of(h), u.ID)
		}
		if err != nil {
			return err
		}
		return c.print(s, u, did)
	})
}

func (f listFlag) print(s streams, u tenant.User, did string) error {
	if f.JSON {
		return printJSON(s.out, tenant.View(u))
	}
	_, err := fmt.Fprintf(s.out, "user %s (%s) of tenant %s %s; roles: %s\n", printable(called(u)), u.ID, u.Tenant, did, dash(strings.Join(u.Roles, ", ")))
	return err
}

// called is what people know a user by.
func called(u tenant.User) string {
	switch {
	case u.Email != "":
		return u.Email
	case u.ServiceToken != "":
		return u.ServiceToken
	case !u.Bound.IsZero():
		return u.Bound.Provider + ":" + u.Bound.Subject
	}
	return u.ID
}

type userAddCmd struct {
	configFlag
	tenantFlag
	listFlag
	Email        string   `arg:"" optional:"" help:"The e-mail that the user signs in with."`
	Role         []string `help:"A role of the file, of the tenant, or built in; may be given more than once."`
	Name         string   `help:"For people."`
	ServiceToken string   `placeholder:"ID" help:"Instead of an e-mail: the client id of an Access service token."`
	Provider     string   `help:"Instead of an e-mail, with --subject: the provider that the user signs in with."`
	Subject      string   `help:"The user's subject there."`
}

// Help is shown by --help.
func (userAddCmd) Help() string {
	return `Examples:
  portreeve users add anna@example.com --role admin
  portreeve users add --provider jwt --subject alice --role editor
  portreeve users add --service-token 88bf3b6d86161464f6509f7219099e57.access --role viewer

The user is bound to the first verified identity that comes with this e-mail.
Whoever can run this on the host can make the first administrator.`
}

// Run adds a user.
func (c userAddCmd) Run(s streams) error {
	if (c.Provider == "") != (c.Subject == "") {
		return usage("--provider and --subject go together")
	}
	if c.Email == "" && c.ServiceToken == "" && c.Subject == "" {
		return usage("an e-mail is needed, or --service-token, or --provider and --subject")
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		n := tenant.NewUser{Email: c.Email, ServiceToken: c.ServiceToken, Name: c.Name, Roles: c.Role}
		if c.Subject != "" {
			issuer, ok := h.Issuer(c.Provider)
			if !ok {
				return usage("the configuration has no provider %q whose subjects are users", c.Provider)
			}
			n.Bound = tenant.Binding{Provider: c.Provider, Issuer: issuer, Subject: c.Subject}
		}
		u, err := h.Tenants.AddUser(ctx, h.By(), c.of(h), n)
		if err != nil {
			return err
		}
		return c.print(s, u, "added")
	})
}

type userListCmd struct {
	configFlag
	tenantFlag
	listFlag
}

// Help is shown by --help.
func (userListCmd) Help() string {
	return `Example:
  portreeve users list --tenant acme`
}

// Run lists users.
func (c userListCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		list, err := all(func(offset int) ([]tenant.User, int, error) {
			return h.Tenants.Users(ctx, c.of(h), input.Page{Limit: pageSize, Offset: offset})
		})
		if err != nil {
			return err
		}
		views, rows := make([]tenant.UserView, 0, len(list)), make([][]string, 0, len(list))
		for _, u := range list {
			views = append(views, tenant.View(u))
			state := "open"
			if u.Disabled {
				state = "disabled"
			}
			rows = append(rows, []string{called(u), dash(strings.Join(u.Roles, ", ")), state, dash(u.Bound.Provider), u.ID})
		}
		if c.JSON {
			return printJSON(s.out, views)
		}
		table(s.out, []string{"USER", "ROLES", "STATE", "BOUND BY", "ID"}, rows)
		return nil
	})
}

type userRoleCmd struct {
	userFlags
	Role []string `arg:"" optional:"" help:"The roles; none takes all of them away."`
}

// Help is shown by --help.
func (userRoleCmd) Help() string {
	return `Examples:
  portreeve users role anna@example.com editor
  portreeve users role anna@example.com

The second takes all roles away. To add or take one: portreeve roles assign.`
}

// Run sets a user's roles.
func (c userRoleCmd) Run(s streams) error {
	return c.change(s, "changed", func(ctx context.Context, h *app.Host, t, id string) (tenant.User, error) {
		roles := append([]string{}, c.Role...)
		return h.Tenants.PatchUser(ctx, h.By(), t, id, tenant.Patch{Roles: &roles})
	})
}

type userDisableCmd struct{ userFlags }

// Help is shown by --help.
func (userDisableCmd) Help() string {
	return `Example:
  portreeve users disable anna@example.com

Takes effect on a serving process within a second, in a cluster within five.`
}

// Run disables a user.
func (c userDisableCmd) Run(s streams) error {
	return c.change(s, "disabled", func(ctx context.Context, h *app.Host, t, id string) (tenant.User, error) {
		return h.Tenants.SetUserDisabled(ctx, h.By(), t, id, true)
	})
}

type userEnableCmd struct{ userFlags }

// Help is shown by --help.
func (userEnableCmd) Help() string {
	return `Example:
  portreeve users enable anna@example.com`
}

// Run enables a user.
func (c userEnableCmd) Run(s streams) error {
	return c.change(s, "enabled", func(ctx context.Context, h *app.Host, t, id string) (tenant.User, error) {
		return h.Tenants.SetUserDisabled(ctx, h.By(), t, id, false)
	})
}

type userRelinkCmd struct{ userFlags }

// Help is shown by --help.
func (userRelinkCmd) Help() string {
	return `Example:
  portreeve users relink anna@example.com

After this the next verified use of the e-mail binds the user anew: for somebody
whose account at the provider was replaced (identity_conflict).`
}

// Run undoes a binding.
func (c userRelinkCmd) Run(s streams) error {
	return c.change(s, "bound to nobody", func(ctx context.Context, h *app.Host, t, id string) (tenant.User, error) {
		return h.Tenants.Relink(ctx, h.By(), t, id)
	})
}

type userDeleteCmd struct {
	userFlags
	Yes bool `help:"Do not ask on a terminal."`
}

// Help is shown by --help.
func (userDeleteCmd) Help() string {
	return `Example:
  portreeve users delete anna@example.com

To keep somebody out, disable the user: whoever is deleted is a caller without a
row, whom a token's own roles or the default role may still let in. What the trail
holds about the person stays; portreeve audit erase removes it.`
}

// Run deletes a user.
func (c userDeleteCmd) Run(s streams) error {
	if !c.Yes {
		if err := confirm(s, "The user's roles go with it, and its keys open nothing. Type its name again to delete it: ", c.User); err != nil {
			return err
		}
	}
	return c.change(s, "deleted", func(ctx context.Context, h *app.Host, t, id string) (tenant.User, error) {
		u, err := h.Tenants.User(ctx, t, id)
		if err == nil {
			err = h.Tenants.DeleteUser(ctx, h.By(), t, id)
		}
		return u, err
	})
}
