package portal

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/portreeve/portreeve/internal/escrow/web"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/request"
)

//go:embed style.css scripts/*.js
var own embed.FS

// assets are the files that pages load, under an address with the digest of all
// of them: modules that import one another are of one release.
type assets struct {
	version string
	files   map[string]request.Reply
	imports map[string][]string // of a module: those it needs, at any remove
}

// theAssets are of the release. A process that opens many stores makes them once.
var theAssets = sync.OnceValues(newAssets)

func newAssets() (*assets, error) {
	a := &assets{files: map[string]request.Reply{}}
	sum := sha256.New()
	add := func(name string, body []byte) {
		sum.Write([]byte(name + "\x00"))
		sum.Write(body)
		kind := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}[path.Ext(name)]
		if kind == "" {
			kind = "text/plain; charset=utf-8"
		}
		a.files[name] = request.Reply{Status: 200, Body: body, Header: request.Header{{Name: "Content-Type", Value: kind},
			{Name: "Cache-Control", Value: "public, max-age=31536000, immutable"}, {Name: "X-Content-Type-Options", Value: "nosniff"},
			{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"}}}
	}
	style, err := own.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	add("style.css", append(pages.Tokens(), style...))
	for _, from := range []struct {
		files  fs.FS
		folder string
	}{{own, "scripts"}, {web.Files(), "."}} {
		list, err := fs.ReadDir(from.files, from.folder)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			body, err := fs.ReadFile(from.files, path.Join(from.folder, f.Name()))
			if err != nil {
				return nil, err
			}
			name := f.Name()
			if from.folder == "." {
				name = "escrow/" + name
			}
			add(name, body)
		}
	}
	direct := a.direct()
	a.imports = map[string][]string{}
	for name := range direct {
		a.imports[name] = imported(direct, name)
	}
	a.version = base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9])
	return a, nil
}

// direct are the modules that each module imports itself.
func (a *assets) direct() map[string][]string {
	from := regexp.MustCompile(`(?m)^(?:import|export)\b[^'"\n]*['"](\.[^'"]+)['"]`)
	out := map[string][]string{}
	for name, file := range a.files {
		if path.Ext(name) != ".js" {
			continue
		}
		out[name] = nil
		for _, m := range from.FindAllStringSubmatch(string(file.Body), -1) {
			out[name] = append(out[name], path.Join(path.Dir(name), m[1]))
		}
	}
	return out
}

// imported are the modules that a module imports, and those that they import. A page
// names them to the browser, which then loads all of them at once; by itself it
// learns of each from the one that imports it, ten round trips deep.
func imported(direct map[string][]string, name string) (out []string) {
	next := []string{name}
	for len(next) > 0 {
		one := next[0]
		next = next[1:]
		for _, at := range direct[one] {
			if at != name && !slices.Contains(out, at) {
				out, next = append(out, at), append(next, at)
			}
		}
	}
	return out
}

// at is where a file stands.
func (a *assets) at(name string) string { return "/assets/" + a.version + "/" + name }

// assets are the routes of the files. They hold nothing that is anybody's.
func (s *site) assets() []gateway.SurfaceRoute {
	route := func(pattern, folder string) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: "GET", Path: pattern, Anonymous: true,
			Op: gateway.Operation{Surface: surface, Name: "what pages are made of", Unlisted: true, HTML: true,
				Run: func(_ context.Context, c *gateway.Call) (request.Reply, error) {
					name, _ := c.Params.Get("name")
					version, _ := c.Params.Get("version")
					reply, ok := s.files.files[folder+name]
					if !ok || strings.Contains(name, "/") {
						return request.Reply{Status: 404, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
					}
					if version != s.files.version { // of a page from before an update
						reply.Header = slices.DeleteFunc(slices.Clone(reply.Header), func(f request.Field) bool { return f.Name == "Cache-Control" })
						reply.Header = append(reply.Header, request.Field{Name: "Cache-Control", Value: "no-store"})
					}
					return reply, nil
				}}}
	}
	return []gateway.SurfaceRoute{route("/assets/:version/:name", ""), route("/assets/:version/escrow/:name", "escrow/")}
}
