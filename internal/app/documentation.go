package app

import (
	"sync"

	texts "github.com/portreeve/portreeve/docs"
	"github.com/portreeve/portreeve/examples"
	"github.com/portreeve/portreeve/internal/manual"
)

// Documentation is the documentation of this release as a site: for a folder, or
// for a server to hand out.
func Documentation(folder bool) ([]manual.File, error) {
	return manual.Make(manual.Options{Docs: texts.Files, Examples: examples.Files, Version: version, Folder: folder})
}

// documentation is made when the first file asks for it, and once. It is part of
// the binary, which a test holds: were it broken, everything else is served all
// the same.
var documentation = sync.OnceValue(func() []manual.File {
	files, err := Documentation(false)
	if err != nil {
		return nil
	}
	return files
})
