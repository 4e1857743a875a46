package demo

import (
	"fmt"
	"strings"
)

// who may do what: requests by everybody.
func (d *Demo) who() Group {
	steps := []Step{}
	for _, r := range []struct {
		who          string // "" for anonymous
		method, path string
		status       int
		shows        string
		top          bool
	}{
		{"", "GET", "/", 200, "anybody may", false},
		{"", "GET", "/.portreeve/whoami", 200, "who Portreeve takes you for: nobody", false},
		{"alice", "GET", "/.portreeve/whoami", 200, "and alice", false},
		{"alice", "GET", "/profile", 200, "templates see the verified token", false},
		{"alice", "GET", "/admin/users", 200, "admin holds every permission; see which headers the application got", true},
		{"bob", "PUT", "/docs/7", 200, "editor holds docs:*", false},
		{"dave", "GET", "/docs/7", 200, "reader holds docs:read", false},
		{"carol", "GET", "/team", 200, "Access says she is at example.com", false},
		{"robot", "GET", "/reports/2026/q3", 200, "the token's scope is enough", false},
		{"bob", "GET", "/own/bob", 200, "auth.sub == params.user; the application gets a signed assertion", false},
		{"bob", "GET", "/own/alice", 403, "and here it does not hold", false},
		{"", "GET", "/profile", 401, "no credential", true},
		{"alice", "GET", "/docs/..%2fadmin%2fusers", 400, "paths have one spelling", false},
		{"dave", "DELETE", "/docs/7", 403, "a reader may not: see below", true},
	} {
		var b strings.Builder
		if strings.Contains(r.path, "..") {
			b.WriteString("--path-as-is ")
		}
		if r.method != "GET" {
			b.WriteString("-X " + r.method + " ")
		}
		if r.who != "" {
			b.WriteString("-H @" + r.who + " ")
		}
		steps = append(steps, Step{curl(r.status, b.String()+d.URL+r.path), r.status, r.shows, r.top})
	}
	g := Group{Name: "who", Title: "Who may do what", Steps: steps}
	for _, p := range everybody {
		g.Intro = append(g.Intro, fmt.Sprintf("%-6s %s", p.name, p.is))
	}
	g.Intro = append(g.Intro, "")
	return g
}
