package links

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/config"
)

// Level sorts findings.
type Level string

// The levels. Wrong keeps links from opening the app; a note does not, but is
// better known.
const (
	Fine  Level = "fine"
	Note  Level = "note"
	Wrong Level = "wrong"
)

// Finding is one thing to know about a file: what it is, and what to do.
type Finding struct {
	Level Level  `json:"level"`
	Where string `json:"where,omitempty"` // applinks.details[0].appIDs[1]
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"`
}

// FileReport is what was found of one file.
type FileReport struct {
	Vendor   string    `json:"vendor"` // "Apple", "Google"
	File     string    `json:"file"`   // its URL, or its name
	Findings []Finding `json:"findings"`
}

// OK reports whether nothing is wrong.
func (r *FileReport) OK() bool {
	for _, f := range r.Findings {
		if f.Level == Wrong {
			return false
		}
	}
	return true
}

// maxFindings bounds a report: whoever has mended the first hundred asks again.
const maxFindings = 100

func (r *FileReport) add(l Level, where, fix, format string, args ...any) {
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, Finding{Level: l, Where: where, Text: fmt.Sprintf(format, args...), Fix: fix})
	}
}

// shownValue is a value of a file, fit to be printed.
func shownValue(s string) string {
	if utf8.RuneCountInString(s) > 80 {
		s = string([]rune(s)[:80]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// parse reads the file as JSON; false after it has said why that cannot be.
func (r *FileReport) parse(raw []byte, into any) bool {
	const again = "put the file through a JSON parser before it is deployed; a comma too many is enough for the whole file not to count"
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		r.add(Wrong, "", "put the JSON into it", "the file is empty")
		return false
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		r.add(Wrong, "", "save the file as UTF-8 without a byte order mark", "the file begins with a byte order mark, which is no JSON")
		return false
	case bytes.HasPrefix(raw, []byte("0\x82")), bytes.HasPrefix(raw, []byte("-----BEGIN PKCS7")):
		r.add(Wrong, "", "publish the JSON itself: iOS 9 and later want no signature", "the file is signed, as iOS 8 wanted it")
		return false
	case bytes.HasPrefix(bytes.TrimSpace(raw), []byte("<")):
		r.add(Wrong, "", "serve the file itself; a single-page application often answers every path with its start page", "the file is HTML, not JSON")
		return false
	case !utf8.Valid(raw):
		r.add(Wrong, "", "save the file as UTF-8", "the file is not UTF-8")
		return false
	}
	err := json.Unmarshal(raw, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return true
	case errors.As(err, &syntax):
		before := raw[:min(int(syntax.Offset), len(raw))]
		r.add(Wrong, "", again, "line %d, column %d: the file is no JSON", 1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n')-1)
	case errors.As(err, &kind):
		r.add(Wrong, "", "", "the file is %s where %s is expected", withArticle(kind.Value), goKind(into))
	default:
		r.add(Wrong, "", again, "the file is no JSON")
	}
	return false
}

func withArticle(s string) string {
	if s, _, _ = strings.Cut(s, " "); s == "array" || s == "object" {
		return "an " + s
	}
	return "a " + s
}

func goKind(v any) string {
	if _, ok := v.(*[]json.RawMessage); ok {
		return "an array"
	}
	return "an object"
}

// read reads a part of a file; false after it has said what would be right.
func read[T any](r *FileReport, raw json.RawMessage, where, must string, into *T) bool {
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, into) != nil {
		r.add(Wrong, where, "", "must be %s", must)
		return false
	}
	return true
}

// strangers notes members that nobody reads, which a misspelt one is.
func (r *FileReport) strangers(where string, members map[string]json.RawMessage, known ...string) {
	for _, name := range sortedNames(members) {
		if contains(known, name) {
			continue
		}
		fix := ""
		if near := config.Nearest(name, known); near != "" {
			fix = "did you mean " + near + "?"
		}
		r.add(Note, at(where, name), fix, "is a key that nobody reads")
	}
}

func at(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}
