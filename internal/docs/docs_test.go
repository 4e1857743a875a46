package docs

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// entriesOf puts patterns into a table, as a site does; ties are left out.
func entriesOf(t interface{ Fatal(...any) }, patterns ...string) []*gateway.Entry {
	table := gateway.NewTable(false)
	for _, p := range patterns {
		pattern, err := gateway.ParsePattern(p)
		if err != nil {
			t.Fatal(err)
		}
		_ = table.Add(&gateway.Route{Pattern: pattern, Methods: []string{"GET"}})
	}
	var out []*gateway.Entry
	table.Entries(func(e *gateway.Entry) { out = append(out, e) })
	return out
}

func TestPathsAsOpenAPIWritesThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patterns string
		want     map[string]string
	}{
		{"/ /a/ /a", map[string]string{"/": "/", "/a/": "/a/", "/a": "/a"}},
		{"/*", map[string]string{"/*": "/{rest}"}},
		{"/:rest/*", map[string]string{"/:rest/*": "/{rest}/{rest2}"}},
		{"/d/:id /d/*", map[string]string{"/d/:id": "/d/{id}", "/d/*": "/d/{segment}/{rest}"}},
		{"/d/:segment /d/:a/:b /d/*", map[string]string{"/d/:segment": "/d/{segment}", "/d/:a/:b": "/d/{a}/{b}", "/d/*": "/d/{segment}/{segment2}/{rest}"}},
		{"/{x", map[string]string{"/{x": "/%7Bx"}},
	} {
		got := map[string]string{}
		for e, n := range templates(entriesOf(t, strings.Fields(c.patterns)...)) {
			got[e.Text] = n.text
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.patterns, d)
		}
	}
}

// No two paths of a document are the same but for their parameters' names,
// which OpenAPI forbids.
func TestNoTwoPathsAreOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.StringMatching(`(/(a|b|:x|:y)){0,2}(/:z|/\*|/c)`), 1, 12).Draw(t, "patterns")
		for i, p := range list { // a name stands once
			if strings.Count(p, ":x") > 1 || strings.Count(p, ":y") > 1 {
				list[i] = "/a"
			}
		}
		seen := map[string]bool{}
		for _, n := range templates(entriesOf(t, list...)) {
			form := n.text
			for _, p := range n.params {
				form = strings.Replace(form, "{"+p+"}", "{}", 1)
			}
			if seen[form] {
				t.Fatalf("%s twice among %q", form, list)
			}
			seen[form] = true
		}
	})
}

func TestTheShapeOfData(t *testing.T) {
	t.Parallel()
	text := template.Parse
	tree := func(v any) template.Tree { return template.Tree{Value: v} }
	data := tree([]template.Member{
		{Name: "fixed", Value: tree(text("secret"))}, {Name: "you", Value: tree(text("{{auth.sub}}"))},
		{Name: "maybe", Value: tree(text("{{auth.email?}}"))}, {Name: "n", Value: tree(json.Number("1"))}, {Name: "f", Value: tree(json.Number("1e3"))},
		{Name: "all", Value: tree([]template.Tree{tree(true), tree(false)})}, {Name: "mixed", Value: tree([]template.Tree{tree(nil), tree(text("a {{now}}"))})},
		{Name: "in", Value: tree([]template.Member{{Name: "</b>", Value: tree(text("{{auth.claims.x}}"))}})},
	})
	s, sketch := shape(data)
	want := "{\n  \"fixed\": string\n  \"you\": string or null\n  \"maybe\"?: string or null\n  \"n\": integer\n  \"f\": number\n  \"all\": [boolean]\n" +
		"  \"mixed\": [null, string]\n  \"in\": {\n    \"\\u003c/b\\u003e\": any\n  }\n}"
	if d := cmp.Diff(want, sketch); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"fixed", "you", "n", "f", "all", "mixed", "in"}, s["required"]); d != "" {
		t.Error(d)
	}
	if raw, _ := json.Marshal(s); strings.Contains(string(raw), "secret") {
		t.Error("a schema holds a value")
	}
}

// A shell reads back what was quoted, whatever it is.
func TestQuotedWordsAreOneWord(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"/a", "/$(id)'`x`", "/a;b&c|d", `/a"b\c`, "/*?[x]{y}", "/it's"} {
		word := s
		if needsQuotes(s) {
			word = quote(s)
		}
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+word).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q became %q %v", s, out, err)
		}
	}
}

func TestMarkdownReadsNothingIntoText(t *testing.T) {
	t.Parallel()
	if got := markdown("a *b* [c](d) <e> `f` _g_ \\"); got != "a \\*b\\* \\[c\\](d) \\<e> \\`f\\` \\_g\\_ \\\\" {
		t.Error(got)
	}
}

func TestSpansAndSizesInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{time.Minute: "1 minute", 90 * time.Second: "90 seconds", 48 * time.Hour: "2 days", 1500 * time.Millisecond: "1500 milliseconds"} {
		if got := span(d); got != want {
			t.Errorf("%s is %s", d, got)
		}
	}
	for n, want := range map[int64]string{1 << 20: "1 MiB", 3 << 10: "3 KiB", 1000: "1000 bytes"} {
		if got := size(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{`"a"`: true, `W/"a"`: true, `"b", "a"`: true, "*": true, `"ab"`: false, "": false, "a": false} {
		if got := has(request.Header{{Name: "if-none-match", Value: value}}, `"a"`); got != want {
			t.Errorf("%s: %t", value, got)
		}
	}
}
