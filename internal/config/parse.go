package config

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxBytes = 4 << 20 // of a file
	maxDepth = 64      // of nesting
)

// flaw is something wrong with the text itself.
type flaw struct {
	place
	path    string
	message string
}

func flawAt(t *token.Token, format string, args ...any) *flaw {
	f := &flaw{message: fmt.Sprintf(format, args...)}
	if t != nil && t.Position != nil {
		f.place = place{t.Position.Line, t.Position.Column}
	}
	return f
}

// parse reads a YAML 1.2 (or JSON) text into nodes. The library is goccy's: it
// alone knows line and column of a syntax error, and it reads all of JSON; a
// fuzz test holds its values against go.yaml.in/yaml/v4. Its errors are used
// without the excerpt of the source they bring, since that may hold a secret.
func parse(src []byte) (root *node, flaws []*flaw) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if f := rawFlaw(src); f != nil {
		return nil, []*flaw{f}
	}
	defer func() {
		if recover() != nil { // the library's fault, not the caller's
			root, flaws = nil, []*flaw{{place: place{1, 1}, message: "this text cannot be read as YAML"}}
		}
	}()
	tokens := lexer.Tokenize(string(src))
	if f := tokenFlaw(tokens); f != nil {
		return nil, []*flaw{f}
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []*flaw{syntaxFlaw(err)}
	}
	return build(file)
}

func build(file *ast.File) (*node, []*flaw) {
	b := &builder{anchors: map[string]*node{}}
	var body ast.Node
	for i, doc := range file.Docs {
		if i > 0 {
			return nil, []*flaw{flawAt(doc.Start, "a file holds one document; a second one begins here")}
		}
		body = doc.Body
	}
	if body == nil || body.Type() == ast.CommentType || body.Type() == ast.CommentGroupType {
		return nil, []*flaw{{place: place{1, 1}, message: "the file is empty"}}
	}
	root := b.node(body, 0)
	return root, b.flaws
}

// rawFlaw looks at the bytes alone: size, encoding and control characters.
func rawFlaw(src []byte) *flaw {
	if len(src) > maxBytes {
		return &flaw{message: fmt.Sprintf("the file is larger than %d MiB", maxBytes>>20)}
	}
	line, column := 1, 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &flaw{place: place{line, column}, message: "the file is not UTF-8 here"}
		case r == '\n':
			line, column = line+1, 0
		case r == '\r' && (i+1 == len(src) || src[i+1] != '\n'), r < 0x20 && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return &flaw{place: place{line, column}, message: fmt.Sprintf("control character %U is not allowed", r)}
		case r == 0x85, r == 0x2028, r == 0x2029:
			return &flaw{place: place{line, column}, message: fmt.Sprintf("line separator %U is not allowed; write \\u%04x in double quotes", r, r)}
		case r == 0xfeff, r == 0xfffe, r == 0xffff:
			return &flaw{place: place{line, column}, message: fmt.Sprintf("character %U is not allowed", r)}
		}
		i, column = i+size, column+1
	}
	return nil
}

// tokenFlaw refuses, before anything recursive runs, what is nested too deep
// and those parts of YAML that have no use here and hide mistakes.
func tokenFlaw(tokens token.Tokens) *flaw {
	flow := 0
	var columns []int // of the block structures that are open
	open := func(column int) {
		for len(columns) > 0 && columns[len(columns)-1] >= column {
			columns = columns[:len(columns)-1]
		}
		columns = append(columns, column)
	}
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType:
			open(t.Position.Column)
		case token.MappingValueType:
			if t.Prev != nil && flow == 0 {
				open(t.Prev.Position.Column)
			}
		case token.MappingKeyType:
			return flawAt(t, "keys written with ? are not read; write key: value")
		case token.MergeKeyType:
			return flawAt(t, "merge keys (<<) are not part of YAML 1.2; write the keys out")
		case token.TagType:
			return flawAt(t, "YAML tags (!…) are not read; put the value in quotes if it is text")
		case token.DirectiveType:
			return flawAt(t, "a value that begins with %% must be in quotes")
		}
		if flow+len(columns) > maxDepth {
			return flawAt(t, "nested deeper than %d levels", maxDepth)
		}
	}
	return nil
}

// explained gives the library's messages in words that say what to do.
var explained = map[string]string{
	"',' or '}' must be specified":                                 `a "," or "}" is missing, here or just before; a value that begins with ${ or {{ must be in quotes`,
	"',' or ']' must be specified":                                 `a "," or "]" is missing, here or just before`,
	"could not find flow map content":                              `a value that begins with {{ must be in quotes`,
	"could not find flow mapping end token '}'":                    `this "{" is never closed`,
	"sequence end token ']' not found":                             `this "[" is never closed`,
	"non-map value is specified":                                   `a key without ":" and value`,
	"value is not allowed in this context":                         `not allowed here: is the indentation that of the line above?`,
	"mapping value is not allowed in this context":                 `a value that holds ": " must be in quotes`,
	"unexpected key name":                                          `a key without ":" and value`,
	"could not find end character of double-quoted text":           `this double quote is never closed`,
	"could not find end character of single-quoted text":           `this single quote is never closed`,
	"undefined alias name":                                         `a value that begins with * must be in quotes`,
	"could not find alias value":                                   `a value that begins with * must be in quotes`,
	"undefined anchor name":                                        `a value that begins with & must be in quotes`,
	"unexpected directive value. document not started":             `a value that begins with % must be in quotes`,
	"'@' is a reserved character":                                  `a value that begins with @ must be in quotes`,
	"'`' is a reserved character":                                  "a value that begins with ` must be in quotes",
	"found character '\t' that cannot start any token":             `a tab cannot indent; use spaces`,
	"found a tab character where an indentation space is expected": `a tab cannot indent; use spaces`,
}

func syntaxFlaw(err error) *flaw {
	var e yaml.Error
	if !errors.As(err, &e) {
		return &flaw{place: place{1, 1}, message: "this text cannot be read as YAML"}
	}
	message, known := explained[e.GetMessage()]
	if !known {
		message = "this is not YAML: the structure breaks off here"
	}
	return flawAt(e.GetToken(), "%s", message)
}
