package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/fault"
)

// pageSize is how many rows a list reads at a time.
const pageSize = 500

// tenantFlag is --tenant.
type tenantFlag struct {
	Tenant string `short:"t" placeholder:"ID" help:"The tenant; tenants.default unless given."`
}

func (f tenantFlag) of(h *app.Host) string {
	if f.Tenant != "" {
		return f.Tenant
	}
	return h.DefaultTenant()
}

// onStore runs what a command does on the store. It works beside a process that
// serves the same store, which takes up the change by itself.
func onStore(s streams, c configFlag, do func(ctx context.Context, h *app.Host) error) error {
	src, err := c.source(s)
	if err != nil {
		return err
	}
	ctx, stop := stopSignals(s)
	defer stop()
	h, err := app.OpenHost(ctx, src, app.HostOptions{Who: whoami(), Log: s.err})
	if err != nil {
		return configProblem(s, src, inWords(err), "nothing is done")
	}
	err = do(ctx, h)
	return inWords(errors.Join(err, h.Close()))
}

// whoami names the account of the operating system, for the audit trail.
func whoami() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// inWords is an error as people read it: a fault's own text and which fields are
// meant, without the codes that are for programs.
func inWords(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	text := f.Text()
	for _, d := range f.Details {
		text += "\n  " + strings.TrimSpace(d.Field+" "+d.Issue)
	}
	if f.Err != nil && (f.Kind == fault.Internal || f.Kind == fault.Unavailable) {
		text += ": " + f.Err.Error()
	}
	return errors.New(text)
}

// all reads every page of a list.
func all[T any](read func(offset int) ([]T, int, error)) ([]T, error) {
	out := []T{}
	for {
		page, total, err := read(len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, page...); len(page) == 0 || len(out) >= total {
			return out, nil
		}
	}
}

// counted is "1 user", "2 users".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
