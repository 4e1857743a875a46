package main

import (
	"context"
	"fmt"

	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/session"
)

type userSessionsCmd struct {
	userFlags
	Revoke bool   `help:"End them: whoever has them signs in again."`
	ID     string `placeholder:"ID" help:"Only the session of this id."`
}

// Help is shown by --help.
func (userSessionsCmd) Help() string {
	return `Examples:
  portreeve users sessions anna@example.com
  portreeve users sessions anna@example.com --revoke

Ends them on a serving process within a second, in a cluster within five. To keep
somebody out for good: portreeve users disable.`
}

// Run lists or ends sessions.
func (c userSessionsCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		u, err := h.Tenants.FindUser(ctx, c.of(h), c.User)
		if err != nil {
			return err
		}
		if c.Revoke {
			n, err := h.Sessions.Revoke(ctx, session.By{Actor: h.Actor()}, session.OfUser(u), c.ID)
			switch {
			case err != nil:
				return err
			case c.JSON:
				return printJSON(s.out, struct {
					Revoked int `json:"revoked"`
				}{n})
			}
			_, err = fmt.Fprintf(s.out, "%s of %s ended\n", counted(n, "session"), printable(called(u)))
			return err
		}
		all, err := h.Sessions.Sessions(ctx, session.OfUser(u))
		if err != nil {
			return err
		}
		views, rows := []session.View{}, [][]string{}
		for _, one := range all {
			if c.ID != "" && one.ID != c.ID {
				continue
			}
			views = append(views, session.ViewOf(one, ""))
			rows = append(rows, []string{one.ID, one.Site, one.Provider, moment(one.CreatedAt), moment(one.SeenAt), moment(one.EndsAt)})
		}
		if c.JSON {
			return printJSON(s.out, views)
		}
		table(s.out, []string{"SESSION", "SITE", "SIGNED IN BY", "BEGAN", "LAST USED", "ENDS"}, rows)
		return nil
	})
}

type userAppointCmd struct {
	configFlag
	tenantFlag
	listFlag
	Email      string `arg:"" help:"Whose e-mail becomes the owner's."`
	Agent      string `arg:"" help:"The agent, by its id."`
	Role       string `default:"owner" enum:"owner,admin,viewer" help:"Another role than owner: admin or viewer."`
	Collection string `default:"agents" help:"The collection, where it is another than agents."`
}

// Help is shown by --help.
func (userAppointCmd) Help() string {
	return `Examples:
  portreeve users appoint anna@example.com helpdesk
  portreeve users appoint bob@example.com website --collection projects --role admin

For an agent whose owners are all gone: no role opens one in which somebody has
none, *:* included.`
}

// Run appoints an owner.
func (c userAppointCmd) Run(s streams) error {
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		m, err := h.Agents.Appoint(ctx, h.Actor(), c.of(h), c.Collection, c.Agent, c.Email, c.Role)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, agents.MemberViewOf(m))
		}
		_, err = fmt.Fprintf(s.out, "%s is %s of %s %s in tenant %s\n", printable(m.Email), m.Role, c.Collection, c.Agent, c.of(h))
		return err
	})
}
