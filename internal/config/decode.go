package config

import "reflect"

const maxVisits = 1_000_000 // of values

// Decoder is a type that decodes itself, since several shapes may stand in its
// place.
type Decoder interface{ DecodeConfig(v *Value) }

// Decode reads src into the struct (or other value) that into points to. What
// is wrong stands in the document; into then holds what could be read. It
// never panics on any src; an unsupported Go type is reported as a problem.
func Decode(src []byte, into any, o Options) *Document { return Parse(src).Decode(into, o) }

// Text is a file whose text has been taken apart. It may be decoded several
// times: parsing a large file is most of the work.
type Text struct {
	root  *node
	flaws []flaw
}

// Parse takes src apart. What is wrong with it is said by the document of each
// Decode. It never panics.
func Parse(src []byte) *Text {
	t := &Text{}
	t.root, t.flaws = parse(src)
	return t
}

// Decode reads the text into what into points to, as the function Decode does.
func (t *Text) Decode(into any, o Options) *Document {
	d := &Document{options: o, contents: map[string]content{}, shapes: map[reflect.Type]*shape{}}
	for _, f := range t.flaws {
		d.add(Problem{File: o.Name, Line: f.line, Column: f.column, Path: f.path, Message: f.message})
	}
	root := t.root
	d.root = root
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		d.report("", false, "internal: the target is no pointer")
		return d
	}
	if root != nil {
		d.decode(root, target.Elem(), "", nil)
	}
	return d
}

// decode reads n into v. skip is the type whose DecodeConfig is running, which
// is not called again for its own value.
func (d *Document) decode(n *node, v reflect.Value, path string, skip reflect.Type) bool {
	if d.visits++; d.visits > maxVisits {
		return d.tooMany(path)
	}
	if n.broken && n.kind != Map {
		return false
	}
	t := v.Type()
	if n.kind == Null && t != treeType && t.Kind() != reflect.Interface {
		d.report(path, false, "has no value; "+nullHint(t))
		return false
	}
	if t.Kind() == reflect.Pointer {
		fresh := reflect.New(t.Elem())
		ok := d.decode(n, fresh.Elem(), path, skip)
		v.Set(fresh)
		return ok
	}
	if decoder, is := v.Addr().Interface().(Decoder); is && t != skip {
		before := d.errors
		decoder.DecodeConfig(&Value{doc: d, node: n, path: path, self: t})
		return d.errors == before
	}
	if read := readerOf(t); read != nil {
		return read(d, n, v, path)
	}
	switch t.Kind() {
	case reflect.Struct:
		if unmarshalsText(v) {
			return d.decodeText(n, v, path)
		}
		return d.decodeStruct(n, v, path)
	case reflect.Slice:
		return d.decodeSlice(n, v, path)
	case reflect.Map:
		return d.decodeMap(n, v, path)
	case reflect.Interface:
		return d.decodeAny(n, v, path)
	}
	if unmarshalsText(v) {
		return d.decodeText(n, v, path)
	}
	return d.decodeScalar(n, v, path)
}

// tooMany reports once that the budget is spent.
func (d *Document) tooMany(path string) bool {
	if d.visits == maxVisits+1 {
		d.report(path, false, "too many values; do aliases multiply?")
	}
	return false
}

func nullHint(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Struct && readerOf(t) == nil:
		return "write {} for its defaults, or remove the key"
	case t.Kind() == reflect.Slice:
		return "write [] for none, or remove the key"
	}
	return "write one, or remove the key"
}

func (d *Document) decodeSlice(n *node, v reflect.Value, path string) bool {
	items := n.items
	if n.kind != Sequence {
		items = d.listOf(n, v.Type().Elem(), path)
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	ok := true
	for i, item := range items {
		ok = d.decode(item, out.Index(i), join(path, Index(i)), nil) && ok
	}
	v.Set(out)
	return ok
}

// listOf is what one value means where a list is taken: a list of one, or, if
// it is one value from outside, what its commas part.
func (d *Document) listOf(n *node, elem reflect.Type, path string) []*node {
	if n.kind != Scalar || elem.Kind() == reflect.Struct && readerOf(elem) == nil {
		return []*node{n}
	}
	t, ok := d.resolve(n, path)
	if !ok {
		return nil
	}
	if !t.whole || elem == secretType {
		return []*node{n}
	}
	var items []*node
	for _, part := range splitComma(t.String()) {
		d.fromOutside(part)
		made := text{stretches: []stretch{{part, true, true}}, whole: true, fallback: t.fallback}
		items = append(items, &node{kind: Scalar, line: n.line, column: n.column, resolved: &made})
	}
	return items
}

func (d *Document) decodeMap(n *node, v reflect.Value, path string) bool {
	if v.Type().Key().Kind() != reflect.String {
		d.report(path, false, "internal: unsupported type "+v.Type().String())
		return false
	}
	if n.kind != Map {
		d.report(path, false, "must be a mapping (key: value), but "+n.described())
		return false
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.members))
	ok := true
	for _, m := range n.members {
		at := join(path, Key(m.name))
		d.telling(m)
		ok = d.checkKey(m, at) && ok
		elem := reflect.New(v.Type().Elem()).Elem()
		ok = d.decode(m.value, elem, at, nil) && ok
		out.SetMapIndex(reflect.ValueOf(m.name).Convert(v.Type().Key()), elem)
	}
	v.Set(out)
	return ok
}
