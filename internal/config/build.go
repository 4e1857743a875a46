package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// builder turns the library's tree into nodes.
type builder struct {
	anchors map[string]*node // by name; an alias shares the anchor's node
	flaws   []*flaw
	stack   []element // where the walk is
}

// element is a step of the path: a name, or an index where name is empty.
type element struct {
	name  string
	index int
}

func (b *builder) flaw(t *token.Token, format string, args ...any) {
	f := flawAt(t, format, args...)
	for _, e := range b.stack {
		if e.name == "" {
			f.path = join(f.path, Index(e.index))
		} else {
			f.path = join(f.path, Key(e.name))
		}
	}
	b.flaws = append(b.flaws, f)
}

// below builds a node one step further down.
func (b *builder) below(e element, n ast.Node, depth int) *node {
	b.stack = append(b.stack, e)
	out := b.node(n, depth+1)
	b.stack = b.stack[:len(b.stack)-1]
	return out
}

func (b *builder) node(n ast.Node, depth int) *node {
	if n == nil {
		return &node{kind: Null}
	}
	if depth > 2*maxDepth { // tokenFlaw counts by columns; this one cannot be misled
		b.flaw(n.GetToken(), "nested deeper than %d levels", maxDepth)
		return broken(n.GetToken())
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(n, n.Values, depth)
	case *ast.MappingValueNode:
		return b.mapping(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out := at(Sequence, n.Start)
		for i, item := range n.Values {
			out.items = append(out.items, b.below(element{index: i}, item, depth))
		}
		return out
	case *ast.AnchorNode:
		out := b.node(n.Value, depth+1)
		b.anchors[scalarText(n.Name)] = out
		return out
	case *ast.AliasNode:
		if known, ok := b.anchors[scalarText(n.Value)]; ok {
			return known
		}
		b.flaw(n.Start, "no anchor of this name ends before this; a value that begins with * must be in quotes")
		return broken(n.Start)
	}
	return b.scalar(n)
}

func (b *builder) scalar(n ast.Node) *node {
	t := n.GetToken()
	out := at(Scalar, t)
	switch n := n.(type) {
	case *ast.StringNode:
		out.text = n.Value
		out.plain = t.Type != token.SingleQuoteType && t.Type != token.DoubleQuoteType
	case *ast.LiteralNode:
		if n.Value != nil {
			out.text = n.Value.Value
		}
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.text, out.plain = t.Value, true
	default:
		b.flaw(t, "this is not a value")
		return broken(t)
	}
	if out.plain && slices.Contains(nulls, out.text) {
		out.kind, out.text = Null, ""
	}
	return out
}

var nulls = []string{"", "~", "null", "Null", "NULL"}

func (b *builder) mapping(whole ast.Node, values []*ast.MappingValueNode, depth int) *node {
	out := at(Map, whole.GetToken())
	seen := map[string]*token.Token{}
	for i, mv := range values {
		t := mv.Key.GetToken()
		if i == 0 && !flowStyle(whole) {
			out.line, out.column = t.Position.Line, t.Position.Column
		}
		name, ok := b.key(mv.Key)
		if !ok {
			continue
		}
		if first, taken := seen[name]; taken {
			b.flaw(t, "the key %s stands twice; the first is in line %d", shown(name), first.Position.Line)
			continue
		}
		seen[name] = t
		value := b.below(element{name: name}, mv.Value, depth)
		if value.line == 0 {
			value.line, value.column = t.Position.Line, t.Position.Column
		}
		out.members = append(out.members, member{name, t.Position.Line, t.Position.Column, value})
	}
	return out
}

func flowStyle(n ast.Node) bool {
	m, ok := n.(*ast.MappingNode)
	return ok && m.IsFlowStyle
}

// key reads a mapping's key, which must be text.
func (b *builder) key(k ast.MapKeyNode) (string, bool) {
	t := k.GetToken()
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.AnchorNode, *ast.AliasNode:
		b.flaw(t, "anchors and aliases cannot be keys; put it in quotes if it is text")
	default:
		b.flaw(t, "a key must be text; put it in quotes")
	}
	return "", false
}

func at(kind Kind, t *token.Token) *node {
	n := &node{kind: kind}
	if t != nil && t.Position != nil {
		n.line, n.column = t.Position.Line, t.Position.Column
	}
	return n
}

func broken(t *token.Token) *node {
	n := at(Null, t)
	n.broken = true
	return n
}

func scalarText(n ast.Node) string {
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}
