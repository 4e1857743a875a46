package session

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// maxReturn bounds where a sign-in leads.
const maxReturn = 2 << 10

// safeReturn is where a sign-in may lead: a path of this site, in its canonical
// form, with its query; "/" in place of anything else. A browser reads "//x" and
// "/\x" as another host, and drops tabs and line ends before it reads.
func safeReturn(raw string) string {
	if len(raw) > maxReturn || !strings.HasPrefix(raw, "/") {
		return "/"
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return "/"
		}
	}
	t := request.ParseTarget(raw, request.PathRules{}, nil)
	path, _, _ := strings.Cut(raw, "?")
	if len(t.Problems) > 0 || t.Path.String() != path || own(t.Path) {
		return "/"
	}
	return raw
}

// own reports whether a path is one of signing in and out, which would lead round
// in circles.
func own(p request.Path) bool {
	if len(p.Segments) < 2 || !strings.EqualFold(p.Segments[0].Value, ".portreeve") {
		return false
	}
	switch strings.ToLower(p.Segments[1].Value) {
	case "login", "callback", "logout", "signed-out", "backchannel", "link":
		return true
	}
	return false
}
