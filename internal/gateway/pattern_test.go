package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
)

func TestParsePattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, names, problem string }{
		{"/", "", ""}, {"/a/b", "", ""}, {"/a/", "", ""}, {"/users/:id", "id", ""}, {"/:a/:b2_C/*", "a b2_C *", ""}, {"/*", "*", ""},
		{"/caf\u00e9 bar/%41", "", ""}, {"/a.b-c~d!$", "", ""}, {"/.well-known/x", "", ""},
		{"", "", `begins with "/"`}, {"a", "", `begins with "/"`}, {"/a?b", "", "query"}, {"/a#b", "", "fragment"},
		{"/a//b", "", "empty segment"}, {"//a", "", "empty segment"}, {"/*/a", "", "only as the last"}, {"/a*", "", "stands alone"},
		{"/a/b*c", "", "stands alone"}, {"/:", "", "letters, digits"}, {"/:1a", "", "letters, digits"}, {"/:a-b", "", "letters, digits"},
		{"/:a/:a", "", "stands twice"}, {"/a/../b", "", "can never match"}, {"/.", "", "can never match"}, {"/%2e%2e", "", "can never match"},
		{"/a%2fb", "", "can never match"}, {"/a;b", "", "can never match"}, {`/a\b`, "", "can never match"}, {"/%zz", "", "can never match"},
		{"/%ff", "", "can never match"}, {"/a\nb", "", "can never match"},
		{"/users/{id}", "", "is written :name"}, {"/users/<int:id>/x", "", "is written :name"}, {"/[id]", "", "is written :name"}, {"/{", "", ""},
		{strings.Repeat("/:x", 0) + "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m", "", "more than 12"},
	} {
		p, err := ParsePattern(c.in)
		switch {
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%q: %v, want %q", c.in, err, c.problem)
		case c.problem == "" && err != nil:
			t.Errorf("%q: %v", c.in, err)
		case c.problem == "" && strings.Join(p.names, " ") != c.names:
			t.Errorf("%q has the parameters %q", c.in, p.names)
		}
	}
}

// FuzzParsePattern: a pattern is refused, or the path that it spells matches it
// and nothing else of its length.
func FuzzParsePattern(f *testing.F) {
	for _, s := range []string{"/", "/a/:b/*", "/*", "/caf\u00e9", "/a%20b", "/a b", "/%2e", "/:", "//", "/a*", "/a;b", "/\x00", "/%00", "/A/", "/:id/", "/{x}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if err != nil {
			return
		}
		table := NewTable(false)
		if err := table.Add(&Route{Pattern: p, Methods: []string{"GET"}}); err != nil {
			t.Fatal(err)
		}
		path := ""
		for _, piece := range p.pieces {
			switch piece.kind {
			case literal:
				text, ok := request.EscapeSegment(piece.value)
				if !ok {
					t.Fatalf("%q has the literal %q", text, piece.value)
				}
				path += "/" + text
			default:
				path += "/x"
			}
		}
		target := request.ParseTarget(path, request.PathRules{}, nil)
		if problem, bad := target.Refused(request.PathRules{}); bad && !strings.Contains(path, "%25") {
			t.Fatalf("the path %q of %q is refused: %s", path, text, problem)
		}
		var params Params
		if e := table.Find(target.Path, &params); e == nil || params.n != len(p.names) {
			t.Fatalf("%q does not match %q", path, text)
		}
		if last := p.pieces[len(p.pieces)-1]; last.kind == literal {
			longer := request.ParseTarget(strings.TrimSuffix(path, "/")+"/x/y", request.PathRules{}, nil)
			if table.Find(longer.Path, &params) != nil {
				t.Fatalf("%q matches more than it spells", text)
			}
		}
	})
}

func TestSegmentsOfAPatternAreInOneSpelling(t *testing.T) {
	t.Parallel()
	p, err := ParsePattern("/a%7eb/:id/größe/{x/*")
	if err != nil {
		t.Fatal(err)
	}
	want := []PatternSegment{{Literal: "a~b"}, {Param: "id"}, {Literal: "gr%C3%B6%C3%9Fe"}, {Literal: "%7Bx"}, {Param: "*"}}
	if got := p.Segments(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
