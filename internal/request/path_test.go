package request

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCanonicalPath holds every rule of the canonical path: what a target
// becomes, with which flags, and why it is refused.
func TestCanonicalPath(t *testing.T) {
	t.Parallel()
	var (
		strict  = PathRules{}
		slash   = PathRules{Allow: EncodedSlash}
		semi    = PathRules{Allow: Semicolon}
		empty   = PathRules{Allow: Empty}
		resolve = PathRules{ResolveDots: true}
		report  = PathRules{Report: true}
	)
	for _, c := range []struct {
		name   string
		rules  PathRules
		target string
		want   string // the canonical path; "" where there is none
		flags  Flag
		refuse Problem
	}{
		{"the root", strict, "/", "/", 0, ""},
		{"plain", strict, "/a/b", "/a/b", 0, ""},
		{"a trailing slash is kept", strict, "/a/", "/a/", 0, ""},
		{"all that may stand as it is", strict, "/-._~!$&'()*+,=:@", "/-._~!$&'()*+,=:@", 0, ""},
		{"escaped unreserved characters are decoded", strict, "/%61%2D%2E%5F%7E%41%30", "/a-._~A0", 0, ""},
		{"decoded once, not twice", strict, "/%2561", "/%2561", Nested, HasNested},
		{"decoded once, allowed", PathRules{Allow: Nested}, "/%2561", "/%2561", Nested, ""},
		{"twice-escaped dots stay escaped", PathRules{Allow: Nested}, "/%252e%252e/a", "/%252e%252e/a", Nested, HiddenDots},
		{"other escapes in upper case", strict, "/%c3%a9%3a%21", "/%C3%A9%3A%21", 0, ""},
		{"an escaped question mark is no query", strict, "/a%3fb", "/a%3Fb", 0, ""},
		{"an escaped # is no fragment", strict, "/a%23b", "/a%23b", 0, ""},
		{"an escaped percent stays one", strict, "/100%25", "/100%25", 0, ""},
		{"characters of no URL are escaped", strict, "/a\"<>^`{|}", "/a%22%3C%3E%5E%60%7B%7C%7D", 0, ""},

		{"the empty target", strict, "", "", 0, NotAPath},
		{"no slash in front", strict, "a/b", "", 0, NotAPath},
		{"the asterisk form", strict, "*", "", 0, NotAPath},
		{"the authority form", strict, "example.com:443", "", 0, NotAPath},
		{"a fragment", strict, "/a#b", "", 0, Fragment},
		{"a fragment in the query", strict, "/a?b#c", "", 0, Fragment},
		{"an escape of one digit", strict, "/a%4", "/a%254", 0, BadEscape},
		{"an escape of none", strict, "/a%", "/a%25", 0, BadEscape},
		{"an escape of what is no digit", strict, "/a%zz", "/a%25zz", 0, BadEscape},
		{"an IIS escape", strict, "/%u002e", "/%25u002e", 0, BadEscape},
		{"a raw byte above 0x7F", strict, "/é", "/%C3%A9", 0, RawByte},
		{"an escape that is not UTF-8", strict, "/%ff", "/%FF", 0, NotUTF8},
		{"an overlong dot", strict, "/%c0%ae/a", "/%C0%AE/a", 0, NotUTF8},
		{"an overlong slash", strict, "/a%c0%afb", "/a%C0%AFb", 0, NotUTF8},
		{"a surrogate", strict, "/%ed%a0%80", "/%ED%A0%80", 0, NotUTF8},
		{"NUL", strict, "/a%00", "/a%00", 0, ControlByte},
		{"a line break", strict, "/a%0d%0a", "/a%0D%0A", 0, ControlByte},
		{"DEL", strict, "/a%7f", "/a%7F", 0, ControlByte},

		{"a dot segment", strict, "/a/./b", "/a/b", 0, DotSegment},
		{"two dots", strict, "/a/../b", "/b", 0, DotSegment},
		{"dots at the end", strict, "/a/..", "/", 0, DotSegment},
		{"escaped dots", strict, "/a/%2e%2E/b", "/b", 0, DotSegment},
		{"a dot half escaped", strict, "/a/.%2e/b", "/b", 0, DotSegment},
		{"three dots are a name", strict, "/a/.../b", "/a/.../b", 0, ""},
		{"a hidden file is a name", strict, "/.git/..a", "/.git/..a", 0, ""},
		{"dots resolved", resolve, "/a/b/../c", "/a/c", 0, ""},
		{"dots resolved at the end", resolve, "/a/b/..", "/a/", 0, ""},
		{"a dot resolved at the end", resolve, "/a/.", "/a/", 0, ""},
		{"resolved down to the root", resolve, "/a/..", "/", 0, ""},
		{"never above the root", resolve, "/..", "/", 0, AboveRoot},
		{"never above the root and back", resolve, "/a/../../b", "/b", 0, AboveRoot},
		{"not what dots uncover", resolve, "/a/..//b", "//b", Empty, LeadingSlash},
		{"a single dot uncovers too", resolve, "/.//b", "//b", Empty, LeadingSlash},
		{"an empty segment is one to climb out of", PathRules{ResolveDots: true, Allow: Empty}, "/a//../b", "/a/b", 0, ""},

		{"an encoded slash", strict, "/a%2fb", "/a%2Fb", EncodedSlash, HasSlash},
		{"an encoded backslash", strict, "/a%5cb", "/a%5Cb", EncodedSlash, HasSlash},
		{"a backslash", strict, `/a\b`, "/a%5Cb", EncodedSlash, HasSlash},
		{"an encoded slash, allowed", slash, "/a%2fb", "/a%2Fb", EncodedSlash, ""},
		{"a semicolon", strict, "/a;b", "/a;b", Semicolon, HasSemicolon},
		{"an encoded semicolon", strict, "/a%3bb", "/a%3Bb", Semicolon, HasSemicolon},
		{"a semicolon, allowed", semi, "/a;b=1", "/a;b=1", Semicolon, ""},
		{"an empty segment", strict, "/a//b", "/a//b", Empty, HasEmpty},
		{"an empty segment, kept", empty, "/a//b", "/a//b", Empty, ""},
		{"what one setting allows another flag does not get", slash, "/a;b", "/a;b", Semicolon, HasSemicolon},
		{"two slashes in front are a host to many", empty, "//evil.example/a", "//evil.example/a", Empty, LeadingSlash},
		{"dots behind an encoded slash", slash, "/a%2f..%2fb", "/a%2F..%2Fb", EncodedSlash, HiddenDots},
		{"dots behind a backslash", slash, `/a\..\b`, "/a%5C..%5Cb", EncodedSlash, HiddenDots},
		{"dots before a semicolon", semi, "/a/..;x/b", "/a/..;x/b", Semicolon, HiddenDots},
		{"a dot before an encoded semicolon", semi, "/a/.%3b", "/a/.%3B", Semicolon, HiddenDots},

		{"reported: an escape", report, "/a%zz", "/a%25zz", 0, ""},
		{"reported: UTF-8", report, "/é%ff", "/%C3%A9%FF", 0, ""},
		{"reported: dots resolved", report, "/a/../b", "/b", 0, ""},
		{"reported: flags", report, "/a%2fb;c//d", "/a%2Fb;c//d", EncodedSlash | Semicolon | Empty, ""},
		{"reported, but above the root", report, "/../b", "/b", 0, AboveRoot},
		{"reported, but hidden dots", report, "/..%2fb", "/..%2Fb", EncodedSlash, HiddenDots},
		{"reported, but no path", report, "b", "", 0, NotAPath},
		{"reported, but a fragment", report, "/b#", "", 0, Fragment},
		{"reported, but two slashes in front", report, "//b", "//b", Empty, LeadingSlash},

		{"absolute form", strict, "http://example.com/a%61", "/aa", 0, ""},
		{"absolute form, HTTPS in capitals", strict, "HTTPS://example.com:443/a", "/a", 0, ""},
		{"absolute form without a path", strict, "http://example.com", "/", 0, ""},
		{"absolute form of another scheme", strict, "ftp://example.com/a", "", 0, NotAPath},
		{"absolute form with a fragment", strict, "http://example.com#a", "", 0, Fragment},
		{"absolute form with dots", strict, "http://example.com/../a", "/a", 0, DotSegment},

		{"too many segments", strict, strings.Repeat("/a", MaxSegments+1), "", 0, TooManyPieces},
		{"as many as there may be", strict, strings.Repeat("/a", MaxSegments), strings.Repeat("/a", MaxSegments), 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := ParseTarget(c.target, c.rules, nil)
			path := ""
			if len(got.Path.Segments) > 0 {
				path = got.Path.String()
			}
			if path != c.want || got.Path.Flags != c.flags {
				t.Errorf("path %q flags %b, want %q %b", path, got.Path.Flags, c.want, c.flags)
			}
			switch p, refused := got.Refused(c.rules); {
			case refused != (c.refuse != ""):
				t.Errorf("refused %v: %s", refused, p)
			case refused && !contains(got.Problems, c.refuse):
				t.Errorf("refused for %q, want %q", got.Problems, c.refuse)
			}
		})
	}
}

