package properties

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file says a second time, in other words than internal/request and
// internal/gateway, what a path is, which route it belongs to, and what an
// upstream may take it for.

var (
	escaped     = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	unreserved  = regexp.MustCompile(`^[A-Za-z0-9._~-]$`)
	plainInPath = regexp.MustCompile(`^(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-F]{2})*$`)
	absolute    = regexp.MustCompile(`(?i)^https?://([^/?#]*)`)
	manySlashes = regexp.MustCompile(`/{2,}`)
	parameters  = regexp.MustCompile(`;[^/]*`)
	authority   = regexp.MustCompile(`^(?:[a-z]+:)?//[^/]*`)
)

// canonical is the path and query that a strict site forwards for a target, or
// false for one that it must refuse. With dots, it resolves them first.
func canonical(target, host string, dots bool) (p, query string, ok bool) {
	if m := absolute.FindStringSubmatch(target); m != nil {
		if !strings.EqualFold(m[1], host) {
			return "", "", false
		}
		if target = target[len(m[0]):]; !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	if !strings.HasPrefix(target, "/") || strings.Contains(target, "#") || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7F }) {
		return "", "", false
	}
	p, q, has := strings.Cut(target, "?")
	if has {
		query = "?" + q
	}
	decoded, err := url.PathUnescape(p) // net/url, which shares no code with ours
	switch {
	case err != nil, !utf8.ValidString(decoded):
		return "", "", false
	case strings.ContainsFunc(p, func(r rune) bool { return r >= 0x80 }):
		return "", "", false
	case strings.ContainsFunc(decoded, func(r rune) bool { return r < ' ' || r == 0x7F || r == ';' || r == '\\' }):
		return "", "", false
	case strings.Count(decoded, "/") != strings.Count(p, "/"), escaped.MatchString(decoded):
		return "", "", false
	}
	p = escaped.ReplaceAllStringFunc(p, func(e string) string {
		if c, _ := url.PathUnescape(e); unreserved.MatchString(c) {
			return c
		}
		return strings.ToUpper(e)
	})
	var b strings.Builder
	for _, c := range []byte(p) { // what RFC 3986 has no place for in a path, raw
		if plainInPath.MatchString(string(c)) || c == '%' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
		}
	}
	p, ok = resolved(b.String(), dots)
	return p, query, ok
}

// resolved refuses dot segments, or resolves them as RFC 3986 section 5.2.4 does
// but without ever climbing above the root or over an empty segment.
func resolved(p string, dots bool) (string, bool) {
	if strings.HasPrefix(p, "//") {
		return "", false
	}
	var out []string
	pieces := strings.Split(p[1:], "/")
	for i, s := range pieces {
		last := i == len(pieces)-1
		switch {
		case s != "." && s != "..":
			out = append(out, s)
			continue
		case !dots || s == ".." && len(out) == 0:
			return "", false
		case s == "..":
			out = out[:len(out)-1]
		}
		if last {
			out = append(out, "")
		}
	}
	joined := "/" + strings.Join(out, "/")
	return joined, !strings.Contains(joined, "//")
}

// place is a route of the reference router.
type place struct {
	name, pattern string
	protected     bool
}

// belongs finds the route of a forwarded path by trying every one: of those that
// match, the one that is the most literal from the left. A segment that is
// structure to somebody is never a literal.
func belongs(places []place, p string, fold bool) *place {
	segs := strings.Split(p[1:], "/")
	var best *place
	var bestRank string
	for i := range places {
		rank, ok := matches(strings.Split(places[i].pattern[1:], "/"), segs, fold)
		if ok && (best == nil || rank < bestRank) {
			best, bestRank = &places[i], rank
		}
	}
	return best
}

func matches(pattern, segs []string, fold bool) (rank string, ok bool) {
	for i, want := range pattern {
		switch {
		case want == "*":
			return rank + "3", len(segs) > i
		case i == len(segs):
			return "", false
		case strings.HasPrefix(want, ":"):
			if segs[i] == "" {
				return "", false
			}
			rank += "2"
		default:
			value, err := url.PathUnescape(segs[i])
			if err != nil || strings.ContainsAny(value, `/\;`) || value != want && !(fold && strings.EqualFold(value, want)) {
				return "", false
			}
			rank += "1"
		}
	}
	return rank, len(pattern) == len(segs)
}

// hidesDots reports whether a path holds a dot segment to anybody, which no
// setting of a site allows.
func hidesDots(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		once := lenientDecode(segment)
		for _, part := range strings.FieldsFunc(once+"/"+lenientDecode(once), func(r rune) bool { return r == '/' || r == '\\' }) {
			if part, _, _ = strings.Cut(part, ";"); part == "." || part == ".." {
				return true
			}
		}
	}
	return false
}

// reading is one thing that some upstream does to a path before it looks at it.
type reading struct {
	name string
	once bool // it is done at most twice; the others till nothing changes
	do   func(string) string
}

var readings = []reading{
	{"decodes", true, lenientDecode},
	{"merges slashes", false, func(p string) string { return manySlashes.ReplaceAllString(p, "/") }},
	{"resolves dots", false, cleaned},
	{"resolves dots, // counted", false, keepingDots},
	{"drops ;parameters of segments", false, func(p string) string { return parameters.ReplaceAllString(p, "") }},
	{"cuts at the first ;", false, func(p string) string { p, _, _ = strings.Cut(p, ";"); return p }},
	{"takes \\ for /", false, func(p string) string { return strings.ReplaceAll(p, `\`, "/") }},
	{"cuts at NUL", false, func(p string) string { p, _, _ = strings.Cut(p, "\x00"); return p }},
	{"reads overlong UTF-8", false, overlong},
	{"drops an authority", false, func(p string) string { return authority.ReplaceAllString(p, "") }},
}

// lenientDecode decodes what is an escape and leaves the rest.
func lenientDecode(p string) string {
	return escaped.ReplaceAllStringFunc(p, func(e string) string {
		c, _ := url.PathUnescape(e)
		return c
	})
}

// cleaned is path.Clean, but "/a/" stays apart from "/a": they are two paths by
// Portreeve's contract, and a protected one needs a route of its own.
func cleaned(p string) string {
	c := path.Clean("/" + p)
	if c != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		c += "/"
	}
	return c
}

// keepingDots resolves dot segments where an empty segment counts as one.
func keepingDots(p string) string {
	var out []string
	for s := range strings.SplitSeq(strings.TrimPrefix(p, "/"), "/") {
		switch {
		case s == ".":
		case s == "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

var overlongs = strings.NewReplacer("\xc0\xae", ".", "\xe0\x80\xae", ".", "\xf0\x80\x80\xae", ".", "\xc0\xaf", "/", "\xe0\x80\xaf", "/", "\xc1\x9c", `\`)

func overlong(p string) string { return overlongs.Replace(p) }

// allReadings is everything that an upstream which does the listed things, in
// any order, may take a path for.
func allReadings(p string, may []reading) []string {
	type state struct {
		p     string
		times int
	}
	seen := map[state]bool{{p, 0}: true}
	for todo := []state{{p, 0}}; len(todo) > 0 && len(seen) < 2000; {
		s := todo[0]
		todo = todo[1:]
		for _, r := range may {
			n := state{r.do(s.p), s.times}
			if r.once {
				if n.times++; n.times > 2 {
					continue
				}
			}
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	var out []string
	for s := range seen {
		out = append(out, s.p)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
