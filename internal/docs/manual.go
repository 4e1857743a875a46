package docs

import (
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/manual"
	"github.com/portreeve/portreeve/internal/request"
)

// manualPath is where the documentation begins. Each of its pages is a path of its
// own, so that what the file has below /docs/ (/docs/:id) stays the file's.
const manualPath = "/docs/"

// manualPolicy lets the documentation have its stylesheet, its scripts and the
// form of its search, and nothing else.
const manualPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// addManual adds the documentation's answers.
func addManual(replies map[string]func(*gateway.Exchange) request.Reply, texts []manual.File, caching string) {
	for _, f := range texts {
		replies[manualPath+f.Path] = under(manualPolicy, f.Body, caching, f.Type)
		if f.Path == manual.Index {
			replies[manualPath] = replies[manualPath+f.Path]
		}
	}
}