func contains(list []Problem, p Problem) bool {
	for _, x := range list {
		if x == p {
			return true
		}
	}
	return false
}

func TestTheQueryIsKeptByteForByte(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, query string
		has           bool
	}{
		{"/a", "", false}, {"/a?", "", true}, {"/a?b=%zz&c=%2e%2E;;&é=\"", "b=%zz&c=%2e%2E;;&é=\"", true},
		{"/a?b?c", "b?c", true}, {"/a?/../x", "/../x", true}, {"http://h?x=1", "x=1", true}, {"http://h/a?x=http://h/", "x=http://h/", true},
	} {
		got := ParseTarget(c.target, PathRules{}, nil)
		if p, bad := got.Refused(PathRules{}); bad || got.Query != c.query || got.HasQuery != c.has {
			t.Errorf("%q: query %q (%v), refused %q", c.target, got.Query, got.HasQuery, p)
		}
	}
}

func TestAllProblemsAreListedOnceAndInOrder(t *testing.T) {
	t.Parallel()
	got := ParseTarget("/%zz/%zz/../é/a;b;c", PathRules{}, nil)
	if d := cmp.Diff([]Problem{BadEscape, DotSegment, RawByte, HasSemicolon}, got.Problems); d != "" {
		t.Error(d)
	}
}

func TestSegmentsCarryTheirDecodedValue(t *testing.T) {
	t.Parallel()
	got := ParseTarget("/%61%20b/%2F;/", PathRules{Allow: EncodedSlash | Semicolon}, make([]Segment, 0, 8))
	want := []Segment{{"a%20b", "a b", 0}, {"%2F;", "/;", EncodedSlash | Semicolon}, {}}
	if d := cmp.Diff(want, got.Path.Segments); d != "" {
		t.Error(d)
	}
}

func TestAPlainPathCostsNoAllocation(t *testing.T) { // not parallel: it counts
	buf := make([]Segment, 0, 16)
	if n := testing.AllocsPerRun(100, func() { ParseTarget("/api/v1/users/42?x=1", PathRules{}, buf) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParseTarget(b *testing.B) {
	buf := make([]Segment, 0, 16)
	for _, target := range []string{"/api/v1/users/42?x=1", "/api/%e2%82%ac/a%20b"} {
		b.Run(target, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParseTarget(target, PathRules{}, buf)
			}
		})
	}
}
