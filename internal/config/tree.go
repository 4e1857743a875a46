package config

import (
	"encoding/json"
	"reflect"

	"github.com/portreeve/portreeve/internal/template"
)

// readTree reads any JSON value; its texts may hold request templates.
func readTree(d *Document, n *node, v reflect.Value, path string) bool {
	tree, ok := d.tree(n, path)
	v.Set(reflect.ValueOf(tree))
	return ok
}

func (d *Document) tree(n *node, path string) (template.Tree, bool) {
	if d.visits++; d.visits > maxVisits {
		return template.Tree{}, d.tooMany(path)
	}
	ok := true
	switch n.kind {
	case Null:
		return template.Tree{}, !n.broken
	case Sequence:
		list := make([]template.Tree, len(n.items))
		for i, item := range n.items {
			var fine bool
			list[i], fine = d.tree(item, join(path, Index(i)))
			ok = ok && fine
		}
		return template.Tree{Value: list}, ok
	case Map:
		members := make([]template.Member, len(n.members))
		for i, m := range n.members {
			at := join(path, Key(m.name))
			d.telling(m)
			value, fine := d.tree(m.value, at)
			members[i] = template.Member{Name: m.name, Value: value}
			ok = d.checkKey(m, at) && ok && fine
		}
		return template.Tree{Value: members}, ok
	}
	switch {
	case n.isBool():
		return template.Tree{Value: n.text == "true"}, true
	case n.isNumber():
		return template.Tree{Value: json.Number(n.text)}, true
	}
	t, ok := d.resolve(n, path)
	return template.Tree{Value: pieces(t)}, ok
}

// decodeAny reads any JSON value into an empty interface: nil, bool,
// json.Number, string, []any or map[string]any.
func (d *Document) decodeAny(n *node, v reflect.Value, path string) bool {
	if v.NumMethod() != 0 {
		d.report(path, false, "internal: unsupported type "+v.Type().String())
		return false
	}
	var value any
	ok := true
	switch {
	case n.kind == Null:
	case n.kind == Sequence:
		var list []any
		ok = d.decode(n, reflect.ValueOf(&list).Elem(), path, nil)
		value = list
	case n.kind == Map:
		var members map[string]any
		ok = d.decode(n, reflect.ValueOf(&members).Elem(), path, nil)
		value = members
	case n.isBool():
		value = n.text == "true"
	case n.isNumber():
		value = json.Number(n.text)
	default:
		var s string
		ok = d.decode(n, reflect.ValueOf(&s).Elem(), path, nil)
		value = s
	}
	if value != nil {
		v.Set(reflect.ValueOf(value))
	}
	return ok
}
