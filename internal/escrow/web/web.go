// Package web holds the browser's side of secret escrow: ES modules over Web
// Cryptography alone, without dependencies and without a build step, so that what
// is served can be read as it is. escrow.js has everything that pages need.
//
// Nothing in them sends anything: pages do, and only what these functions give out.
// There is no fetch here, no storage and no markup.
//
// words.txt are the words of passphrases that are generated; ranks.txt is what
// attackers guess first (test/npm/ranks.mjs makes it of zxcvbn's lists), which
// strength.js goes by.
package web

import (
	"embed"
	"io/fs"
)

//go:embed *.js words.txt ranks.txt
var files embed.FS

// Files are the modules and the two lists, to be served beside one another.
func Files() fs.FS { return files }
