package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/migrate"
)

type importCmd struct {
	D1       importD1Cmd       `cmd:"" name:"d1" help:"Take tenants, users, machine tokens, sealed secrets, agents from a SQL dump."`
	Backflow importBackflowCmd `cmd:"" help:"Write a portreeve.yaml from a config.json of the config-driven backend."`
	Wrangler importWranglerCmd `cmd:"" help:"Write a portreeve.yaml from a worker's wrangler file."`

	DynamicLinks importDynamicLinksCmd `cmd:"" help:"Print the rules of links for an export of Firebase Dynamic Links."`
}

// Help is shown by --help.
func (importCmd) Help() string {
	return `Examples:
  portreeve import d1 dump.sql --dry-run
  portreeve import backflow config.json

Each prints what it took, what it left and why. A second run of the same file
changes nothing.`
}

// importFlags are of every import.
type importFlags struct {
	listFlag
	File   string `arg:"" help:"What to import; - for standard input."`
	DryRun bool   `help:"Only say what would be taken and what left."`
}

// maxImport bounds what is read into memory at once.
const maxImport = 512 << 20

func (c importFlags) read(s streams) ([]byte, error) {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	src, err := io.ReadAll(io.LimitReader(in, maxImport+1))
	if err == nil && len(src) > maxImport {
		err = errors.New("the file is larger than 512 MiB; import it in parts")
	}
	return src, err
}

func (c importFlags) print(s streams, r *migrate.Report) error {
	if c.JSON {
		return printJSON(s.out, r)
	}
	verb := "took"
	if r.DryRun {
		verb = "would take"
	}
	for _, l := range r.Took {
		fmt.Fprintf(s.out, "%s %s\n", verb, printable(l.String()))
	}
	for _, l := range r.Left {
		fmt.Fprintf(s.out, "left %s\n", printable(l.String()))
	}
	if !r.Changed {
		fmt.Fprintln(s.out, "nothing changes")
	}
	return nil
}

type importD1Cmd struct {
	configFlag
	tenantFlag
	importFlags
}

// Help is shown by --help.
func (importD1Cmd) Help() string {
	return `Example:
  portreeve import d1 dump.sql --dry-run

Reads the dump, or bare INSERTs, and runs none of it: tenants, users, machine
tokens, keys, machines and sealed secrets of the provisioning backend, agents and
their admins, which become the tenant's that --tenant names. Ids are kept. All of it is there afterwards, or
nothing.`
}

// Run imports a dump.
func (c importD1Cmd) Run(s streams) error {
	src, err := c.read(s)
	if err != nil {
		return err
	}
	return onStore(s, c.configFlag, func(ctx context.Context, h *app.Host) error {
		r, err := migrate.D1{DB: h.DB, Tenants: h.Tenants, Keys: h.APIKeys, By: h.By(), KeyBy: h.KeyBy(), Agents: h.Agents, Escrow: h.Escrow, Tenant: c.of(h)}.Import(ctx, src, c.DryRun)
		if err != nil {
			return err
		}
		return c.print(s, r)
	})
}

// writeFlags are of the imports that write a configuration.
type writeFlags struct {
	importFlags
	Out string `short:"o" default:"portreeve.yaml" placeholder:"FILE" help:"Where the configuration goes; a file that says something else is not written over."`
}

// write writes a configuration unless it is there already.
func (c writeFlags) write(s streams, file []byte, r *migrate.Report) error {
	r.DryRun = c.DryRun
	was, err := os.ReadFile(c.Out)
	switch {
	case err == nil && bytes.Equal(was, file):
		r.Changed = false
	case err == nil:
		return fmt.Errorf("%s is there and says something else; name another file with -o", c.Out)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	default:
		if r.Changed = true; !c.DryRun {
			if err := os.WriteFile(c.Out, file, 0o600); err != nil {
				return err
			}
		}
	}
	if err := c.print(s, r); err != nil {
		return err
	}
	if r.Changed && !c.DryRun && !c.JSON {
		fmt.Fprintf(s.out, "%s written; portreeve check -c %s says what it opens\n", c.Out, c.Out)
	}
	return nil
}

type importBackflowCmd struct{ writeFlags }

// Help is shown by --help.
func (importBackflowCmd) Help() string {
	return `Example:
  portreeve import backflow config.json -o portreeve.yaml`
}

// Run imports a config.json.
func (c importBackflowCmd) Run(s streams) error {
	src, err := c.read(s)
	if err != nil {
		return err
	}
	file, r, err := migrate.Backflow(src, filepath.Base(c.File))
	if err != nil {
		return err
	}
	return c.write(s, file, r)
}

type importWranglerCmd struct {
	writeFlags
	Env string `placeholder:"NAME" help:"The environment of the worker, such as prod or test; its top level unless given."`
}

// Help is shown by --help.
func (importWranglerCmd) Help() string {
	return `Example:
  portreeve import wrangler wrangler.toml --env prod`
}

// Run imports a wrangler file.
func (c importWranglerCmd) Run(s streams) error {
	src, err := c.read(s)
	if err != nil {
		return err
	}
	file, r, err := migrate.Wrangler(src, filepath.Base(c.File), c.Env)
	if err != nil {
		return err
	}
	return c.write(s, file, r)
}
