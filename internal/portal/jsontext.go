package portal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// notJSON says where a text stops being JSON; "" where it is.
func notJSON(text string) string {
	if strings.TrimSpace(text) == "" {
		return "is needed: JSON, like {}"
	}
	var any json.RawMessage
	err := json.Unmarshal([]byte(text), &any)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &syntax):
		before := text[:min(max(0, int(syntax.Offset)-1), len(text))]
		line := strings.Count(before, "\n") + 1
		column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
		return fmt.Sprintf("is no JSON from line %d, character %d on: %s", line, column, syntax.Error())
	}
	return "is no JSON"
}

const (
	deepest = 40      // that JSON is indented to
	longest = 900_000 // of a form, which writes some characters as three
)

// legible is JSON with its lines broken, unless that would be too much for a form.
func legible(raw json.RawMessage) string {
	var b bytes.Buffer
	raw = unescaped(raw)
	if deep(raw) || json.Indent(&b, raw, "", "  ") != nil || len(url.QueryEscape(b.String())) > longest {
		return string(raw)
	}
	return b.String()
}

// unescaped is JSON with <, > and & written as such. Operations write them as \u003c
// and so on, which means the same and is harder to read.
func unescaped(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		if i+6 <= len(raw) {
			if at := strings.Index(`\u003c<\u003e>\u0026&`, string(raw[i:i+6])); at%7 == 0 {
				out = append(out, "<>&"[at/7])
				i += 5
				continue
			}
		}
		out = append(out, raw[i], raw[i+1])
		i++
	}
	return out
}

// deep reports whether JSON is nested so much that indenting it would make a
// multiple of it.
func deep(raw []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > deepest {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
