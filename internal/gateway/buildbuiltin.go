package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// builtins adds what Portreeve itself answers on a site. /health stands on the
// default site alone, which also is the site of any host that none names; where
// nothing else stands there, it stands alone.
func (b *builder) builtins() {
	if b.Owner != nil {
		return
	}
	if b.Default {
		b.builtin("/health", health)
	}
	if b.site.Empty {
		return
	}
	b.claimPages()
	b.builtin("/.portreeve/whoami", whoami)
	if keys := b.Keys; keys != nil { // the answer must not keep the builder, and with it the whole document
		b.builtin("/.portreeve/jwks.json", func(*Exchange) request.Reply {
			raw, err := keys()
			if err != nil {
				return JSON(500, map[string]string{"error": "Internal Server Error"})
			}
			return request.Reply{Status: 200, Body: raw, Header: request.Header{
				{Name: "Content-Type", Value: "application/jwk-set+json"}, {Name: "Cache-Control", Value: "public, max-age=300"}}}
		})
	}
}

// builtin adds a route of Portreeve's own; nil where the path is taken, which
// is reported.
func (b *builder) builtin(path string, reply func(*Exchange) request.Reply) *Route {
	pattern, err := ParsePattern(path)
	if err != nil {
		b.At.Errorf("", "%s: %v", path, err)
		return nil
	}
	r := &Route{Key: "Portreeve's own", Pattern: pattern, Methods: []string{"GET"}, Identify: path == "/.portreeve/whoami" && !b.NoAuth,
		OpenToAll: true, Answer: &Builtin{Name: path, Reply: reply}}
	if r.Identify {
		var all []string
		for _, p := range b.Identity.Providers() {
			all = append(all, p.Name)
		}
		if len(all) > 0 {
			if r.Accept, err = b.Identity.Accept(all); err != nil {
				b.At.Errorf("", "%v", err)
			}
		}
	}
	// Whatever the method: a path of ours with other methods of the file's would
	// be two claims on one path.
	failed := b.site.Table.Add(r) != nil
	for _, other := range b.site.Table.sharing(pattern) {
		if other == r {
			continue
		}
		at := ""
		if _, key, ofFile := strings.Cut(other.Key, "routes["); ofFile {
			at = "routes[" + key + ".path"
		}
		b.At.Errorf(at, "%s is Portreeve's own path here; %s claims it too", path, other.Where())
		failed = true
	}
	if failed {
		return nil
	}
	b.endpointLimit(r)
	return r
}
