package config

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// explain finds where and why a text is not YAML, once it is known not to be.
// Neither library's message is shown as it is, since both may quote the text,
// and the text may be secret.
func explain(src []byte, cause error) (f flaw) {
	f = flaw{place: place{1, 1}, message: unreadable}
	if m := lineOf.FindStringSubmatch(cause.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		f = flaw{place: place{line, 1}, message: broken}
	}
	defer func() {
		_ = recover() // f is then what is known without the second library
	}()
	tokens := lexer.Tokenize(string(src))
	if tooDeep(tokens) {
		return flaw{place: place{1, 1}, message: nested}
	}
	if at := danglingAlias(tokens); at != nil {
		return flaw{place: at.place, message: noAnchor}
	}
	_, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil || e.GetToken().Position == nil {
		return f
	}
	p := e.GetToken().Position
	f = flaw{place: place{p.Line, p.Column}, message: broken}
	if message, known := explained[e.GetMessage()]; known {
		f.message = message
	}
	return f
}

const (
	broken   = "this is not YAML: the structure breaks off here"
	noAnchor = "no anchor of this name ends before this; a value that begins with * must be in quotes"
)

var (
	lineOf = regexp.MustCompile(`\bline ([0-9]{1,7})\b`)
	nested = "nested deeper than " + strconv.Itoa(maxDepth) + " levels"
)

// danglingAlias finds the first alias without an anchor before it.
func danglingAlias(tokens token.Tokens) *flaw {
	anchors := map[string]bool{}
	for i, t := range tokens[:max(len(tokens)-1, 0)] {
		name := tokens[i+1].Value
		switch t.Type {
		case token.AnchorType:
			anchors[name] = true
		case token.AliasType:
			if !anchors[name] {
				return &flaw{place: place{t.Position.Line, t.Position.Column}}
			}
		}
	}
	return nil
}

// tooDeep keeps the library, which recurses, from what would end the process.
func tooDeep(tokens token.Tokens) bool {
	flow := 0
	var columns []int // of the block structures that are open
	for _, t := range tokens {
		column := 0
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			column = t.Position.Column
		case token.MappingValueType:
			if t.Prev != nil {
				column = t.Prev.Position.Column
			}
		}
		if column > 0 {
			for len(columns) > 0 && columns[len(columns)-1] >= column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, column)
		}
		if flow+len(columns) > 4*maxDepth {
			return true
		}
	}
	return false
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
