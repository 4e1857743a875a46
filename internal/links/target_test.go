package links

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

func targetOf(h *host, link string) string {
	r := h.get(link, iPhone)
	if r.Status == 302 {
		return r.Header.Get("Location")
	}
	if r.Status != 200 || len(r.Body) > 0 {
		return "?"
	}
	return ""
}

// What a link leads to, by the rules of the file.
func TestTargets(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", `{scheme: example, mode: redirect, fallback: {desktop: "https://www.example.com/get"}, rules: [
	  {match: "/link/:screen", to: "example://open/{{params.screen}}?ref={{query.ref}}"},
	  {match: "/u/:name", to: "example://{{params.name}}/profile"},
	  {match: "/q", to: "example://find/{{query.word}}"},
	  {match: "/all/*", to: "example://{{path}}?{{query}}"},
	  {match: "/rest/*", to: "example://r/{{params.*}}?from={{path}}&{{query}}"},
	  {match: "/web/:page", to: "https://www.example.com/{{params.page}}#{{query.at}}"}]}`)
	for link, want := range map[string]string{
		"/link/home":                          "example://open/home?ref=",
		"/link/home?ref=a%26b%3Dc":            "example://open/home?ref=a%26b%3Dc",
		"/link/home?ref=a&ref=b":              "example://open/home?ref=a",
		"/link/a%20b%2Fc":                     "example://open/a%20b%2Fc?ref=",
		"/link/%252e%252e":                    "?",
		"/link/..%2f..":                       "?", // no canonical form
		"/link/x?ref=%0d%0aSet-Cookie:%20a=b": "example://open/x?ref=%0D%0ASet-Cookie%3A%20a%3Db",
		"/u/anna":                             "example://anna/profile",
		"/u/evil.com:80@x":                    "example://evil.com%3A80%40x/profile",
		"/u/%2Fevil.com":                      "example://%2Fevil.com/profile",
		"/q?word=a/../b":                      "",
		"/q?word=..":                          "",
		"/q":                                  "",
		"/q?word=%ff":                         "",
		"/q?word=a%00":                        "",
		"/q?word=gr%C3%BCn":                   "example://find/gr%C3%BCn",
		"/all/a/b?x=1&y=%2F":                  "example://all/a/b?x=1&y=%2F",
		"/all/a":                              "example://all/a",
		"/all/a?":                             "example://all/a",
		"/all/a?<\"'>%zz":                     "example://all/a?%3C%22%27%3E%25zz",
		"/rest/a/b%2Fc?x=1":                   "example://r/a/b%2Fc?from=rest%2Fa%2Fb%252Fc&x=1",
		"/rest/a":                             "example://r/a?from=rest%2Fa",
		"/web/pricing?at=top":                 "https://www.example.com/pricing#top",
		"/web/%2F%2Fevil.com":                 "https://www.example.com/%2F%2Fevil.com#",
		"/nothing":                            "",
		"/":                                   "",
		"/all/" + strings.Repeat("x", 9000):   "",
	} {
		if got := targetOf(h, link); got != want {
			t.Errorf("%s leads to %q, want %q", link, got, want)
		}
	}

	// The older service's whole rewriting.
	old := serve(t, "prod", `{scheme: floatme, mode: redirect, rules: [{match: "/*", to: "floatme://{{path}}?{{query}}"}]}`)
	for link, want := range map[string]string{"/": "floatme://", "/link/a?b=c": "floatme://link/a?b=c", "/user:pw@host/x": "floatme://user%3Apw%40host/x", "/a;b": "?"} {
		if got := targetOf(old, link); got != want {
			t.Errorf("%s leads to %q, want %q", link, got, want)
		}
	}
}

// leadsElsewhere says why a target does not lead where the file allows; "": it does.
func leadsElsewhere(to, scheme string, hosts ...string) string {
	if strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "it holds a character that splits a header or a URL"
	}
	if rest, ok := strings.CutPrefix(to, scheme+"://"); ok {
		host := rest[:strings.IndexAny(rest+"/", "/?#")]
		if strings.ContainsAny(host, "@:\\") {
			return "it names a user or a port"
		}
		return ""
	}
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme != "https" || u.User != nil || !slices.Contains(hosts, u.Host):
		return "scheme or host is none that is configured"
	}
	return ""
}

const propertyConfig = `{scheme: example, mode: redirect, fallback: {ios: "https://apps.apple.com/app/id1?pt=2", android: "https://play.google.com/store/apps/details?id=a.b", desktop: "https://www.example.com/get"}, rules: [
  {match: "/*", to: "example://{{path}}?{{query}}"},
  {match: "/a/:x", to: "example://{{params.x}}{{query.y}}/{{query.z}}#{{query.w}}"},
  {match: "/b/*", to: "https://www.example.com/{{params.*}}?q={{path}}&{{query}}"},
  {match: "/c/:x/:y", to: "https://www.example.com/{{params.x}}/{{query.x}}/{{params.y}}"}]}`

// checkLink holds everything that a link is answered with to the file.
func checkLink(t interface{ Errorf(string, ...any) }, h *host, link string) {
	for _, agent := range []string{iPhone, pixel, macBook} {
		r := h.get(link, agent)
		if r.Status == 302 {
			if why := leadsElsewhere(r.Header.Get("Location"), "example", "www.example.com", "apps.apple.com", "play.google.com"); why != "" {
				t.Errorf("%q → %q: %s", link, r.Header.Get("Location"), why)
			}
		}
		var told struct{ Target, Fallback *string }
		with := link + "?format=json"
		if strings.Contains(link, "?") {
			with = strings.Replace(link, "?", "?format=json&", 1)
		}
		if r := h.get(with, agent); r.Status == 200 && unmarshal(r.Body, &told) {
			for _, s := range []*string{told.Target, told.Fallback} {
				if s == nil {
					continue
				}
				if why := leadsElsewhere(*s, "example", "www.example.com", "apps.apple.com", "play.google.com"); why != "" {
					t.Errorf("%q → %q: %s", link, *s, why)
				}
			}
		}
	}
}

// For every URL, where it leads has the configured scheme, or a configured host.
func TestEveryTargetIsConfigured(t *testing.T) {
	t.Parallel()
	h := serve(t, "prod", propertyConfig)
	piece := rapid.SampledFrom([]string{"a", "b", "c", "x", ".", "..", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%252e", "%25", "@", ":", "//", "/", "evil.com", "javascript:alert(1)", "example:", "https:", "%0d%0a", "%00", "%ff", "?", "&", "=", "#", ";", "utm_source", "x=", "y=", "z=", "w=", "ct=", "{{path}}", "%7B%7Bquery%7D%7D", "ü", "%C3%BC", "+", " ", "[", "'", "\""})
	rapid.Check(t, func(t *rapid.T) {
		link := "/" + strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "link"), "")
		checkLink(t, h, link)
	})
}

func FuzzLink(f *testing.F) {
	for _, s := range []string{"/", "/a/b?y=..&z=c", "/b//evil.com", "/c/..%2f/x?x=%2e", "/b/x?" + strings.Repeat("a=b&", 9), "/@evil.com/", "/a/%40?y=%3A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		if !strings.HasPrefix(link, "/") || len(link) > 16<<10 {
			return
		}
		checkLink(t, serve(t, "prod", propertyConfig), link)
	})
}

// Whatever a rule says, it compiles to a target of the configured places, or not
// at all.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"example://{{path}}?{{query}}", "https://www.example.com/{{params.x}}", "https://www.example.com@evil.com/", "{{path}}", "example://%zz", "example://a{{query.b}}#?", "https://www.example.com/..", "example:// "} {
		f.Add(s, "value")
	}
	f.Fuzz(func(t *testing.T, to, value string) {
		c, err := compileTarget(template.Parse(to), []string{"x", "*"}, destinations{"example", []string{"www.example.com"}})
		if err != nil {
			return
		}
		rules := request.PathRules{Allow: request.EncodedSlash | request.Nested}
		parsed := request.ParseTarget("/"+request.EscapeQuery(value), rules, nil)
		if _, bad := parsed.Refused(rules); bad {
			return
		}
		always := func(string) string { return value }
		if s, ok := c.String(lookup{param: always, query: always, path: parsed.Path.Segments, raw: value}); ok {
			if why := leadsElsewhere(s, "example", "www.example.com"); why != "" {
				t.Errorf("%q of %q: %s", s, to, why)
			}
		}
	})
}
