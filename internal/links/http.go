package links

import (
	"context"
	"crypto/sha256"
	_ "embed" // the script
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

// Surface is the name under which the operations stand.
const Surface = "links"

// scriptPath is where the page of phones finds its script.
const scriptPath = "/.portreeve/open.js"

//go:embed open.js
var script []byte

// Site is the site that the operations stand on.
type Site struct {
	Config *Config
	Env    string // which variant of the association files is served
	Pages  *pages.Pages
	// Count is told what came of each request: one of Outcomes. nil: nobody.
	Count func(outcome string)
}

// Outcomes are all that Count is told: "association" and "association_missing" of
// the files, "silent" where no rule matched, "json", and by platform what a link
// came to.
func Outcomes() []string {
	return []string{"association", "association_missing", "silent", "json", "page_ios", "page_android", "page_desktop",
		"redirect_ios", "redirect_android", "fallback_desktop"}
}

// Routes lists the operations of a site:
//
//	GET /.well-known/apple-app-site-association   and /apple-app-site-association
//	GET /.well-known/assetlinks.json
//	GET a rule's path                             into the app, or to where it comes from
//	GET /*                                        200 and nothing
//	GET /.portreeve/style.css, open.js            where there are rules
//
// The site is the surface's alone: EncodedSlash holds there, and Shape tells
// faults.
func Routes(t Site) []gateway.SurfaceRoute {
	if t.Count == nil {
		t.Count = func(string) {}
	}
	h := &handlers{Site: t}
	apple, android := t.Config.Files(t.Env)
	list := []gateway.SurfaceRoute{route(androidPath, "Android's association file", h.association(newFile(android)))}
	for _, path := range applePaths {
		list = append(list, route(path, "Apple's association file", h.association(newFile(apple))))
	}
	if len(t.Config.Rules) == 0 {
		return append(list, route("/*", "leave a link to the app", h.silent))
	}
	h.script = scriptPath + "?v=" + digest(script)
	h.phones = map[Platform]*url.URL{}
	h.phones[IOS], _ = fallbackURL(t.Config.Fallback.IOS)
	h.phones[Android], _ = fallbackURL(t.Config.Fallback.Android)
	h.desktop, _ = fallbackURL(t.Config.Fallback.Desktop)
	list = append(list, route(pages.StylePath, "the pages' stylesheet", func(context.Context, *gateway.Call) (request.Reply, error) {
		return t.Pages.Style(), nil
	}), route(scriptPath, "the script that opens the app", h.open))
	to, all := t.Config.destinations(), false
	for _, r := range t.Config.Rules {
		p, err := gateway.ParsePattern(r.Match)
		if err != nil {
			continue // Validate has said so
		}
		if target, err := compileTarget(r.To, paramsOf(p), to); err == nil {
			all = all || shapeOf(p) == "/*"
			list = append(list, route(r.Match, "follow a link", h.follow(target)))
		}
	}
	if !all {
		list = append(list, route("/*", "leave a link to the app", h.unmatched))
	}
	return list
}

func route(path, name string, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{Method: "GET", Path: path, Anonymous: true, OtherSites: true,
		Op: gateway.Operation{Surface: Surface, Name: name, Shape: Shape, Unlisted: true, Run: run}}
}

// Shape tells faults: nobody but GET and HEAD is answered, wherever.
func Shape(f *fault.Error, requestID, decision string) request.Reply {
	g := *f
	switch {
	case g.Kind == fault.MethodNotAllowed:
		g.Allow = []string{"GET", "HEAD"}
	case g.Code == "bad_path": // every path is one of links, but for those without a meaning
		g.Kind, g.Message = fault.BadRequest, "The request path is not acceptable"
	}
	return gateway.Flat(&g, requestID, decision)
}

// handlers are the operations of one site.
type handlers struct {
	Site
	script  string
	phones  map[Platform]*url.URL // nil: none
	desktop *url.URL              // nil: our page
}

// file is an association file as it is served.
type file struct {
	body []byte
	etag string
}

func newFile(body []byte) file { return file{body, `"` + digest(body) + `"`} }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (h *handlers) association(f file) func(context.Context, *gateway.Call) (request.Reply, error) {
	return func(_ context.Context, c *gateway.Call) (request.Reply, error) {
		if f.body == nil {
			h.Count("association_missing")
			return request.Reply{}, fault.New(fault.NotFound, "no_association", "This host has no apps of that kind")
		}
		h.Count("association")
		header := request.Header{
			{Name: "Cache-Control", Value: "public, max-age=3600"},
			{Name: "ETag", Value: f.etag},
			{Name: "X-Content-Type-Options", Value: "nosniff"},
		}
		if sameTag(c.View.Header.Values("If-None-Match"), f.etag) {
			return request.Reply{Status: 304, Header: header}, nil
		}
		return request.Reply{Status: 200, Body: f.body, Header: append(header, request.Field{Name: "Content-Type", Value: "application/json"})}, nil
	}
}

// sameTag compares weakly (RFC 9110 section 13.1.2).
func sameTag(fields []string, etag string) bool {
	for _, field := range fields {
		for tag := range strings.SplitSeq(field, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}

func (h *handlers) open(context.Context, *gateway.Call) (request.Reply, error) {
	return request.Reply{Status: 200, Body: script, Header: request.Header{
		{Name: "Content-Type", Value: "text/javascript; charset=utf-8"},
		{Name: "Cache-Control", Value: "public, max-age=31536000, immutable"},
		{Name: "X-Content-Type-Options", Value: "nosniff"}}}, nil
}

// silent is the answer of a plain host of universal links: the system takes the
// link before any request is made.
func (h *handlers) silent(context.Context, *gateway.Call) (request.Reply, error) {
	h.Count("silent")
	return request.Reply{Status: 200}, nil
}

// unmatched is the answer where there are rules, and none matches.
func (h *handlers) unmatched(_ context.Context, c *gateway.Call) (request.Reply, error) {
	platform := platformOf(c.View.Header.Get("User-Agent"))
	if wantsJSON(c) {
		return h.json(c, outcome{Platform: platform, Fallback: h.fallback(platform, "", c)}), nil
	}
	h.Count("silent")
	return request.Reply{Status: 200, Header: varying()}, nil
}

// varying goes with every answer that depends on who asks.
func varying() request.Header {
	return request.Header{{Name: "Vary", Value: "User-Agent"}, {Name: "Cache-Control", Value: "no-store"}}
}

// outcome is what ?format=json tells.
type outcome struct {
	Matched  bool     `json:"matched"`
	Platform Platform `json:"platform"`
	Target   *string  `json:"target"`
	Fallback *string  `json:"fallback"`
}

func (h *handlers) json(_ *gateway.Call, o outcome) request.Reply {
	h.Count("json")
	body, err := json.Marshal(o)
	if err != nil {
		return request.Reply{Status: 500}
	}
	return request.Reply{Status: 200, Body: append(body, '\n'), Header: append(varying(),
		request.Field{Name: "Content-Type", Value: "application/json; charset=utf-8"}, request.Field{Name: "X-Content-Type-Options", Value: "nosniff"})}
}

func wantsJSON(c *gateway.Call) bool { return first(c, "format") == "json" }

func first(c *gateway.Call, name string) string {
	if list := c.View.QueryValues(name); len(list) > 0 {
		return list[0]
	}
	return ""
}
