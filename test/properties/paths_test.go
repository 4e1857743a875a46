package properties

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/request"
)

// neighbours are a few protected routes among open ones that are as wide as can
// be: what slips past a literal is let in next door.
var neighbours = []place{
	{"users", "/admin/users", true},
	{"secrets", "/admin/secrets/*", true},
	{"public", "/public/*", false},
	{"a", "/a/:x", false},
	{"one", "/:x", false},
	{"two", "/:x/:y", false},
	{"rest", "/*", false},
}

// moved are open routes that send another path than they matched, beside the
// protected ones. No route takes the paths that they send.
var moved = []place{
	{"users", "/admin/users", true},
	{"secrets", "/admin/secrets/*", true},
	{"api", "/api/*", false},
	{"move", "/move/:x/:y", false},
}

// pathSite is a site of the test: its settings, and what its upstream is known
// not to do since the operator allowed something.
type pathSite struct {
	host, settings string
	places         []place
	exact          bool // what may be forwarded is known, no more and no less
	dots, fold     bool
	trusts         []string // readings that the settings say the upstream has not
}

var (
	slashes   = []string{"merges slashes", "resolves dots"} // the latter as path.Clean does, merging on its way
	params    = []string{"drops ;parameters of segments", "cuts at the first ;"}
	encoded   = []string{"decodes", `takes \ for /`}
	structure = slices.Concat(slashes, params, encoded)
)

var pathSites = []pathSite{
	{host: "strict.test", places: neighbours, exact: true},
	{host: "moved.test", places: moved},
	{host: "dots.test", settings: "dotSegments: resolve", places: neighbours, dots: true},
	{host: "fold.test", settings: "pathCase: fold", places: neighbours, exact: true, fold: true},
	{host: "empty.test", settings: "emptySegments: keep", places: neighbours, trusts: slashes},
	{host: "slash.test", settings: "encodedSlash: allow", places: neighbours, trusts: encoded},
	{host: "params.test", settings: "semicolon: allow", places: neighbours, trusts: params},
	{host: "loose.test", settings: "encodedSlash: allow, emptySegments: keep, semicolon: allow, dotSegments: resolve", places: neighbours, trusts: structure},
}

// pathConfig writes the routes of all sites. Each tells the application its name.
func pathConfig() string {
	var b strings.Builder
	b.WriteString("environment: test\njwt: {secret: \"{{file.jwt-secret}}\"}\n" +
		"rbac: {roles: [{name: admin, permissions: [\"users:read\"]}]}\nsites:\n")
	for _, s := range pathSites {
		fmt.Fprintf(&b, "  - hosts: %s\n", s.host)
		for setting := range strings.SplitSeq(s.settings, ", ") {
			if setting != "" {
				fmt.Fprintf(&b, "    %s\n", setting)
			}
		}
		b.WriteString("    routes:\n")
		for _, p := range s.places {
			need, change := "", ""
			switch {
			case p.protected:
				need = `, requiredPermissions: ["users:read"]`
			case p.name == "api":
				change = ", stripPrefix: /api"
			case p.name == "move":
				change = `, rewrite: "/{{params.x}}/{{params.y}}"`
			}
			fmt.Fprintf(&b, "      - {path: %q, method: any%s, upstream: {url: \"@ECHO@\"%s, headers: {set: {X-Route: %s}}}}\n",
				p.pattern, need, change, p.name)
		}
	}
	return b.String()
}

// guarded reports whether a path is a protected resource of the sites.
func guarded(p string, fold bool) bool {
	if fold {
		p = strings.ToLower(p)
	}
	return p == "/admin/users" || strings.HasPrefix(p, "/admin/secrets/")
}

// may is what an upstream of the site may do.
func (s *pathSite) may() []reading {
	var out []reading
	for _, r := range readings {
		if !slices.Contains(s.trusts, r.name) {
			out = append(out, r)
		}
	}
	return out
}

// TestP1WhatIsMatchedIsWhatIsForwarded: whatever spelling a client finds for a
// path, it is either refused, or the application gets exactly the path that
// router and policy decided about, and takes it for nothing else.
func TestP1WhatIsMatchedIsWhatIsForwarded(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		k := newKeys(t)
		d := start(t, e, pathConfig(), k.files())
		admin := bearer(k.hs256(t, map[string]any{"sub": "alice", "role": "admin"}))
		for _, s := range pathSites {
			t.Run(s.host, func(t *testing.T) {
				c := d.client(t)
				through, refused, paths := 0, 0, wanted
				if s.host == "moved.test" {
					paths = wantedMoved
				}
				rapid.Check(t, func(t *rapid.T) {
					for range 3 {
						if s.try(t, c, target(t, s.host, paths), nil) {
							through++
						} else {
							refused++
						}
						s.try(t, c, target(t, s.host, paths), admin)
					}
				})
				if through < 8 || refused < 8 {
					t.Errorf("%d targets got through and %d were refused: one half of the rule was not tried", through, refused)
				}
			})
		}
		if s := d.echo.strangers(); len(s) > 0 {
			t.Errorf("the application got requests that nobody sent: %q", s)
		}
	})
}

