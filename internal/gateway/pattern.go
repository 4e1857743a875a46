package gateway

import (
	"errors"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// Pattern is a route's path as written: literal segments, ":name" for one
// non-empty segment, and "*" as the last one for the rest.
type Pattern struct {
	Text   string // as written
	pieces []piece
	names  []string // of the parameters, in order; "*" for the rest
}

type pieceKind uint8

const (
	literal pieceKind = iota
	param
	rest
)

type piece struct {
	kind  pieceKind
	value string // of a literal, decoded
	text  string // of a literal, in its canonical spelling
}

// PatternSegment is one segment of a pattern: a literal in its canonical
// spelling, or the name of the parameter that takes it. The last parameter of a
// pattern that ends in "*" is called "*" and takes the rest of the path.
type PatternSegment struct{ Literal, Param string }

// Segments lists the pattern's segments.
func (p *Pattern) Segments() []PatternSegment {
	var out []PatternSegment
	names := p.names
	for _, piece := range p.pieces {
		if piece.kind == literal {
			out = append(out, PatternSegment{Literal: piece.text})
			continue
		}
		out, names = append(out, PatternSegment{Param: names[0]}), names[1:]
	}
	return out
}

// maxParams bounds a pattern's parameters, so that a match needs no allocation.
const maxParams = 12

// ParsePattern reads a path pattern. The error says what would be right.
func ParsePattern(text string) (*Pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, errors.New(`a path begins with "/"`)
	}
	if strings.ContainsAny(text, "?#") {
		return nil, errors.New("a path holds no query and no fragment; query strings never take part in matching")
	}
	p := &Pattern{Text: text}
	segs := strings.Split(text[1:], "/")
	for i, s := range segs {
		last := i == len(segs)-1
		switch {
		case s == "*":
			if !last {
				return nil, errors.New(`"*" stands only as the last segment and takes the rest`)
			}
			p.pieces = append(p.pieces, piece{kind: rest})
			p.names = append(p.names, "*")
		case strings.HasPrefix(s, ":"):
			if err := p.addParam(s[1:]); err != nil {
				return nil, err
			}
		case foreignParam(s):
			// As a literal it would match nothing, and what it was to guard would
			// go to a wider route.
			return nil, fmt.Errorf("%q: a parameter is written :name", s)
		case strings.Contains(s, "*"):
			return nil, fmt.Errorf("%q: a \"*\" stands alone in the last segment", s)
		case s == "" && !last:
			return nil, errors.New("an empty segment can never match")
		default:
			seg, err := literalSegment(s)
			if err != nil {
				return nil, err
			}
			p.pieces = append(p.pieces, piece{kind: literal, value: seg.Value, text: seg.Text})
		}
	}
	if len(p.names) > maxParams {
		return nil, fmt.Errorf("more than %d parameters", maxParams)
	}
	return p, nil
}

// foreignParam reports whether a segment is a parameter in the spelling of other
// routers: {id}, <id>, [id], {id:int}.
func foreignParam(s string) bool {
	if len(s) < 2 {
		return false
	}
	ends := s[:1] + s[len(s)-1:]
	return ends == "{}" || ends == "<>" || ends == "[]"
}

func (p *Pattern) addParam(name string) error {
	if !identifier(name) {
		return fmt.Errorf("parameter %q: a name is letters, digits and _", ":"+name)
	}
	for _, n := range p.names {
		if n == name {
			return fmt.Errorf("parameter %q stands twice", ":"+name)
		}
	}
	p.pieces = append(p.pieces, piece{kind: param})
	p.names = append(p.names, name)
	return nil
}

func identifier(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// literalSegment canonicalises a literal segment as a request's is, so that both
// are compared in one form. A literal that no request could match is an error.
func literalSegment(s string) (request.Segment, error) {
	var raw strings.Builder
	for i := 0; i < len(s); i++ { // UTF-8 may be written as it is in the file
		if c := s[i]; c >= 0x80 || c == ' ' {
			fmt.Fprintf(&raw, "%%%02X", c)
		} else {
			raw.WriteByte(c)
		}
	}
	t := request.ParseTarget("/"+raw.String(), request.PathRules{}, nil)
	if p, bad := t.Refused(request.PathRules{}); bad {
		return request.Segment{}, fmt.Errorf("%q can never match: %s", s, p)
	}
	return t.Path.Segments[0], nil
}

// Params are the values a match gave to a pattern's parameters, decoded once.
type Params struct {
	names  []string
	values [maxParams]string
	n      int
}

// Get returns the value of a parameter.
func (p *Params) Get(name string) (string, bool) {
	for i := 0; i < p.n; i++ {
		if p.names[i] == name {
			return p.values[i], true
		}
	}
	return "", false
}

// Each calls f for every parameter in order.
func (p *Params) Each(f func(name, value string)) {
	for i := 0; i < p.n; i++ {
		f(p.names[i], p.values[i])
	}
}
