package properties

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// The generator of targets. It starts from a path that matters, puts something
// before, between and behind its segments that some reader takes for nothing or
// for structure, and spells every character in one of the ways there are.

var wanted = [][]string{
	{"admin", "users"}, {"admin", "secrets", "key"}, {"admin", "users", "7"}, {"admin", "other"},
	{"public", "page"}, {"a", "b"}, {"a", "admin", "users"}, {"public", "admin", "users"}, {"open"}, {},
}

// wantedMoved are for routes that send another path than they matched.
var wantedMoved = [][]string{
	{"api", "admin", "users"}, {"api", "page"}, {"api", "admin", "secrets", "key"}, {"move", "admin", "users"}, {"move", "x", "y"},
	{"move", "page", "users"}, {"admin", "users"}, {"public", "page"},
}

// ahead stands before a path; the host is put in for @.
var ahead = []string{
	"", "", "", "", "/public", "/public/..", "/public/x/../..", "/public/%2e%2e", "/public/..;", "/public/..;/x/..",
	"/.", "/./.", "/..", "/", "//", "/a", "/a/%2E%2E", "/public%2f..", "/public%2F%2e%2e", "/public%5c..", `/public/..\..`,
	"/public/.%2e", "/public/%252e%252e", "/;", "/;x=1", "/%2f", "/%5C", `/\`, "/%00", "/%20", "/%3b/..", "/public/x?", "/public/x%3f/..", "/public/x#", "/public/x%23/..",
	"/public/%c0%ae%c0%ae", "/public/%e0%80%ae./", "/public/%uff0e%uff0e", "/public/%ef%bc%8e%ef%bc%8e", "/api", "/api/..", "/move", "/api/%2e",
	"http://@", "HTTP://@", "https://@", "http://@:80", "http://user@@", "http://other.invalid", "//@", "http:", "http:/", "http://@/..", "http://@/public/..", "*", ".", "..", "admin",
	"ftp://@", "http://@%2f..", "http://@?", "http://@#", `http://@\`,
}

// first stands before the first segment.
var first = []string{"/", "/", "/", "/", "", "//", "%2f", `\`, "/./", "/%2e/", "/%2e%2e/", "/;/"}

// between stands between two segments.
var between = []string{
	"/", "/", "/", "/", "/", "//", "///", "%2f", "%2F", "%252f", "%25252f", `\`, "%5c", "%5C", "%255c", `\/`, "/./", "/%2e/", "/%2E/", "/.%2f",
	"/x/../", "/x/%2e%2e/", "/x/..%2f", "/x/.%2e/", "/x/..;/", "/x/..;a=b/", `/x\..\`, "/;/", ";/", ";x/", ";x=1/", "/%3b/", "%3B/",
	"/%00/", "%00/", "/%20/", "%20/", "/%09/", "?/", "#/", "%3f/", "%23/", "%c0%af", "%e0%80%af", "%c1%9c", "%ef%bc%8f", "%u2215", "/.../", "/..../", "/%2e%2e%2f", "%0a/", "%0d%0a/",
}

// behind stands after a path.
var behind = []string{
	"", "", "", "", "/", "//", "?", "?x=1", "?/../../public/x", "?%2f", "#", "#x", "%23", "%23x", "%3f", "%3Fx", "%3F/../../public", ";", ";x", ";x=1", "%3b", "%3bx",
	"/.", "/..", "/%2e", "/%2e%2e", "/./", "/../", "/..;/", "/x/..", "/x/../", "/x/%2E%2E", "/x%2f..", "%2f", "%2F", "%5c", `\`, `\x\..`, "%00", "%00.html", "%20", "%2520", "%09", "%0a", "%0d%0a",
	".", "..", "%2e", "%252e", ".json", "~", "::$DATA", "%", "%2", "%zz", "%u0000", "%c0%80", "%ff", "\xff", "\xc3\xa9", "%c3%a9", "%C3%A9", "&", "?\\..", "?\xff", "%7f", "'", `"`, "<>", "|", "^", "{x}", "[x]", "`", "!$&'()*+,=:@",
}

// target draws a raw request target: half of them disguised in one place, the
// others wherever it falls.
func target(t *rapid.T, host string, paths [][]string) string {
	path := rapid.SampledFrom(paths).Draw(t, "path")
	only := -1 // the place that is not plain
	if rapid.Bool().Draw(t, "calm") {
		only = rapid.IntRange(0, 2*len(path)+1).Draw(t, "only")
	}
	at := -1
	pick := func(name, plain string, from []string) string {
		if at++; only >= 0 && at != only {
			return plain
		}
		return rapid.SampledFrom(from).Draw(t, name)
	}
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(pick("ahead", "", ahead), "@", host))
	for i, s := range path {
		if i == 0 {
			b.WriteString(pick("first", "/", first))
		} else {
			b.WriteString(pick("between", "/", between))
		}
		if at++; only < 0 || at == only {
			s = rapid.SampledFrom(spellers).Draw(t, "spelling")(t, s)
		}
		b.WriteString(s)
	}
	b.WriteString(pick("behind", "", behind))
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

var spellers = []func(*rapid.T, string) string{
	func(_ *rapid.T, s string) string { return s }, // most often as it is
	func(_ *rapid.T, s string) string { return s },
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%%02x", c) })
	},
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%%02X", c) })
	},
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%25%02x", c) })
	},
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%2525%02X", c) })
	},
	func(t *rapid.T, s string) string { // the percent's own escape, half of the rest as well
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%%%%02x%x", '0'+c>>4, c&15) })
	},
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%u00%02x", c) })
	},
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%%02x%%%02x", 0xc0|c>>6, 0x80|c&0x3f) })
	},
	func(t *rapid.T, s string) string {
		return some(t, s, func(c byte) string { return fmt.Sprintf("%%ef%%bc%%%02x", c-0x20+0x80) })
	},
	func(t *rapid.T, s string) string { return some(t, s, func(c byte) string { return string(c ^ 0x20) }) }, // the other case
	func(t *rapid.T, s string) string { return some(t, s, func(c byte) string { return string(c) + "%00" }) },
}

// some spells one character, or each, in another way.
func some(t *rapid.T, s string, how func(byte) string) string {
	which := rapid.IntRange(-1, len(s)-1).Draw(t, "which")
	var b strings.Builder
	for i := range len(s) {
		if which < 0 || which == i {
			b.WriteString(how(s[i]))
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
