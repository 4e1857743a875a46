package docs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
)

// templateName is a pattern as OpenAPI writes it.
type templateName struct {
	text   string // /docs/{id}
	params []string
	rest   bool // the last parameter takes the rest of the path
}

// templates writes the patterns of a site in OpenAPI's form, in which two paths
// that differ only in what they call their parameters are one path. So "/docs/*"
// beside "/docs/:id" is written as what is left for it: /docs/{segment}/{rest}.
func templates(entries []*gateway.Entry) map[*gateway.Entry]templateName {
	out := map[*gateway.Entry]templateName{}
	taken := map[string]bool{}
	for _, wild := range []bool{false, true} {
		for _, e := range entries {
			segs := e.Routes[0].Pattern.Segments()
			if rest := len(segs) > 0 && segs[len(segs)-1].Param == "*"; rest != wild {
				continue
			}
			n, same := write(segs, 0)
			for deeper := 1; wild && taken[same]; deeper++ {
				n, same = write(segs, deeper)
			}
			taken[same], out[e] = true, n
		}
	}
	return out
}

// write writes a pattern, with so many parameters put before the rest. same is
// its form without the parameters' names.
func write(segs []gateway.PatternSegment, deeper int) (n templateName, same string) {
	var text, form strings.Builder
	add := func(name string) {
		n.params = append(n.params, name)
		text.WriteString("/{" + name + "}")
		form.WriteString("/{}")
	}
	for _, s := range segs {
		switch s.Param {
		case "":
			text.WriteString("/" + s.Literal)
			form.WriteString("/" + s.Literal)
		case "*":
			for range deeper {
				add(unused("segment", n.params))
			}
			n.rest = true
			add(unused("rest", n.params))
		default:
			add(s.Param)
		}
	}
	n.text = text.String()
	return n, form.String()
}

// unused is a name that is not among names.
func unused(name string, names []string) string {
	for i, try := 2, name; ; i++ {
		if !slices.Contains(names, try) {
			return try
		}
		try = name + strconv.Itoa(i)
	}
}

// parameter is one value that a request carries.
type parameter struct {
	name, in, words string
	required        bool
}

const (
	segmentWords = "one segment of the path"
	restWords    = "the rest of the path, slashes included"
)

func (n templateName) parameters() []parameter {
	var out []parameter
	for i, name := range n.params {
		words := segmentWords
		if n.rest && i == len(n.params)-1 {
			words = restWords
		}
		out = append(out, parameter{name: name, in: "path", words: words, required: true})
	}
	return out
}
