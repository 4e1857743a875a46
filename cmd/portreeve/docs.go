package main

import (
	"fmt"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/manual"
)

type docsCmd struct {
	Folder string `arg:"" type:"path" help:"Where a folder named after the release is made."`
}

// Help is shown by --help.
func (docsCmd) Help() string {
	return `Example:
  portreeve docs ~/portreeve-docs

The pages are read and searched without a server. "docs: true" in a
configuration serves them at /docs/.`
}

// Run writes the documentation.
func (c docsCmd) Run(s streams) error {
	files, err := app.Documentation(true)
	if err != nil {
		return err
	}
	begin, err := manual.Write(c.Folder, app.Version(), files)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, begin)
	return err
}
