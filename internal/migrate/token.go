package migrate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Bounds of a dump.
const (
	maxDump    = 256 << 20 // bytes of the file
	maxLiteral = 1 << 20   // bytes of one name, text or blob
	maxColumns = 256       // of a table, or values of a row
	maxCalls   = 4         // calls within calls, as in replace(replace('…', …), …)
	maxRows    = 5_000_000
)

// tokenKind sorts what SQL text is made of.
type tokenKind uint8

const (
	end tokenKind = iota
	word
	quotedName // "x", `x`, [x]
	textLiteral
	blobLiteral
	number
	symbol // one character
)

// token is one piece of SQL text.
type token struct {
	kind tokenKind
	text string // of a word in upper case; of a name or literal what it stands for
	raw  string // of a word as written
	line int
}

// is reports whether the token is that keyword, or that symbol.
func (t token) is(s string) bool {
	return (t.kind == word || t.kind == symbol) && t.text == s
}

// name reports whether the token can name a table or column.
func (t token) name() (string, bool) {
	switch t.kind {
	case word:
		return t.raw, true
	case quotedName, textLiteral: // SQLite takes 'x' for a name where only one can stand
		return t.text, true
	}
	return "", false
}

// scanner takes SQL text apart by SQLite's rules (https://sqlite.org/lang_expr.html,
// lang_keywords.html). It reads forward only and never goes back further than
// one token.
type scanner struct {
	src  []byte
	at   int
	line int
	held *token
}

var errBroken = errors.New("the text breaks off")

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", s.line, fmt.Errorf(format, args...))
}

// next returns the next token; its kind is end at the end.
func (s *scanner) next() (token, error) {
	if t := s.held; t != nil {
		s.held = nil
		return *t, nil
	}
	if err := s.blanks(); err != nil {
		return token{}, err
	}
	t := token{line: s.line}
	if s.at >= len(s.src) {
		return t, nil
	}
	c := s.src[s.at]
	switch {
	case c == '\'':
		text, err := s.quoted('\'')
		t.kind, t.text = textLiteral, text
		return t, err
	case c == '"' || c == '`':
		text, err := s.quoted(c)
		t.kind, t.text = quotedName, text
		return t, err
	case c == '[':
		text, err := s.bracketed()
		t.kind, t.text = quotedName, text
		return t, err
	case (c == 'x' || c == 'X') && s.at+1 < len(s.src) && s.src[s.at+1] == '\'':
		s.at++
		text, err := s.quoted('\'')
		if err != nil {
			return t, err
		}
		raw, err := hex.DecodeString(text)
		if err != nil {
			return t, s.fail("a blob is not hexadecimal")
		}
		t.kind, t.text = blobLiteral, string(raw)
		return t, nil
	case digit(c) || c == '.' && s.at+1 < len(s.src) && digit(s.src[s.at+1]):
		t.kind, t.text = number, s.number()
		return t, nil
	case letter(c):
		from := s.at
		for s.at < len(s.src) && (letter(s.src[s.at]) || digit(s.src[s.at]) || s.src[s.at] == '$') {
			s.at++
		}
		if s.at-from > maxLiteral {
			return t, s.fail("a word is too long")
		}
		t.kind, t.raw = word, string(s.src[from:s.at])
		t.text = strings.ToUpper(t.raw)
		return t, nil
	}
	s.at++
	t.kind, t.text = symbol, string(rune(c))
	return t, nil
}

// back gives a token back; the next call of next returns it.
func (s *scanner) back(t token) { s.held = &t }

// blanks goes over white space and comments.
func (s *scanner) blanks() error {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == '\n':
			s.line++
			s.at++
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			s.at++
		case bytes.HasPrefix(s.src[s.at:], []byte("--")):
			n := bytes.IndexByte(s.src[s.at:], '\n')
			if n < 0 {
				n = len(s.src) - s.at
			}
			s.at += n
		case bytes.HasPrefix(s.src[s.at:], []byte("/*")):
			n := bytes.Index(s.src[s.at+2:], []byte("*/"))
			if n < 0 {
				return s.fail("a comment: %w", errBroken)
			}
			s.line += bytes.Count(s.src[s.at:s.at+n+4], []byte("\n"))
			s.at += n + 4
		default:
			return nil
		}
	}
	return nil
}

// quoted reads to the closing quote; a doubled one stands for itself.
func (s *scanner) quoted(q byte) (string, error) {
	var out []byte
	for s.at++; ; {
		n := bytes.IndexByte(s.src[s.at:], q)
		if n < 0 {
			return "", s.fail("a quoted text: %w", errBroken)
		}
		piece := s.src[s.at : s.at+n]
		s.line += bytes.Count(piece, []byte("\n"))
		out = append(out, piece...)
		if len(out) > maxLiteral {
			return "", s.fail("a text is longer than %d bytes", maxLiteral)
		}
		s.at += n + 1
		if s.at >= len(s.src) || s.src[s.at] != q {
			return string(out), nil
		}
		out = append(out, q)
		s.at++
	}
}

func (s *scanner) bracketed() (string, error) {
	n := bytes.IndexByte(s.src[s.at:], ']')
	if n < 0 || n > maxLiteral {
		return "", s.fail("a name in brackets: %w", errBroken)
	}
	name := string(s.src[s.at+1 : s.at+n])
	s.line += strings.Count(name, "\n")
	s.at += n + 1
	return name, nil
}

// number reads what begins like a number; value decides whether it is one.
func (s *scanner) number() string {
	from := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		exponent := (c == '+' || c == '-') && s.at > from && (s.src[s.at-1]|0x20) == 'e' && (s.src[from] != '0' || s.at < from+2 || s.src[from+1]|0x20 != 'x')
		if !digit(c) && !letter(c) && c != '.' && !exponent {
			break
		}
		s.at++
	}
	return string(s.src[from:s.at])
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func letter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
