package input_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

func match(lines ...string) input.Match {
	v := &request.View{}
	for _, l := range lines {
		v.Header = append(v.Header, request.Field{Name: "If-Match", Value: l})
	}
	return input.MatchOf(v)
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		want  bool // that "a" is what was asked for
	}{
		{"absent", nil, true},
		{"the tag", []string{`"a"`}, true},
		{"another tag", []string{`"b"`}, false},
		{"anything", []string{"*"}, true},
		{"anything, with blanks", []string{" \t*"}, true},
		{"one of a list", []string{`"b", "a"`}, true},
		{"one of several fields", []string{`"b"`, `"a"`}, true},
		{"empty members", []string{`, ,"a",`}, true},
		{"a comma within a tag", []string{`"b,c","a"`}, true},
		{"what looks like the tag within another", []string{`"b,\"a\""`}, false},
		{"a weak tag", []string{`W/"a"`}, false},
		{"a weak tag beside it", []string{`W/"b","a"`}, true},
		{"empty", []string{""}, false},
		{"no quotes", []string{"a"}, false},
		{"half a tag", []string{`"a`}, false},
		{"a tag, then something", []string{`"a" "b"`}, false},
		{"anything among tags", []string{`"b",*`}, false},
		{"a blank in a tag", []string{`"a b","a"`}, false},
		{"lower-case w", []string{`w/"a"`}, false},
	} {
		err := match(c.lines...).Is(`"a"`)
		if got := err == nil; got != c.want || err != nil && !errors.Is(err, input.ErrChanged) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestTagsTellThingsApart(t *testing.T) {
	t.Parallel()
	type thing struct{ Name, Text string }
	a, b, same := input.Tag(thing{"x", "y"}), input.Tag(thing{"xy", ""}), input.Tag(thing{"x", "y"})
	if a == b || a != same || len(a) != 34 || match(a).Is(a) != nil {
		t.Error(a, b, same)
	}
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{`"a"`, `W/"a"`, `*`, `"b","a"`, `"a`, ``, ",", `"","a"`} {
		f.Add(s)
	}
	const tag = `"0123456789abcdef0123456789abcdef"`
	f.Fuzz(func(t *testing.T, s string) {
		m := match(s)
		if m.Is(tag) == nil && !strings.Contains(s, tag) && strings.Trim(s, " \t") != "*" {
			t.Errorf("%q lets through what it does not name", s)
		}
		if !strings.Contains(s, "*") && m.Is("") == nil {
			t.Errorf("%q matches nothing at all", s)
		}
	})
}
