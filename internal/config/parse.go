package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
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

// parse reads a YAML 1.2 or JSON text into nodes. Who reads what was decided
// by trying both YAML libraries on the same texts (see the fuzz targets):
//
//   - go.yaml.in/yaml/v4 makes the nodes. goccy/go-yaml silently drops tabs
//     inside plain text and trailing spaces of block text, and splits
//     {a:b: c} in the wrong place; a file about access must not be misread.
//   - goccy/go-yaml says where a syntax error is, since v4 often knows only
//     the beginning of the structure around it, and never the column.
//   - What is JSON is read by encoding/json: v4 does not know all its escapes.
func parse(src []byte) (root *node, flaws []flaw) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if f := rawFlaw(src); f != nil {
		return nil, []flaw{*f}
	}
	if json.Valid(src) {
		return parseJSON(src)
	}
	defer func() {
		if recover() != nil { // the library's fault, not the caller's
			root, flaws = nil, []flaw{{place: place{1, 1}, message: unreadable}}
		}
	}()
	return parseYAML(src)
}

const unreadable = "this text cannot be read as YAML"

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
