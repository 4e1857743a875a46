// Command gen writes the JSON Schema and the reference page of the
// configuration file. go generate runs it in internal/app.
package main

import (
	"fmt"
	"os"

	"github.com/portreeve/portreeve/internal/app"
)

func main() {
	schema, reference, err := app.MakeSchema("../..")
	if err == nil {
		err = os.WriteFile("portreeve.schema.json", schema, 0o644)
	}
	if err == nil {
		err = os.WriteFile("../../docs/config.md", reference, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
