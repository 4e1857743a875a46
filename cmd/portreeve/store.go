package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/store"
)

type migrateCmd struct {
	configFlag
	listFlag
	Status bool `help:"Only say how far the store is; exit status 1 where a migration is to come."`
}

// Help is shown by --help.
func (migrateCmd) Help() string {
	return `Examples:
  portreeve migrate --status
  portreeve migrate

serve does it by itself unless the file says store: {migrate: manual}. The
release before goes on working on a store that was migrated one step.`
}

// Run migrates.
func (c migrateCmd) Run(s streams) error {
	src, err := c.source(s)
	if err != nil {
		return err
	}
	ctx, stop := stopSignals(s)
	defer stop()
	if c.Status {
		st, err := app.StoreStatus(ctx, src)
		if err != nil {
			return configProblem(s, src, inWords(err), "nothing is done")
		}
		if err := c.print(s, st); err != nil {
			return err
		}
		if len(st.Pending) > 0 || st.Version > st.Latest {
			return errRefused
		}
		return nil
	}
	before, after, err := app.MigrateStore(ctx, src)
	if err != nil {
		return configProblem(s, src, inWords(err), "nothing is done")
	}
	if !c.JSON && before.Version != after.Version {
		fmt.Fprintf(s.out, "migrated from %d to %d\n", before.Version, after.Version)
	}
	return c.print(s, after)
}

func (c migrateCmd) print(s streams, st store.Status) error {
	if c.JSON {
		return printJSON(s.out, map[string]any{"engine": st.Engine, "version": st.Version, "latest": st.Latest, "pending": append([]string{}, st.Pending...)})
	}
	switch {
	case st.Version > st.Latest:
		fmt.Fprintf(s.out, "the %s store is at migration %d, which is newer than this portreeve (%d)\n", st.Engine, st.Version, st.Latest)
	case len(st.Pending) > 0:
		fmt.Fprintf(s.out, "the %s store is at migration %d of %d; to come: %s\n", st.Engine, st.Version, st.Latest, strings.Join(st.Pending, ", "))
	default:
		fmt.Fprintf(s.out, "the %s store is at migration %d, the latest\n", st.Engine, st.Version)
	}
	return nil
}

type backupCmd struct {
	configFlag
	listFlag
	File   string `arg:"" help:"A new file for the copy; with --verify one that exists."`
	Verify bool   `help:"Read a backup from end to end instead."`
}

// Help is shown by --help.
func (backupCmd) Help() string {
	return `Examples:
  portreeve backup /backups/portreeve-2026-11-21.db
  portreeve backup /backups/portreeve-2026-11-21.db --verify

The copy is a SQLite store, whatever the engine, and consistent while serving
goes on. What is sealed stays sealed, and the master key is not in it: keep that
elsewhere, or the copy opens nothing.`
}

// Run writes or verifies a backup.
func (c backupCmd) Run(s streams) error {
	ctx, stop := stopSignals(s)
	defer stop()
	if c.Verify {
		v, err := store.VerifyBackup(ctx, c.File)
		if err != nil {
			return inWords(err)
		}
		return c.print(s, v, "is sound")
	}
	src, err := c.source(s)
	if err != nil {
		return err
	}
	v, err := app.BackupStore(ctx, src, c.File)
	if err != nil {
		return configProblem(s, src, inWords(err), "nothing is done")
	}
	return c.print(s, v, "written and verified")
}

func (c backupCmd) print(s streams, v store.Verified, did string) error {
	if c.JSON {
		return printJSON(s.out, map[string]any{"file": c.File, "version": v.Version, "tables": copied(v.Tables)})
	}
	rows := int64(0)
	for _, t := range v.Tables {
		rows += t.Rows
	}
	_, err := fmt.Fprintf(s.out, "%s %s: migration %d, %s, %s\n", c.File, did, v.Version, counted(len(v.Tables), "table"), counted(int(rows), "row"))
	return err
}

type copiedView struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Digest string `json:"digest"`
}

func copied(list []store.Copied) []copiedView {
	out := make([]copiedView, 0, len(list))
	for _, c := range list {
		out = append(out, copiedView(c))
	}
	return out
}

type storeCmd struct {
	Copy storeCopyCmd `cmd:"" help:"Copy everything into a new store and compare what arrived."`
}

// Help is shown by --help.
func (storeCmd) Help() string {
	return `Example:
  portreeve store copy sqlite:portreeve.db postgres://portreeve@db/portreeve`
}

type storeCopyCmd struct {
	listFlag
	From string `arg:"" help:"sqlite:FILE, postgres://…, or {{env.NAME}} for an address with a password in it."`
	To   string `arg:"" help:"The same, of a store that is new."`
}

// Help is shown by --help.
func (storeCopyCmd) Help() string {
	return `Examples:
  portreeve store copy sqlite:portreeve.db postgres://portreeve@db/portreeve
  DB=postgres://portreeve:…@db/portreeve portreeve store copy sqlite:portreeve.db '{{env.DB}}'

Stop what serves first, or what it writes meanwhile stays behind. Nothing is kept
of a copy whose row counts and digests are not the same. The master key moves
with neither: the configuration that names the new store names it too.`
}

// Run copies a store.
func (c storeCopyCmd) Run(s streams) error {
	from, err := address(s, c.From)
	if err != nil {
		return err
	}
	to, err := address(s, c.To)
	if err != nil {
		return err
	}
	ctx, stop := stopSignals(s)
	defer stop()
	list, err := app.CopyStore(ctx, from, to)
	if err != nil {
		return inWords(err)
	}
	if c.JSON {
		return printJSON(s.out, copied(list))
	}
	rows := make([][]string, 0, len(list))
	for _, t := range list {
		rows = append(rows, []string{t.Table, strconv.FormatInt(t.Rows, 10), t.Digest})
	}
	table(s.out, []string{"TABLE", "ROWS", "DIGEST"}, rows)
	return nil
}

// address reads a store's address. One with a password in it belongs into a
// variable: other users of the machine can read the command line.
func address(s streams, given string) (string, error) {
	name, ok := strings.CutPrefix(given, "{{env.")
	if name, end := strings.CutSuffix(name, "}}"); ok && end {
		v, set := s.env(name)
		if !set {
			return "", usage("the variable %s is not set", name)
		}
		given = v
	} else if at := strings.LastIndex(given, "@"); at > 0 && strings.Contains(strings.TrimPrefix(given[:at], "postgres:"), ":") && strings.Contains(given, "://") {
		if _, rest, _ := strings.Cut(given[:at], "://"); strings.Contains(rest, ":") {
			fmt.Fprintln(s.err, "warning: a password stands on the command line, where other users of this machine can read it; use '{{env.NAME}}'")
		}
	}
	if file, ok := strings.CutPrefix(given, "sqlite:"); ok {
		abs, err := filepath.Abs(file)
		return "sqlite:" + abs, err
	}
	if !strings.HasPrefix(given, "postgres://") && !strings.HasPrefix(given, "postgresql://") {
		if _, err := os.Stat(given); err == nil {
			return "", usage("%s is a file: write sqlite:%s", given, given)
		}
		return "", usageError{errors.New("a store is sqlite:FILE or postgres://…")}
	}
	return given, nil
}
