package template

import (
	"net/url"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
	"pgregory.net/rapid"
)

func TestURLEncodesEachTemplateForItsPlace(t *testing.T) {
	t.Parallel()
	env := fakeEnv{
		"params": map[string]any{"id": "a b/c?d#e", "dots": "..", "dot": ".", "empty": "", "hidden": `..\x`, "cut": "..;v=1", "nul": "a\x00b", "bad": "\xff", "ok": "v1"},
		"query":  map[string]any{"next": "https://evil.example/?a=b&c", "nl": "a\r\nb"},
		"auth":   map[string]any{"roles": []string{"x"}, "null": nil},
	}
	for _, c := range []struct {
		in, want string // "" for refused at evaluation
	}{
		{"/fixed", "/fixed"},
		{"/fixed?a[]=1#top", "/fixed?a[]=1#top"},
		{"https://x.example", "https://x.example"},
		{"https://x.example:8443/a/{{params.id}}/b", "https://x.example:8443/a/a%20b%2Fc%3Fd%23e/b"},
		{"myapp://callback/{{params.ok}}", "myapp://callback/v1"},
		{"/login?next={{query.next}}&x=1", "/login?next=https%3A%2F%2Fevil.example%2F%3Fa%3Db%26c&x=1"},
		{"/login?next={{query.gone}}", "/login?next="},
		{"/l?nl={{query.nl}}", "/l?nl=a%0D%0Ab"},
		{"/l?r={{auth.roles}}", "/l?r=%5B%22x%22%5D"},
		{"/a#{{params.id}}", "/a#a%20b%2Fc%3Fd%23e"},
		{"/{{params.dots}}", ""},
		{"/{{params.dot}}/x", ""},
		{"/{{params.dot}}{{params.dot}}", ""},
		{"/.{{params.dot}}", ""},
		{"/%2e{{params.dot}}", ""},
		{"/v{{params.dot}}", "/v."},
		{"/{{params.empty}}/evil.example", ""},
		{"/{{params.gone}}/evil.example", ""},
		{"/{{params.gone?}}/evil.example", ""},
		{"/v{{params.gone?}}", "/v"},
		{"/v{{params.gone}}", ""},
		{"/v{{auth.null}}", ""},
		{"/v{{auth.roles}}", ""},
		{"/v{{auth.roles?}}", ""},
		{"/{{params.hidden}}", ""},
		{"/{{params.cut}}", ""},
		{"/{{params.nul}}", ""},
		{"/{{params.bad}}", ""},
		{"/über/{{params.ok}}", "/%C3%BCber/v1"},
	} {
		u, err := CompileURL(Parse(c.in), every)
		if err != nil {
			t.Errorf("CompileURL(%q): %v", c.in, err)
			continue
		}
		if got, ok := u.String(env); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("String(%q) = %q, %v; want %q", c.in, got, ok, c.want)
		}
	}
}

func TestURLRefusedAtLoad(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "{{params.x}}", "{{params.x}}://h/", "https://{{params.x}}/", "https://h{{params.x}}/", "https://h:{{params.x}}/",
		"https://h?x={{params.x}}", "https://h#{{params.x}}", "https://h{{params.x}}", "//h/{{params.x}}", "//h/a", "a/{{params.x}}",
		"?x={{params.x}}", "relative", "javascript://x/%0aalert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc", "https:///x",
		"https://user@h/{{params.x}}", "https://h:99999/", "/a b", "/a\\b", "/a\nb", "/%zz", "/%{{params.x}}", "/a/../b", "/%2e%2E/x", "/a/.",
		"/<x>", "/{x}", "/{{nope.x}}", "https://h\\@evil/{{params.x}}", "https://é/x",
	} {
		if u, err := CompileURL(Parse(in), every); err == nil {
			s, _ := u.String(env)
			t.Errorf("CompileURL(%q) was accepted and gives %q", in, s)
		}
	}
	if _, err := CompilePath(Parse("https://h/x"), every); err == nil {
		t.Error("CompilePath accepted a host")
	}
	if _, err := CompilePath(Parse("/v2/{{params.x}}"), every); err != nil {
		t.Errorf("CompilePath: %v", err)
	}
}

func TestURLMayTakeItsHostFromOutside(t *testing.T) {
	t.Parallel()
	u, err := CompileURL(Text{Pieces: []Piece{{Text: "https://"}, {Text: "x.example", Literal: true}, {Text: "/u/{{params.id}}"}}}, Params)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := u.String(env); !ok || s != "https://x.example/u/42" || u.Uses() != Params || len(u.Refs()) != 1 {
		t.Errorf("String = %q, %v", s, ok)
	}
}

// checkPlaces holds what may never change, whatever the values are.
func checkPlaces(t interface{ Fatalf(string, ...any) }, s, host string, segments int, query []string) {
	u, err := url.Parse(s)
	if err != nil {
		t.Fatalf("%q does not parse: %v", s, err)
	}
	if u.Host != host || u.User != nil {
		t.Fatalf("%q left its host for %q", s, u.Host)
	}
	if n := strings.Count(u.EscapedPath(), "/"); n != segments {
		t.Fatalf("%q has %d segments, want %d", s, n, segments)
	}
	if c := u.JoinPath(); c.EscapedPath() != u.EscapedPath() {
		t.Fatalf("%q is not clean: %q", s, c.EscapedPath())
	}
	values := u.Query()
	if len(values) != len(query) {
		t.Fatalf("%q has the parameters %v, want %v", s, values, query)
	}
	target := request.ParseTarget(s[strings.Index(s, host)+len(host):], request.PathRules{Allow: request.EncodedSlash | request.Semicolon | request.Nested}, nil)
	if len(target.Problems) != 0 {
		t.Fatalf("%q is no canonical target: %v", s, target.Problems)
	}
	if target.Path.String() != u.EscapedPath() {
		t.Fatalf("%q is not in canonical form: %q", s, target.Path.String())
	}
}

func TestURLNeverLeavesItsPlace(t *testing.T) {
	t.Parallel()
	c, err := CompileURL(Parse("https://x.example/a/{{params.id}}/v{{params.v}}/end?q={{query.q}}&r=1"), every)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.SampledFrom([]string{"/", "//", "..", ".", "%2e", "%2f", "\\", "?", "#", "&", "=", ";", "@", ":", "https://evil.example", "é", " ", "\r\n", "+", ""})
		value := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.String(), nasty), 0, 4).Draw(t, "pieces"), "")
		})
		id, v, q := value.Draw(t, "id"), value.Draw(t, "v"), value.Draw(t, "q")
		s, ok := c.String(fakeEnv{"params": map[string]any{"id": id, "v": v}, "query": map[string]any{"q": q}})
		if !ok {
			return
		}
		checkPlaces(t, s, "x.example", 4, []string{"q", "r"})
		u, _ := url.Parse(s)
		if u.Query().Get("q") != q || strings.Split(u.EscapedPath(), "/")[2] != url.PathEscape(id) && mustUnescape(strings.Split(u.EscapedPath(), "/")[2]) != id {
			t.Fatalf("%q lost a value: %q %q", s, id, q)
		}
	})
}

func mustUnescape(s string) string {
	out, err := url.PathUnescape(s)
	if err != nil {
		return "\x00"
	}
	return out
}
