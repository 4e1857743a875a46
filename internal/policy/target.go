package policy

import (
	"github.com/portreeve/portreeve/internal/template"
)

// target is a template that names something by the request: a tenant, a row. It
// names it exactly once, or not at all: a parameter that is repeated could mean one
// thing here and another where the request goes.
type target struct {
	want    *template.Template
	text    string   // as it stands in the file
	query   []string // query parameters that it reads
	headers []string // header fields likewise
}

// target compiles the text of a key, which may read those sources.
func (l *loader) target(key string, text template.Text, sources template.Source) (n target, ok bool) {
	want, err := template.Compile(text, sources)
	if err != nil {
		l.errorf(key, "%v", err)
		return n, false
	}
	n.want, n.text = want, text.String()
	for _, ref := range want.Refs() {
		if len(ref.Path) == 0 || ref.Path[0].IsIndex {
			l.errorf(key, "{{%s}} is no text; name one field of it", ref.Source)
			continue
		}
		switch name := ref.Path[0].Name; ref.Source {
		case template.Query:
			n.query = append(n.query, name)
		case template.Headers:
			n.headers = append(n.headers, name)
		case template.Params:
			l.param(key, name)
		}
	}
	return n, true
}

// param reports a path parameter that the route does not have.
func (l *loader) param(key, name string) {
	for _, p := range l.deps.Params {
		if p == name {
			return
		}
	}
	l.errorf(key, "the path has no parameter of this name%s", meant(name, l.deps.Params))
}

// value is what the request names, or why it names nothing.
func (n *target) value(in Input) (value, problem string) {
	for _, name := range n.query {
		if len(in.View.QueryValues(name)) > 1 {
			return "", "the query parameter " + name + " is repeated"
		}
	}
	for _, name := range n.headers {
		if in.View.Header.Count(name) > 1 {
			return "", "the header " + name + " is repeated"
		}
	}
	value, ok := n.want.Strict(in.Env)
	if !ok || value == "" {
		return "", "the template has no value for this request"
	}
	return value, ""
}
