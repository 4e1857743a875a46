package docs

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/manual"
	"github.com/portreeve/portreeve/internal/request"
)

// The paths of the reference.
const (
	documentPath   = "/openapi.json"
	alsoDocument   = "/doc"
	pagePath       = "/reference"
	alsoPage       = "/ui"
	stylesheetPath = "/.portreeve/reference.css"
)

//go:embed reference.css
var stylesheet []byte

// policy lets the page have its stylesheet and nothing else: no script, no
// picture, no frame around it, no form.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Pages are the paths of the reference and of the documentation, and how their
// answers are made for a site.
func Pages(texts []manual.File) *gateway.Pages {
	p := &gateway.Pages{
		Paths:    []string{documentPath, pagePath},
		Unlisted: []string{alsoDocument, alsoPage, stylesheetPath},
		Make:     func(site *gateway.Site) map[string]func(*gateway.Exchange) request.Reply { return pages(site, texts) },
	}
	if len(texts) > 0 {
		p.Paths = append(p.Paths, manualPath)
	}
	for _, f := range texts {
		p.Unlisted = append(p.Unlisted, manualPath+f.Path)
	}
	return p
}

func pages(site *gateway.Site, texts []manual.File) map[string]func(*gateway.Exchange) request.Reply {
	a := describe(site)
	caching := "no-cache" // kept, and asked for anew each time: a reload may change it
	if site.Allow.Any() {
		caching = "private, no-cache"
	}
	document := fixed(a.openapi(), caching, "application/json; charset=utf-8")
	page := a.page().reply(caching)
	replies := map[string]func(*gateway.Exchange) request.Reply{
		documentPath: document, alsoDocument: document, pagePath: page, alsoPage: page,
		stylesheetPath: fixed(stylesheet, caching, "text/css; charset=utf-8"),
	}
	addManual(replies, texts, caching)
	return replies
}

// fixed is an answer that is the same for everybody.
func fixed(content []byte, caching, kind string) func(*gateway.Exchange) request.Reply {
	return under(policy, content, caching, kind)
}

// under is fixed under another policy.
func under(policy string, content []byte, caching, kind string) func(*gateway.Exchange) request.Reply {
	tag := tagOf(content)
	return func(x *gateway.Exchange) request.Reply {
		return tagged(x, policy, tag, caching, kind, func() []byte { return content })
	}
}

func tagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// tagged answers 304 to a client that has the content already.
func tagged(x *gateway.Exchange, policy, tag, caching, kind string, content func() []byte) request.Reply {
	h := request.Header{{Name: "ETag", Value: tag}, {Name: "Cache-Control", Value: caching}}
	if has(x.View.Header, tag) {
		return request.Reply{Status: 304, Header: h}
	}
	h = append(h, request.Field{Name: "Content-Type", Value: kind}, request.Field{Name: "X-Content-Type-Options", Value: "nosniff"},
		request.Field{Name: "Referrer-Policy", Value: "no-referrer"})
	h = append(h, request.Field{Name: "Content-Security-Policy", Value: policy})
	return request.Reply{Status: 200, Header: h, Body: content()}
}

// has reports whether If-None-Match names the tag (RFC 9110 section 13.1.2).
func has(h request.Header, tag string) bool {
	for _, v := range h.Values("If-None-Match") {
		for one := range strings.SplitSeq(v, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
