package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v4"
)

func parseYAML(src []byte) (*node, []flaw) {
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, []flaw{{place: place{1, 1}, message: "the file is empty"}}
	}
	if err != nil {
		return nil, []flaw{explain(src, err)}
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, []flaw{{place: place{second.Line, second.Column}, message: "a file holds one document; a second one begins here"}}
	case !errors.Is(err, io.EOF):
		return nil, []flaw{explain(src, err)}
	}
	b := &builder{anchors: map[*yaml.Node]*node{}}
	root := b.node(doc.Content[0])
	if root.kind == Null && doc.Content[0].Value == "" && !root.broken { // "---" alone
		return nil, []flaw{{place: place{1, 1}, message: "the file is empty"}}
	}
	return root, b.flaws
}

// builder turns the library's tree into nodes.
type builder struct {
	anchors map[*yaml.Node]*node // an alias shares the anchor's node; nil while it is being built
	flaws   []flaw
	stack   []element // where the walk is
}

// element is a step of the path: a name, or an index where name is empty.
type element struct {
	name  string
	index int
}

func (b *builder) flaw(at *yaml.Node, format string, args ...any) {
	f := flaw{place: place{at.Line, at.Column}, message: fmt.Sprintf(format, args...)}
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
func (b *builder) below(e element, n *yaml.Node) *node {
	b.stack = append(b.stack, e)
	out := b.node(n)
	b.stack = b.stack[:len(b.stack)-1]
	return out
}

func (b *builder) node(n *yaml.Node) *node {
	out := &node{line: n.Line, column: n.Column}
	refuse := func(format string, args ...any) *node {
		b.flaw(n, format, args...)
		out.broken = true
		return out
	}
	switch {
	case len(b.stack) > maxDepth:
		out.broken = true
		b.flaws = append(b.flaws, flaw{place: place{n.Line, n.Column}, message: nested}) // its path would fill the screen
		return out
	case n.Style&yaml.TaggedStyle != 0:
		return refuse("YAML tags (!…) are not read; put the value in quotes if it is text")
	case n.Kind == yaml.AliasNode:
		if known := b.anchors[n.Alias]; known != nil {
			return known
		}
		return refuse("%s", noAnchor)
	}
	switch n.Kind {
	case yaml.MappingNode:
		out.kind = Map
		b.members(n, out)
		if out.broken && len(out.members) == 0 {
			out.kind = Null // it was never meant as a mapping
		}
	case yaml.SequenceNode:
		out.kind = Sequence
		for i, item := range n.Content {
			out.items = append(out.items, b.below(element{index: i}, item))
		}
	default:
		out.kind, out.text = Scalar, n.Value
		out.plain = n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
		if out.plain && slices.Contains(nulls, n.Value) {
			out.kind, out.text = Null, ""
		}
	}
	if n.Anchor != "" {
		b.anchors[n] = out
	}
	return out
}

var nulls = []string{"", "~", "null", "Null", "NULL"}

func (b *builder) members(n *yaml.Node, out *node) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !b.key(key) {
			out.broken = true // its other keys still count, its missing ones do not
			continue
		}
		if first, taken := seen[key.Value]; taken {
			b.flaw(key, "the key %s stands twice; the first is in line %d", shown(key.Value), first.Line)
			continue
		}
		seen[key.Value] = key
		out.members = append(out.members, member{key.Value, key.Line, key.Column, b.below(element{name: key.Value}, value)})
	}
}

// key reports whether a mapping's key is text, and says so if not.
func (b *builder) key(k *yaml.Node) bool {
	plain := k.Kind == yaml.ScalarNode && k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
	n := &node{kind: Scalar, plain: plain, text: k.Value}
	switch {
	case k.Kind == yaml.MappingNode && k.Style&yaml.FlowStyle != 0:
		b.flaw(k, "a value that begins with {{ must be in quotes")
	case k.Kind == yaml.AliasNode || k.Anchor != "":
		b.flaw(k, "anchors and aliases cannot be keys; put it in quotes if it is text")
	case k.Kind != yaml.ScalarNode:
		b.flaw(k, "a mapping or list cannot be a key")
	case k.Style&yaml.TaggedStyle != 0:
		b.flaw(k, "YAML tags (!…) are not read; put the key in quotes if it is text")
	case plain && k.Value == "<<":
		b.flaw(k, "merge keys (<<) are not part of YAML 1.2; write the keys out")
	case n.isBool() || n.isNumber() || plain && slices.Contains(nulls, k.Value):
		b.flaw(k, "a key must be text; put it in quotes")
	default:
		return true
	}
	return false
}
