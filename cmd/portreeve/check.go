package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/portreeve/portreeve/internal/app"
)

type checkCmd struct {
	configFlag
	Fragment bool `help:"The file is one route object of the older documentation, or {\"data\": …} of one."`
	Online   bool `help:"Fetch the issuers' keys as well, and say which cannot be reached."`
	JSON     bool `help:"Print the report as JSON."`
}

// Help is shown by --help.
func (checkCmd) Help() string {
	return `Example:
  portreeve check -c portreeve.yaml

Exit status: 0 the file is good, 1 it has problems, 2 usage.`
}

// Run validates a configuration.
func (c checkCmd) Run(s streams) error {
	src, err := c.source(s)
	if err != nil {
		return err
	}
	check := app.Check
	switch {
	case c.Fragment && c.Online:
		return usage("--fragment and --online exclude each other")
	case c.Fragment:
		check = app.CheckFragment
	case c.Online:
		check = app.CheckOnline
	}
	report, err := check(src)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := report.JSON(s.out); err != nil {
			return err
		}
	} else {
		report.Write(s.out, width(s.out))
	}
	if !report.OK {
		return errRefused
	}
	return nil
}

// width is the terminal's, or 160.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 0 {
			return cols
		}
	}
	return 160
}

// colour reports whether w is a terminal that wants colour.
func colour(s streams, w io.Writer) bool {
	if v, ok := s.env("NO_COLOR"); ok && v != "" {
		return false
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
