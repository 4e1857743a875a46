package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/principal"
)

type auditCmd struct {
	Tail   auditTailCmd   `cmd:"" help:"Print the last events."`
	Verify auditVerifyCmd `cmd:"" help:"Find any change, removal or insertion."`
	Export auditExportCmd `cmd:"" help:"Write events as lines of JSON."`
	Erase  auditEraseCmd  `cmd:"" help:"Remove what the events say about a person; the chains verify as before."`
}

// Help is shown by --help.
func (auditCmd) Help() string {
	return `Examples:
  portreeve audit tail
  portreeve audit verify --checkpoints /var/log/portreeve-checkpoints

Events stand in one chain per tenant, and one of the host: configurations, master
keys, what is done to tenants.`
}

// scopeFlags say whose events are meant: everybody's unless one is named.
type scopeFlags struct {
	Tenant string `short:"t" placeholder:"ID" help:"Only this tenant's chain."`
	Host   bool   `help:"Only the host's own chain."`
}

func (f scopeFlags) scope() (audit.Scope, error) {
	if f.Tenant != "" && f.Host {
		return audit.Scope{}, usage("--tenant and --host exclude each other")
	}
	return audit.Scope{Tenant: f.Tenant, All: f.Tenant == "" && !f.Host}, nil
}

type auditTailCmd struct {
	configFlag
	scopeFlags
	listFlag
	Last   int  `short:"n" default:"20" help:"How many."`
	Follow bool `short:"f" help:"Go on with those that come, until Ctrl-C."`
}

// Help is shown by --help.
func (auditTailCmd) Help() string {
	return `Example:
  portreeve audit tail -n 50 --tenant acme --follow`
}

// Run prints events.
func (c auditTailCmd) Run(s streams) error {
	scope, err := c.scope()
	if err != nil {
		return err
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		return h.Audit.Tail(ctx, scope, c.Last, c.Follow, func(r audit.Record) error {
			if c.JSON {
				return printLine(s.out, r)
			}
			_, err := fmt.Fprintln(s.out, eventLine(r))
			return err
		})
	})
}

// eventLine is an event for people.
func eventLine(r audit.Record) string {
	who := r.Actor.Kind
	for _, name := range []string{r.Actor.Email, r.Actor.ID, r.Actor.UserID} {
		if name != "" {
			who += " " + name
			break
		}
	}
	line := fmt.Sprintf("%s  %-6s  %s  %s  %s", r.Time, dash(r.Tenant), r.Action, dash(r.Target), who)
	if r.Actor.IP != "" {
		line += " from " + r.Actor.IP
	}
	if r.Result != "ok" {
		line += "  " + r.Result
	}
	return printable(line)
}

type auditVerifyCmd struct {
	configFlag
	scopeFlags
	listFlag
	Checkpoints string `placeholder:"FILE" help:"The signed checkpoints to hold the trail against; audit.checkpoint of the configuration unless given, - for standard input."`
}

// Help is shown by --help.
func (auditVerifyCmd) Help() string {
	return `Example:
  portreeve audit verify --checkpoints /var/log/portreeve-checkpoints

Without checkpoints a trail whose end was cut off looks like a shorter one: keep
them where the store's administrator cannot write. The log holds them too.

Exit status: 0 nothing is wrong, 1 something is, 2 usage.`
}

// Run verifies the trail.
func (c auditVerifyCmd) Run(s streams) error {
	scope, err := c.scope()
	if err != nil {
		return err
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		from, done, err := c.checkpoints(s, h)
		if err != nil {
			return err
		}
		defer done()
		r, err := h.Audit.Verify(ctx, scope, from)
		if err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(s.out, r)
		} else {
			err = c.print(s, r)
		}
		if err == nil && !r.OK() {
			err = errRefused
		}
		return err
	})
}

