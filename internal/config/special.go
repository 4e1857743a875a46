package config

import (
	"reflect"

	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/template"
)

var (
	secretType   = reflect.TypeFor[secret.Value]()
	textType     = reflect.TypeFor[template.Text]()
	treeType     = reflect.TypeFor[template.Tree]()
	durationType = reflect.TypeFor[Duration]()
	sizeType     = reflect.TypeFor[Size]()
	urlType      = reflect.TypeFor[URL]()
)

type reader func(d *Document, n *node, v reflect.Value, path string) bool

// readerOf is the reader of a type that means more than its Go kind, or nil.
func readerOf(t reflect.Type) reader {
	switch t {
	case secretType:
		return readSecret
	case textType:
		return readText
	case treeType:
		return readTree
	case durationType:
		return readDuration
	case sizeType:
		return readSize
	case urlType:
		return readURL
	}
	return nil
}

func readSecret(d *Document, n *node, v reflect.Value, path string) bool {
	d.hide(n, secretly)
	t, ok := d.untemplated(n, path)
	if !ok {
		return false
	}
	d.keepSecret(t.String())
	if written := n.resolved == nil && t.written(); (written || t.fallback) && t.String() != "" {
		p := d.problem(path, "a secret is written out in the file; use {{env.NAME}} or {{file.PATH}}")
		d.inline = append(d.inline, p)
	}
	v.Set(reflect.ValueOf(secret.New(pem(t.String()))))
	return true
}

func readText(d *Document, n *node, v reflect.Value, path string) bool {
	t, ok := d.words(n, path)
	if ok {
		v.Set(reflect.ValueOf(pieces(t)))
	}
	return ok
}

// pieces hands a text to the template compiler: what may be scanned in one
// piece as long as it can be, since a template must not be cut in two.
func pieces(t text) template.Text {
	var out template.Text
	for _, s := range t.stretches {
		if last := len(out.Pieces) - 1; last >= 0 && out.Pieces[last].Literal == s.literal {
			out.Pieces[last].Text += s.text
			continue
		}
		out.Pieces = append(out.Pieces, template.Piece{Text: s.text, Literal: s.literal})
	}
	return out
}