// TestP1EveryByteInEveryPlace tries each byte, as it is and in its escapes, at
// each place of a protected path.
func TestP1EveryByteInEveryPlace(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		d := start(t, e, pathConfig(), newKeys(t).files())
		c := d.client(t)
		s := &pathSites[0]
		const path = "/admin/users"
		for b := range 256 {
			for _, spelt := range slices.Compact([]string{string([]byte{byte(b)}), fmt.Sprintf("%%%02x", b), fmt.Sprintf("%%%02X", b), fmt.Sprintf("%%25%02x", b)}) {
				for _, at := range []int{0, 1, 6, 7, len(path)} { // before and behind each segment
					s.try(t, c, path[:at]+spelt+path[at:], nil)
				}
				if at := strings.IndexByte(path, byte(b)); at >= 0 {
					s.try(t, c, path[:at]+spelt+path[at+1:], nil)
				}
			}
		}
	})
}

// try sends a target and holds what becomes of it to the rule. It reports
// whether the target got through.
func (s *pathSite) try(t fataler, c *client, target string, credential []request.Field) bool {
	t.Helper()
	a := c.get(t, s.host, target, credential...)
	path, query, ok := canonical(target, s.host, s.dots)
	if a.saw == nil {
		switch {
		case a.status != 400 && a.status != 401 && a.status != 403 && a.status != 404:
			t.Fatalf("%s %q: refused with %d", s.host, target, a.status)
		case s.exact && ok && a.status == 400:
			t.Fatalf("%s %q: refused with %s, though it has the canonical form %q", s.host, target, a.body, path)
		case s.exact && ok && (credential != nil || !belongs(s.places, path, s.fold).protected):
			t.Fatalf("%s %q: refused with %d", s.host, target, a.status)
		}
		return false
	}
	if a.status != 200 {
		t.Fatalf("%s %q: forwarded, and then answered with %d", s.host, target, a.status)
	}
	if s.exact && (!ok || a.saw.Target != path+query) {
		t.Fatalf("%s %q: forwarded as %q, want %q (acceptable: %t)", s.host, target, a.saw.Target, path+query, ok)
	}
	if u, err := url.ParseRequestURI(a.saw.Target); err != nil || s.exact && u.EscapedPath() != path {
		t.Fatalf("%s %q: forwarded as %q, which net/url reads as %v (%v)", s.host, target, a.saw.Target, u, err)
	}
	s.decided(t, c, target, a)
	got, _, _ := strings.Cut(a.saw.Target, "?")
	if hidesDots(got) {
		t.Fatalf("%s %q: forwarded as %q, which hides dots", s.host, target, a.saw.Target)
	}
	if credential != nil {
		return true
	}
	for _, r := range allReadings(got, s.may()) {
		if guarded(r, s.fold) {
			t.Fatalf("%s %q: forwarded without the permission as %q, which is %q to some upstream", s.host, target, a.saw.Target, r)
		}
	}
	return true
}

// decided compares what was forwarded with what the log says was decided about,
// and the route with the one that the forwarded path belongs to.
func (s *pathSite) decided(t fataler, c *client, target string, a answer) {
	t.Helper()
	got, _, _ := strings.Cut(a.saw.Target, "?")
	line := c.d.log.line(t, a.id)
	name := a.saw.Header("X-Route")
	if len(name) != 1 {
		t.Fatalf("%s %q: X-Route %q", s.host, target, name)
	}
	matched := got
	if name[0] == "api" || name[0] == "move" { // it was told to send another path
		matched = line["path"].(string)
		if lenientDecode(strings.TrimPrefix(matched, "/"+name[0])) != lenientDecode(got) || strings.Count(matched, "/") != strings.Count(got, "/")+1 {
			t.Fatalf("%s %q: decided about %q, forwarded %q", s.host, target, matched, got)
		}
	}
	if line["path"] != matched {
		t.Fatalf("%s %q: decided about %q, forwarded %q", s.host, target, line["path"], got)
	}
	p := belongs(s.places, matched, s.fold)
	if p == nil || p.name != name[0] || p.pattern != line["route"] {
		t.Fatalf("%s %q: forwarded as %q by route %q (%s), which belongs to %+v", s.host, target, got, name[0], line["route"], p)
	}
}

// TestP1TheFrontDoorIsOpen shows the rule what it must not refuse.
func TestP1TheFrontDoorIsOpen(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		k := newKeys(t)
		d := start(t, e, pathConfig(), k.files())
		c := d.client(t)
		admin := bearer(k.hs256(t, map[string]any{"sub": "alice", "role": "admin"}))
		for _, s := range pathSites {
			for _, target := range []string{"/admin/users", "/%61dmin/users?x=%2f..", "/admin/secrets/key", "http://" + s.host + "/admin/users"} {
				if a := c.get(t, s.host, target, admin...); a.status != 200 || a.saw == nil {
					t.Errorf("%s %s with the permission: %d %s", s.host, target, a.status, a.body)
				}
				if a := c.get(t, s.host, target); a.status != 401 || a.saw != nil {
					t.Errorf("%s %s without: %d %s", s.host, target, a.status, a.body)
				}
			}
		}
	})
}
