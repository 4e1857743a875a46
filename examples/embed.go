// Package examples holds configurations to start from. Its tests load each.
package examples

import "embed"

// Files are the configurations; the documentation shows them.
//
//go:embed *.yaml
var Files embed.FS
