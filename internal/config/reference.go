package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Reference is the Markdown reference page of root's type: a table for every
// mapping, from the same reading of types and tags that Decode uses. A mapping
// stands below the one in which it is met first, nearest to the top, under the
// path that leads to it.
func Reference(root any, comments map[string]string) ([]byte, error) {
	if _, err := Schema(root, comments); err != nil { // finds what has no description
		return nil, err
	}
	p := &page{comments: comments, anchors: map[reflect.Type]string{}}
	p.out.WriteString("# Every key\n\nMade from the types of the configuration. `portreeve schema` prints the same for editors, `portreeve check` says what of a file is wrong.\n")
	p.queue(reflect.TypeOf(root), "The file")
	for i := 0; i < len(p.sections); i++ {
		p.at = p.sections[i]
		p.section(p.at)
	}
	p.write(p.sections[0])
	return p.out.Bytes(), nil
}

type section struct {
	typ   reflect.Type
	title string
	path  string // "login.risk."
	text  bytes.Buffer
	below []*section
}

type page struct {
	out      bytes.Buffer
	comments map[string]string
	sections []*section // as they are met, by depth
	at       *section   // that mentions what is met
	anchors  map[reflect.Type]string
}

// write writes a section and those below it.
func (p *page) write(s *section) {
	p.out.WriteByte('\n')
	p.out.Write(s.text.Bytes())
	for _, b := range s.below {
		p.write(b)
	}
}

// queue plans a section for a struct type, once, under the path it is first
// met at.
func (p *page) queue(t reflect.Type, key string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if _, known := p.anchors[t]; !known {
		taken, title, path := 0, key, ""
		if p.at != nil {
			title = p.at.path + key
			path = title + "."
		}
		for _, s := range p.sections {
			if s.title == title || strings.HasPrefix(s.title, title+" (") {
				taken++
			}
		}
		if taken > 0 {
			title = fmt.Sprintf("%s (%d)", title, taken+1)
		}
		p.anchors[t] = anchor(title)
		s := &section{typ: t, title: title, path: path}
		p.sections = append(p.sections, s)
		if p.at != nil {
			p.at.below = append(p.at.below, s)
		}
	}
}

// anchor is the fragment that Markdown renderers give a heading.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(title))
}

func (p *page) section(s *section) {
	fmt.Fprintf(&s.text, "## %s\n\n", s.title)
	if text := unnamed(p.comments[typeKey(s.typ)], s.typ.Name()); text != "" {
		if first, _, _ := strings.Cut(text, " "); !strings.Contains(strings.TrimSuffix(first, "."), ".") {
			text = strings.ToUpper(text[:1]) + text[1:]
		}
		s.text.WriteString(text + "\n\n")
	}
	s.text.WriteString("| key | value | |\n|---|---|---|\n")
	shape := shapeOf(s.typ)
	for _, name := range shape.order {
		f := shape.fields[name]
		fmt.Fprintf(&s.text, "| `%s` | %s | %s |\n", name, p.value(f), cell(p.about(f)))
	}
	for _, name := range keys(shape.later) {
		fmt.Fprintf(&s.text, "| `%s` | | %s; not in this release |\n", name, cell(shape.later[name]))
	}
}

// unnamed is a comment without the Go name that it begins with, which readers of
// the page do not know: they see the key.
func unnamed(comment, name string) string {
	text, ok := strings.CutPrefix(comment, name+" ")
	if !ok {
		return comment
	}
	for _, verb := range []string{"is ", "are "} {
		text = strings.TrimPrefix(text, verb)
	}
	return text
}

func (p *page) about(f *field) string {
	parts := []string{strings.ReplaceAll(unnamed(p.comments[typeKey(f.owner)+"."+f.goName], f.goName), "<", `\<`)} // <host> is no element
	if f.required {
		parts = append(parts, "Required.")
	}
	if f.fallback != "" {
		parts = append(parts, "Default: `"+f.fallback+"`.")
	}
	if len(f.env) > 0 {
		parts = append(parts, "Where it is silent: the variable `"+strings.Join(f.env, "`, else `")+"`.")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func (p *page) value(f *field) string {
	if len(f.oneof) > 0 {
		words := "`" + strings.Join(f.oneof, "`, `") + "`"
		if f.typ.Kind() == reflect.Slice {
			return "one or a list of: " + words
		}
		return words
	}
	return p.words(f.typ, f.name, false)
}

// words names a type for a reader and queues the mappings that it mentions.
// itself is true inside a union, where the union's own type means its fields.
func (p *page) words(t reflect.Type, key string, itself bool) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	speaker := reflect.New(t).Interface()
	if _, is := speaker.(interface{ JSONSchema() *jsonschema.Schema }); is && !itself {
		return "see the schema"
	}
	if says, is := speaker.(Shaped); is && !itself {
		return p.unionWords(t, key, says.Shapes())
	}
	if word, known := meaningWords[t]; known {
		return word
	}
	if unmarshalsText(reflect.New(t).Elem()) {
		return "text"
	}
	switch t.Kind() {
	case reflect.Struct:
		p.queue(t, key)
		return "[mapping](#" + p.anchors[t] + ")"
	case reflect.Slice:
		return "one or a list of: " + p.words(t.Elem(), key, false)
	case reflect.Map:
		return "mapping of names to: " + p.words(t.Elem(), key, false)
	case reflect.Interface:
		return "anything"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "number"
	}
	return "whole number"
}

var meaningWords = map[reflect.Type]string{
	secretType: "secret", textType: "text with templates", treeType: "any JSON, with templates",
	durationType: "duration", sizeType: "size", urlType: "URL",
}

func (p *page) unionWords(t reflect.Type, key string, shapes []any) string {
	var words []string
	for _, shape := range shapes {
		of := reflect.TypeOf(shape)
		word := p.words(of, key, of == t)
		if of == reflect.TypeFor[bool]() {
			word = fmt.Sprintf("`%v`", shape)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return alternatives(words)
}