// checkpoints opens what the trail is held against; nil where there is nothing.
func (c auditVerifyCmd) checkpoints(s streams, h *app.Host) (io.Reader, func(), error) {
	file := c.Checkpoints
	switch {
	case file == "-":
		return s.in, func() {}, nil
	case file == "":
		if file = h.CheckpointFile(); file == "" {
			return nil, func() {}, nil
		}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("the checkpoints: %w", err)
	}
	return f, func() { _ = f.Close() }, nil
}

func (c auditVerifyCmd) print(s streams, r *audit.Report) error {
	for _, p := range r.Problems {
		where := "chain of tenant " + p.Tenant
		if p.Tenant == "" {
			where = "chain of the host"
		}
		if p.N > 0 {
			where += fmt.Sprintf(", event %d", p.N)
		}
		fmt.Fprintln(s.out, printable(where+": "+p.What))
	}
	if r.More > 0 {
		fmt.Fprintf(s.out, "and %d more\n", r.More)
	}
	verdict := "nothing is wrong"
	if !r.OK() {
		verdict = counted(len(r.Problems)+int(r.More), "problem")
	}
	held := "no checkpoints to hold them against: a missing end would not be seen"
	if r.Checkpoints > 0 {
		held = "held against " + counted(int(r.Checkpoints), "checkpoint")
	}
	_, err := fmt.Fprintf(s.out, "%s, %s: %s (%s)\n", counted(r.Chains, "chain"), counted(int(r.Rows), "event"), verdict, held)
	return err
}

type auditExportCmd struct {
	configFlag
	scopeFlags
	From   string `placeholder:"TIME" help:"From this time on: 2026-11-01, or as RFC 3339 writes it."`
	Before string `placeholder:"TIME" help:"Before this time."`
}

// Help is shown by --help.
func (auditExportCmd) Help() string {
	return `Example:
  portreeve audit export --tenant acme --from 2026-11-01 > november.jsonl`
}

// Run writes events.
func (c auditExportCmd) Run(s streams) error {
	scope, err := c.scope()
	if err != nil {
		return err
	}
	from, err := momentOf("--from", c.From)
	if err != nil {
		return err
	}
	before, err := momentOf("--before", c.Before)
	if err != nil {
		return err
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		n, err := h.ExportAudit(ctx, s.out, scope, from, before)
		if err == nil {
			fmt.Fprintf(s.err, "%s\n", counted(int(n), "event"))
		}
		return err
	})
}

// momentOf reads a day (UTC) or a moment; "" is the zero time.
func momentOf(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("%s is no time: 2026-11-01, or 2026-11-01T12:00:00Z", flag)
}

type auditEraseCmd struct {
	configFlag
	listFlag
	Tenant string `short:"t" placeholder:"ID" help:"In this tenant's chain."`
	All    bool   `help:"In all chains."`
	Email  string `arg:"" help:"The person's e-mail."`
	Yes    bool   `help:"Do not ask on a terminal."`
}

// Help is shown by --help.
func (auditEraseCmd) Help() string {
	return `Example:
  portreeve audit erase anna@example.com --all

What happened stays, and that somebody was erased is an event itself; who it was
cannot be brought back. Checkpoints and exports that stand elsewhere are not
changed. The user's row is another matter: portreeve users delete.`
}

// Run erases a person from the trail.
func (c auditEraseCmd) Run(s streams) error {
	if c.All == (c.Tenant != "") {
		return usage("say where: --tenant ID, or --all")
	}
	if _, _, ok := principal.FoldEmail(c.Email); !ok {
		return usage("%s is no e-mail address", printable(c.Email))
	}
	if !c.Yes {
		if err := confirm(s, "It cannot be brought back. The address again to erase it: ", c.Email); err != nil {
			return err
		}
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		n, err := h.Audit.Erase(ctx, audit.Scope{Tenant: c.Tenant, All: c.All}, c.Email, h.Actor())
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, map[string]any{"erased": n})
		}
		_, err = fmt.Fprintf(s.out, "erased in %s\n", counted(int(n), "place"))
		return err
	})
}
