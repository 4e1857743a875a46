package gateway

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// Table finds the most specific pattern for a path: segment by segment from
// the left a literal before ":x" before "*", whatever the methods and whatever
// the order in the file. A table is built once and then only read.
//
// It is a tree with one level per segment; a look-up visits a node at most
// once, so its cost is bounded by the accepted configuration and never grows
// with what a client sends.
type Table struct {
	root node
	fold bool // pathCase: fold
	// exact says that HEAD is not answered by GET.
	exact bool
}

type node struct {
	literals map[string]*node
	param    *node
	rest     *Entry
	entry    *Entry
}

// NewTable makes an empty table. fold compares literals without regard to case.
func NewTable(fold bool) *Table { return &Table{fold: fold} }

// Add puts a route under its pattern. The error names the route it ties with.
func (t *Table) Add(r *Route) error {
	n, last := &t.root, r.Pattern.pieces
	for _, p := range last {
		switch p.kind {
		case literal:
			v := t.folded(p.value)
			if n.literals == nil {
				n.literals = map[string]*node{}
			}
			if n.literals[v] == nil {
				n.literals[v] = &node{}
			}
			n = n.literals[v]
		case param:
			if n.param == nil {
				n.param = &node{}
			}
			n = n.param
		case rest:
			if n.rest == nil {
				n.rest = &Entry{Text: r.Pattern.Text, exact: t.exact}
			}
			return n.rest.add(r)
		}
	}
	if n.entry == nil {
		n.entry = &Entry{Text: r.Pattern.Text, exact: t.exact}
	}
	return n.entry.add(r)
}

func (t *Table) folded(s string) string {
	if t.fold {
		return strings.ToLower(s)
	}
	return s
}

// Find returns the most specific entry for a path, or nil, and fills values
// with what its parameters took.
func (t *Table) Find(path request.Path, params *Params) *Entry {
	params.n = 0
	return t.find(&t.root, path.Segments, params)
}

func (t *Table) find(n *node, segs []request.Segment, params *Params) *Entry {
	if len(segs) == 0 {
		return n.entry
	}
	s := &segs[0]
	if s.Flags == 0 && n.literals != nil {
		if next := n.literals[t.folded(s.Value)]; next != nil {
			if e := t.find(next, segs[1:], params); e != nil {
				return e
			}
		}
	}
	if n.param != nil && s.Text != "" {
		at := params.n
		params.values[at] = s.Value
		params.n++
		if e := t.find(n.param, segs[1:], params); e != nil {
			return e
		}
		params.n = at
	}
	if n.rest != nil {
		params.values[params.n] = request.Path{Segments: segs}.String()[1:]
		params.n++
		return n.rest
	}
	return nil
}

// Entries calls f for every entry of the table, in no particular order.
func (t *Table) Entries(f func(*Entry)) { t.root.each(f) }

func (n *node) each(f func(*Entry)) {
	for _, c := range n.literals {
		c.each(f)
	}
	if n.param != nil {
		n.param.each(f)
	}
	for _, e := range [...]*Entry{n.entry, n.rest} {
		if e != nil {
			f(e)
		}
	}
}

// sharing lists the routes that stand under a pattern of plain segments.
func (t *Table) sharing(p *Pattern) []*Route {
	n := &t.root
	for _, piece := range p.pieces {
		if n = n.literals[t.folded(piece.value)]; n == nil {
			return nil
		}
	}
	if n.entry == nil {
		return nil
	}
	return n.entry.Routes
}

func (t *Table) routes() []*Route {
	var out []*Route
	t.Entries(func(e *Entry) { out = append(out, e.Routes...) })
	return out
}

// Sorted lists the routes by path, then method.
func (t *Table) Sorted() []*Route {
	out := t.routes()
	slices.SortFunc(out, func(a, b *Route) int {
		if c := strings.Compare(a.Pattern.Text, b.Pattern.Text); c != 0 {
			return c
		}
		return slices.Compare(a.Methods, b.Methods)
	})
	return out
}
