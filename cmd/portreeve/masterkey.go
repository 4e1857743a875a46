package main

import (
	"fmt"

	"github.com/portreeve/portreeve/internal/seal"
)

type masterkeyCmd struct {
	New masterkeyNewCmd `cmd:"" help:"Print a new master key."`
}

// Help is shown by --help.
func (masterkeyCmd) Help() string {
	return `Example:
  portreeve masterkey new | portreeve secrets put master-key`
}

type masterkeyNewCmd struct{}

// Help is shown by --help.
func (masterkeyNewCmd) Help() string {
	return `Example:
  portreeve masterkey new | portreeve secrets put master-key

Then write  masterKey: "{{file.secrets/master-key}}"  into the configuration.
Keep a copy where the store's backups are not: what is sealed opens with no
other key.`
}

// Run prints a key.
func (masterkeyNewCmd) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, seal.NewKey())
	return err
}
