package template

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// maxDepth bounds a tree: above any real answer, and below what would trouble
// the stack.
const maxDepth = 200

// TreeTemplate is a compiled Tree. It is immutable and safe for concurrent use.
type TreeTemplate struct {
	root node
	uses Source
	refs []Ref
}

// node is fixed JSON, a template, a list or an object.
type node struct {
	fixed   []byte
	text    *Template
	list    []node
	members []member
	kind    kind
}

type kind uint8

const (
	fixedNode kind = iota
	textNode
	listNode
	objectNode
)

type member struct {
	name []byte // as JSON, quotes included
	node node
}

// CompileTree reads the templates in all strings of t. Branches without
// templates are written out once, here.
func CompileTree(t Tree, allow Source) (*TreeTemplate, error) {
	c := &TreeTemplate{}
	root, err := c.compile(t, allow, 0)
	if err != nil {
		return nil, err
	}
	c.root = root
	return c, nil
}

// Uses is the set of sources that the tree reads.
func (c *TreeTemplate) Uses() Source { return c.uses }

// Refs lists what the tree reads, in order.
func (c *TreeTemplate) Refs() []Ref { return c.refs }

// Fixed reports whether the tree reads nothing: JSON then always yields the
// same bytes.
func (c *TreeTemplate) Fixed() bool { return c.root.kind == fixedNode }

// JSON evaluates the tree. An optional template that is a whole value and
// missing takes its member or element with it; any other missing value is
// null. It fails only when the Env yields something that JSON cannot hold.
func (c *TreeTemplate) JSON(env Env) ([]byte, error) {
	out, present, err := c.root.append(nil, env)
	if err == nil && !present {
		out = []byte("null")
	}
	return out, err
}

func (c *TreeTemplate) compile(t Tree, allow Source, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("more than %d levels deep", maxDepth)
	}
	switch v := t.Value.(type) {
	case nil, bool, json.Number:
		b, err := appendJSON(nil, v)
		return node{fixed: b}, err
	case Text:
		return c.compileText(v, allow)
	case []Tree:
		return c.compileList(v, allow, depth)
	case []Member:
		return c.compileObject(v, allow, depth)
	default:
		return node{}, fmt.Errorf("a value of type %T is not JSON", v)
	}
}

func (c *TreeTemplate) compileText(v Text, allow Source) (node, error) {
	text, err := Compile(v, allow)
	if err != nil {
		return node{}, err
	}
	if s, ok := text.Literal(); ok {
		b, err := appendJSON(nil, s)
		return node{fixed: b}, err
	}
	c.uses |= text.uses
	c.refs = append(c.refs, text.Refs()...)
	return node{kind: textNode, text: text}, nil
}

func (c *TreeTemplate) compileList(v []Tree, allow Source, depth int) (node, error) {
	n, fixed := node{kind: listNode}, true
	for _, x := range v {
		e, err := c.compile(x, allow, depth+1)
		if err != nil {
			return node{}, err
		}
		fixed = fixed && e.kind == fixedNode
		n.list = append(n.list, e)
	}
	return n.settle(fixed)
}

func (c *TreeTemplate) compileObject(v []Member, allow Source, depth int) (node, error) {
	n, fixed := node{kind: objectNode}, true
	for _, x := range v {
		e, err := c.compile(x.Value, allow, depth+1)
		if err != nil {
			return node{}, err
		}
		name, err := appendJSON(nil, x.Name)
		if err != nil {
			return node{}, err
		}
		fixed = fixed && e.kind == fixedNode
		n.members = append(n.members, member{name: name, node: e})
	}
	return n.settle(fixed)
}

// settle writes a branch without templates out.
func (n node) settle(fixed bool) (node, error) {
	if !fixed {
		return n, nil
	}
	b, _, err := n.append(nil, nil)
	return node{fixed: b}, err
}

// append writes the node behind dst. present is false for an optional template
// that is missing; nothing is written then.
func (n *node) append(dst []byte, env Env) (out []byte, present bool, err error) {
	switch n.kind {
	case fixedNode:
		return append(dst, n.fixed...), true, nil
	case textNode:
		v, present := n.text.Value(env)
		if !present {
			return dst, false, nil
		}
		out, err = appendJSON(dst, v)
		return out, true, err
	case listNode:
		out, err = n.appendList(dst, env)
	default:
		out, err = n.appendObject(dst, env)
	}
	return out, true, err
}

func (n *node) appendList(dst []byte, env Env) ([]byte, error) {
	dst = append(dst, '[')
	first := true
	for i := range n.list {
		start := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		out, present, err := n.list[i].append(dst, env)
		if err != nil {
			return dst, err
		}
		if dst = out; !present {
			dst = dst[:start]
			continue
		}
		first = false
	}
	return append(dst, ']'), nil
}

func (n *node) appendObject(dst []byte, env Env) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for i := range n.members {
		start := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(dst, n.members[i].name...)
		dst = append(dst, ':')
		out, present, err := n.members[i].node.append(dst, env)
		if err != nil {
			return dst, err
		}
		if dst = out; !present {
			dst = dst[:start]
			continue
		}
		first = false
	}
	return append(dst, '}'), nil
}

// appendJSON writes one value. '<', '>' and '&' stay as they are: the answers
// are application/json, and escapes would only make them hard to read.
func appendJSON(dst []byte, v any) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return dst, fmt.Errorf("write a value as JSON: %w", err)
	}
	out := b.Bytes()
	return out[:len(out)-1], nil // the encoder ends in a newline
}
