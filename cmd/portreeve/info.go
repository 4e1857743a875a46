package main

import (
	"fmt"
	"runtime"

	"github.com/portreeve/portreeve/internal/app"
)

type schemaCmd struct{}

// Help is shown by --help.
func (schemaCmd) Help() string {
	return `Example:
  portreeve schema > portreeve.schema.json`
}

// Run prints the schema.
func (schemaCmd) Run(s streams) error {
	_, err := s.out.Write(app.Schema())
	return err
}

type versionCmd struct{}

// Run prints the release.
func (versionCmd) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "portreeve %s (%s, %s/%s)\n", app.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
