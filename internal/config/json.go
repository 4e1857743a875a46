package config

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseJSON reads a text that is known to be JSON.
func parseJSON(src []byte) (*node, []flaw) {
	j := &jsonReader{src: src, decoder: json.NewDecoder(bytes.NewReader(src)), place: place{1, 1}}
	j.decoder.UseNumber()
	root := j.value(0)
	return root, j.flaws
}

// jsonReader follows the decoder's offset through the text, counting lines.
type jsonReader struct {
	src     []byte
	decoder *json.Decoder
	offset  int
	place   // of offset
	path    string
	flaws   []flaw
}

// next is the next token and where it begins.
func (j *jsonReader) next() (json.Token, place) {
	begin := int(j.decoder.InputOffset())
	for begin < len(j.src) && strings.IndexByte(" \t\r\n,:", j.src[begin]) >= 0 {
		begin++
	}
	j.advance(begin)
	at := j.place
	t, err := j.decoder.Token()
	if err != nil {
		return nil, at // cannot be: the text is valid
	}
	return t, at
}

// advance moves to an offset, line by line and rune by rune.
func (j *jsonReader) advance(to int) {
	for j.offset < to {
		r, size := utf8.DecodeRune(j.src[j.offset:])
		j.offset += size
		j.column++
		if r == '\n' {
			j.line, j.column = j.line+1, 1
		}
	}
}

func (j *jsonReader) flaw(at place, path, message string) {
	j.flaws = append(j.flaws, flaw{place: at, path: path, message: message})
}

func (j *jsonReader) value(depth int) *node {
	t, at := j.next()
	n := &node{kind: Scalar, line: at.line, column: at.column}
	switch t := t.(type) {
	case nil:
		n.kind = Null
	case bool:
		n.plain, n.text = true, map[bool]string{true: "true", false: "false"}[t]
	case json.Number:
		n.plain, n.text = true, t.String()
	case string:
		n.text = t
	case json.Delim:
		n.kind = Map
		if t == '[' {
			n.kind = Sequence
		}
		j.inside(n, depth+1)
	}
	return n
}

// inside reads a list's or object's content and its closing bracket. What is
// nested too deep is read, so that the rest is, and forgotten.
func (j *jsonReader) inside(n *node, depth int) {
	before := j.path
	if depth == maxDepth+1 {
		j.flaw(place{n.line, n.column}, "", nested)
	}
	below := func(rel string) {
		if depth <= maxDepth {
			j.path = join(before, rel)
		}
	}
	seen := map[string]int{}
	for i := 0; j.decoder.More(); i++ {
		if n.kind == Sequence {
			below(Index(i))
			n.items = append(n.items, j.value(depth))
			continue
		}
		t, at := j.next()
		name, _ := t.(string)
		below(Key(name))
		value := j.value(depth)
		if line, twice := seen[name]; twice {
			j.flaw(at, before, "the key "+shown(name)+" stands twice; the first is in line "+strconv.Itoa(line))
			continue
		}
		seen[name] = at.line
		n.members = append(n.members, member{name, at.line, at.column, value})
	}
	j.path = before
	j.next()
	if depth > maxDepth {
		n.items, n.members, n.broken = nil, nil, true
	}
}
