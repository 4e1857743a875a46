package request

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCanonicalHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"example.com", "example.com"}, {"EXAMPLE.Com", "example.com"}, {"example.com:8080", "example.com"},
		{"example.com.", "example.com"}, {"example.com.:443", "example.com"}, {"example.com:", "example.com"},
		{"localhost", "localhost"}, {"a_b-c.d", "a_b-c.d"}, {"127.0.0.1:80", "127.0.0.1"},
		{"[::1]", "[::1]"}, {"[0:0::1]:8080", "[::1]"}, {"[2001:DB8::1]", "[2001:db8::1]"},
		{"", ""}, {".", ""}, {":80", ""}, {"a..b", ""}, {".a", ""}, {"example.com..", ""},
		{"example.com:99999", ""}, {"example.com:8o", ""}, {"example.com:80:80", ""}, {"example.com:-1", ""},
		{"user@example.com", ""}, {"example.com/a", ""}, {"example.com,other", ""}, {"exa mple", ""}, {"é.example", ""},
		{"[::1", ""}, {"[::1]x", ""}, {"[::1]:x", ""}, {"[fe80::1%eth0]", ""}, {"[example.com]", ""}, {"::1", ""},
		{strings.Repeat("a", 254), ""},
	} {
		if got, ok := CanonicalHost(c.in); got != c.want || ok != (c.want != "") {
			t.Errorf("CanonicalHost(%q) = %q, %v, want %q", c.in, got, ok, c.want)
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	v := &View{Query: "a=1&b=x+y%20z&a=2&&=empty&c&%61=3&bad=%zz&d=%"}
	if got := v.QueryValues("a"); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("a = %q", got)
	}
	for name, want := range map[string][]string{"b": {"x y z"}, "c": {""}, "bad": {"%zz"}, "d": {"%"}, "A": nil} {
		if got := v.QueryValues(name); !slices.Equal(got, want) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	var all []string
	v.EachQuery(func(name, value string) { all = append(all, name+"="+value) })
	if d := cmp.Diff([]string{"a=1", "b=x y z", "a=2", "=empty", "c=", "a=3", "bad=%zz", "d=%"}, all); d != "" {
		t.Error(d)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ scheme, field, host, want string }{
		{"https", "App.example.com", "app.example.com", "https://app.example.com"},
		{"http", "app.example.com:8080", "app.example.com", "http://app.example.com:8080"},
		{"https", "", "app.example.com", "https://app.example.com"},
	} {
		v := &View{Scheme: c.scheme, Host: c.host}
		if c.field != "" {
			v.Header = Header{{"host", c.field}}
		}
		if got := v.Origin(); got != c.want {
			t.Errorf("Origin = %q, want %q", got, c.want)
		}
	}
}

func TestDetachOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	v := &View{Header: Header{{"A", "1"}}, Path: Path{Segments: []Segment{{Text: "a", Value: "a"}}}}
	d := v.Detach()
	v.Header[0].Value, v.Path.Segments[0].Text = "2", "b"
	if d.Header.Get("a") != "1" || d.Path.String() != "/a" {
		t.Errorf("the copy changed: %+v", d)
	}
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	for _, dots := range []string{".", ".."} {
		if _, ok := EscapeSegment(dots); ok {
			t.Errorf("%q has a form as a segment", dots)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("/\\.;?#%&=+ é")), rapid.RuneFrom([]rune("ab0")))).Draw(t, "value")
		seg, ok := EscapeSegment(value)
		if !ok {
			return
		}
		got := ParseTarget("/"+seg, PathRules{Allow: EncodedSlash | Semicolon}, nil)
		if len(got.Path.Segments) != 1 || got.Path.Segments[0].Value != value || got.Path.String() != "/"+seg {
			t.Fatalf("%q was written %q and reads %+v", value, seg, got.Path)
		}
		if q := (&View{Query: "k=" + EscapeQuery(value) + "&l=1"}).QueryValues("k"); len(q) != 1 || q[0] != value {
			t.Fatalf("%q reads %q in a query", value, q)
		}
	})
}
