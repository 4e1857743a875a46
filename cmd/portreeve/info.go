package main

import (
	"encoding/json"
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

type versionCmd struct {
	JSON bool `help:"Print it as JSON."`
}

// Help is shown by --help.
func (versionCmd) Help() string {
	return `Example:
  portreeve version --json`
}

// Run prints the release.
func (c versionCmd) Run(s streams) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]string{
			"version": app.Version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	_, err := fmt.Fprintf(s.out, "portreeve %s (%s, %s/%s)\n", app.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
