package request

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzParseTarget holds what must be true of every target: it is refused, or it
// has one canonical form, which is its own canonical form, and in which nothing
// stands that a reader behind us could take for structure.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{
		"/", "/a/b?c=d", "/a/../b", "/%2e%2e/a", "/a%2fb", `/a\b`, "/a;b/c", "//a", "/a//b", "/a/./", "/%zz", "/%ff", "/é", "/%00", "/#", "*",
		"http://example.com/a/../b?c", "http://example.com", "HTTPS://example.com//a", "/..;/a", "/..%2f..%2fa", "/a%252e%252e%252f", "/a/%2E/..//", "/%c0%ae",
		"/a%3fb%23c", "/{x}|^`\"<>", strings.Repeat("/a", 300), "", "/a/b/..//c", "/.%2e;%2f",
	} {
		for rules := range uint8(32) {
			if rules%7 == 0 {
				f.Add(s, rules)
			}
		}
	}
	f.Fuzz(func(t *testing.T, target string, bits uint8) {
		rules := PathRules{Allow: Flag(bits & 7), ResolveDots: bits&8 != 0, Report: bits&16 != 0}
		got := ParseTarget(target, rules, nil)
		if _, refused := got.Refused(rules); refused {
			if len(got.Problems) == 0 {
				t.Fatal("refused without a reason")
			}
			return
		}
		path := got.Path.String()
		checkCanonical(t, path, got.Path, rules)
		again := ParseTarget(path, rules, nil)
		if p, refused := again.Refused(rules); refused || again.Path.String() != path || again.Path.Flags != got.Path.Flags {
			t.Fatalf("%q became %q, and that %q (%s)", target, path, again.Path.String(), p)
		}
		if absolute := ParseTarget("http://example.com"+target, rules, nil); strings.HasPrefix(target, "/") && absolute.Path.String() != path {
			t.Fatalf("%q is %q in origin form and %q in absolute form", target, path, absolute.Path.String())
		}
		if !rules.Report {
			checkDecoded(t, path, got.Path)
		}
	})
}

// checkCanonical: exactly one slash in front, no dots, no raw specials, escapes
// in upper case and of nothing unreserved, flags as allowed.
func checkCanonical(t *testing.T, path string, p Path, rules PathRules) {
	t.Helper()
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		t.Fatalf("%q does not begin with exactly one slash", path)
	}
	if strings.ContainsAny(path, "?#\\ \"<>^`{|}") {
		t.Fatalf("%q holds an unescaped special", path)
	}
	if !rules.Report && p.Flags&^rules.Allow != 0 {
		t.Fatalf("%q carries flags %b, allowed are %b", path, p.Flags, rules.Allow)
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c <= ' ' || c >= 0x7f:
			t.Fatalf("%q holds byte %#x", path, c)
		case c == '%':
			hex := path[i+1 : i+3]
			hi, _ := unhex(hex[0])
			lo, _ := unhex(hex[1])
			if hex != strings.ToUpper(hex) || unreserved(hi<<4|lo) {
				t.Fatalf("%q holds the escape %%%s", path, hex)
			}
		}
	}
	for i, s := range p.Segments {
		if isDots(s.Text) || isDots(s.Value) {
			t.Fatalf("%q holds dots", path)
		}
		if s.Text == "" && s.Flags&Empty == 0 && i != len(p.Segments)-1 {
			t.Fatalf("%q holds an empty segment without its flag", path)
		}
		if s.Flags&EncodedSlash == 0 && strings.ContainsAny(s.Value, `/\`) || s.Flags&Semicolon == 0 && strings.Contains(s.Value, ";") {
			t.Fatalf("%q has the value %q and flags %b", path, s.Value, s.Flags)
		}
	}
}

// checkDecoded compares with how net/url reads the canonical form: the same
// values, segment by segment.
func checkDecoded(t *testing.T, path string, p Path) {
	t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil {
		t.Fatalf("net/url does not take %q: %v", path, err)
	}
	want := ""
	for _, s := range p.Segments {
		want += "/" + s.Value
	}
	if u.Path != want || u.RawQuery != "" || u.Host != "" {
		t.Fatalf("net/url reads %q as %q, we as %q", path, u.Path, want)
	}
}

func FuzzCanonicalHost(f *testing.F) {
	for _, s := range []string{"example.com", "EXAMPLE.com:8080", "a.b.", "[::1]:80", "1.2.3.4", "a..b", "", ":80", "a:b:c", "é.com", "[::1%25eth0]", "a@b", "a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, ok := CanonicalHost(s)
		if !ok {
			return
		}
		if again, ok := CanonicalHost(host); !ok || again != host {
			t.Fatalf("%q is %q, and that is %q", s, host, again)
		}
		if host == "" || strings.ContainsAny(host, "/@?# \t\r\n\\%") || strings.ToLower(host) != host || strings.HasSuffix(host, ".") {
			t.Fatalf("%q is the host %q", s, host)
		}
	})
}
