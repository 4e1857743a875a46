package migrate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds of a configuration file.
const (
	maxFile  = 4 << 20
	maxDepth = 64
)

// tree is a value of a file, its members in their order. Nothing but one of
// object, list and scalar is set.
type tree struct {
	object  []member
	list    []*tree
	scalar  any // string, json.Number, bool or nil
	kind    kind
	comment string // above it, when it is written
}

type kind uint8

const (
	isScalar kind = iota
	isObject
	isList
)

type member struct {
	name    string
	value   *tree
	comment string // above it, when it is written
}

func text(s string) *tree { return &tree{scalar: s} }

func object() *tree { return &tree{kind: isObject} }

// get is a member's value, or nil.
func (t *tree) get(name string) *tree {
	if t == nil {
		return nil
	}
	for _, m := range t.object {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// set adds a member.
func (t *tree) set(name string, v *tree) { t.object = append(t.object, member{name: name, value: v}) }

// text is the text of a text.
func (t *tree) text() (string, bool) {
	if t == nil {
		return "", false
	}
	s, ok := t.scalar.(string)
	return s, ok
}

// yes reports whether the value is true.
func (t *tree) yes() bool { return t != nil && t.scalar == true }

// texts are the texts of a list, or the one text.
func (t *tree) texts() []string {
	if s, ok := t.text(); ok {
		return []string{s}
	}
	if t == nil {
		return nil
	}
	var out []string
	for _, item := range t.list {
		if s, ok := item.text(); ok {
			out = append(out, s)
		}
	}
	return out
}

// each calls f for every text in the tree.
func (t *tree) each(f func(string)) {
	if s, ok := t.text(); ok {
		f(s)
	}
	for _, item := range t.list {
		item.each(f)
	}
	for _, m := range t.object {
		f(m.name)
		m.value.each(f)
	}
}

// readJSON reads one JSON object; comments and trailing commas, as wrangler.jsonc
// has them, pass where relaxed. A member that stands twice is an error: nobody
// knows which counted.
func readJSON(src []byte, relaxed bool) (*tree, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	switch {
	case len(src) > maxFile:
		return nil, fmt.Errorf("the file is larger than %d MiB", maxFile>>20)
	case !utf8.Valid(src):
		return nil, errors.New("the file is not UTF-8")
	}
	if relaxed {
		src = plainJSON(src)
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	t, err := readValue(d, 0)
	if err != nil {
		return nil, wrongJSON(src, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the end of the JSON text")
	}
	if t.kind != isObject {
		return nil, errors.New("the file is not a JSON object")
	}
	return t, nil
}

// wrongJSON says in which line the syntax breaks.
func wrongJSON(src []byte, err error) error {
	var s *json.SyntaxError
	if errors.As(err, &s) && s.Offset <= int64(len(src)) {
		return fmt.Errorf("line %d: the file is not JSON", 1+bytes.Count(src[:s.Offset], []byte("\n")))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is not JSON: it breaks off")
	}
	return err
}

func readValue(d *json.Decoder, depth int) (*tree, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("the file is nested deeper than %d", maxDepth)
	}
	switch tok {
	case json.Delim('{'):
		t := object()
		seen := map[string]bool{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, _ := name.(string)
			if seen[key] {
				return nil, fmt.Errorf("the member %q stands twice in one object", clip(key))
			}
			seen[key] = true
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			t.set(key, v)
		}
		_, err = d.Token()
		return t, err
	case json.Delim('['):
		t := &tree{kind: isList}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			t.list = append(t.list, v)
		}
		_, err = d.Token()
		return t, err
	}
	return &tree{scalar: tok}, nil
}

// plainJSON blanks comments and trailing commas out, in place of which the same
// number of lines stays.
func plainJSON(src []byte) []byte {
	out := bytes.Clone(src)
	comma := -1 // of the last comma that nothing has followed yet
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '"':
			for i++; i < len(out) && out[i] != '"'; i++ {
				if out[i] == '\\' {
					i++
				}
			}
			comma = -1
		case c == '/' && i+1 < len(out) && (out[i+1] == '/' || out[i+1] == '*'):
			end := bytes.IndexByte(out[i:], '\n')
			if out[i+1] == '*' {
				if end = bytes.Index(out[i+2:], []byte("*/")); end >= 0 {
					end += 4
				}
			}
			if end < 0 {
				end = len(out) - i
			}
			for j := i; j < i+end; j++ {
				if out[j] != '\n' {
					out[j] = ' '
				}
			}
			i += end - 1
		case c == ',':
			comma = i
		case (c == '}' || c == ']') && comma >= 0:
			out[comma], comma = ' ', -1
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			comma = -1
		}
	}
	return out
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// yaml writes the tree as a YAML file that begins with a comment.
func (t *tree) yaml(comment string) ([]byte, error) {
	n := t.node()
	var out bytes.Buffer
	for line := range strings.Lines(comment) {
		out.WriteString(strings.TrimRight("# "+strings.TrimSuffix(line, "\n"), " ") + "\n")
	}
	out.WriteString("\n")
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, fmt.Errorf("write the YAML file: %w", err)
	}
	return out.Bytes(), e.Close()
}

func (t *tree) node() *yaml.Node {
	switch t.kind {
	case isObject:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: t.comment}
		for _, m := range t.object {
			key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: m.name, HeadComment: m.comment}
			n.Content = append(n.Content, key, m.value.node())
		}
		return n
	case isList:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", HeadComment: t.comment}
		flow := len(t.list) > 0
		for _, item := range t.list {
			n.Content = append(n.Content, item.node())
			flow = flow && item.kind == isScalar
		}
		if flow || len(t.list) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, HeadComment: t.comment}
	switch v := t.scalar.(type) {
	case string:
		n.Tag, n.Value = "!!str", v
	case json.Number:
		n.Tag, n.Value = "!!int", v.String()
		if strings.ContainsAny(v.String(), ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(v)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}
