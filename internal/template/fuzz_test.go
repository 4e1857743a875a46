package template

import (
	"net/url"
	"strings"
	"testing"
)

func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"", "x", "{{auth.sub}}", "{{auth}}", `{{auth["a.b"]}}`, "{{body.a[0].b?}}", "{{secret:K}}", "{{{{x}}", "{{a{{b}}", "}}{{", "{{now}} {{now}}", "{{ auth . sub }}", "{{auth.é}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Compile(Parse(s), every)
		if err != nil {
			if c != nil || err.Error() == "" {
				t.Fatalf("Compile(%q) = %v, %v", s, c, err)
			}
			return
		}
		if !strings.Contains(s, "{{") {
			if got, ok := c.Literal(); !ok || got != s {
				t.Fatalf("text %q became %q", s, got)
			}
		}
		if (c.Uses() == 0) != (len(c.Refs()) == 0) {
			t.Fatalf("%q: uses %v, refs %v", s, c.Uses(), c.Refs())
		}
		for _, r := range c.Refs() {
			if _, err := Compile(Parse(s), every&^r.Source); err == nil {
				t.Fatalf("%q reads %v where that is not allowed", s, r.Source)
			}
		}
		c.Value(env)
		c.Strict(env)
	})
}

func FuzzCompileURL(f *testing.F) {
	for _, s := range []string{
		"/a/{{params.id}}", "https://h.example/{{params.id}}?q={{query.q}}#{{auth.sub}}", "//h", "/%2e{{params.id}}", "https://h{{params.id}}/", "https://[::1]:80/{{params.id}}", "/;/{{params.id}}", "/{{params.id}}{{params.id}}/",
	} {
		f.Add(s, "v")
	}
	f.Add("/{{params.id}}", "../..")
	f.Add("/{{params.id}}/x", "")
	f.Fuzz(func(t *testing.T, s, value string) {
		c, err := CompileURL(Parse(s), every)
		if err != nil {
			return
		}
		plain, ok := c.String(places{"v"})
		if !ok {
			return // fixed dots beside a template; nothing is sent
		}
		got, ok := c.String(places{value})
		if !ok {
			return
		}
		a, err := url.Parse(plain)
		if err != nil {
			t.Fatalf("%q gives %q: %v", s, plain, err)
		}
		b, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q gives %q: %v", s, got, err)
		}
		if a.Scheme != b.Scheme || a.Host != b.Host || b.User != nil {
			t.Fatalf("%q with %q left its host: %q", s, value, got)
		}
		if strings.Count(a.EscapedPath(), "/") != strings.Count(b.EscapedPath(), "/") || strings.Count(a.RawQuery, "&") != strings.Count(b.RawQuery, "&") {
			t.Fatalf("%q with %q left its place: %q", s, value, got)
		}
		if strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n \t") {
			t.Fatalf("%q with %q gives %q", s, value, got)
		}
	})
}

// places answers every template with one value.
type places struct{ value string }

func (p places) Lookup(Source, []Step) (any, bool) { return p.value, true }
