// Package docs holds the documentation. Its tests read it as a reader would:
// configurations are checked, commands are typed, what they print is compared.
package docs

import "embed"

// Files are the pages, as they are written; internal/manual makes a site of them.
//
//go:embed *.md adr/*.md howto/*.md security/*.md
var Files embed.FS
