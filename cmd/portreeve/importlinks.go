package main

import (
	"path/filepath"

	"github.com/portreeve/portreeve/internal/migrate"
)

type importDynamicLinksCmd struct {
	listFlag
	File   string `arg:"" help:"The CSV file of one domain, as Google Takeout exports it; - for standard input."`
	Scheme string `placeholder:"NAME" help:"The app's own scheme; the export's unless given."`
}

// Help is shown by --help.
func (importDynamicLinksCmd) Help() string {
	return `Example:
  portreeve import dynamic-links example.page.link.csv --scheme example > links.yaml

The rules go to standard output, what was left and why to standard error. Nothing
is changed anywhere.`
}

// Run imports an export.
func (c importDynamicLinksCmd) Run(s streams) error {
	flags := importFlags{listFlag: c.listFlag, File: c.File, DryRun: true}
	src, err := flags.read(s)
	if err != nil {
		return err
	}
	out, r, err := migrate.DynamicLinks(src, filepath.Base(c.File), c.Scheme)
	if err != nil {
		return err
	}
	r.DryRun = false
	if _, err := s.out.Write(out); err != nil {
		return err
	}
	s.out = s.err
	return flags.print(s, r)
}
