package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one complaint about a file. It never holds a value that is secret
// or came from outside.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1; 0 where the file has no such place
	Column  int    `json:"column"` // as Line
	Path    string `json:"path"`   // "routes[3].pth"; empty for the file as a whole
	Message string `json:"message"`
	Nearest string `json:"nearest,omitempty"` // the right key that was probably meant, or empty
	Warning bool   `json:"warning"`           // the file still loads
}

// String is the one-line form:
//
//	portreeve.yaml:12:5: routes[3].pth: unknown key; did you mean "path"?
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Nearest != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Nearest)
	}
	return b.String()
}

// Error makes a Problem usable as an error; the text is String's.
func (p Problem) Error() string { return p.String() }

// sortProblems orders by place in the file, errors before warnings, and drops
// exact repetitions.
func sortProblems(list []Problem) []Problem {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(out)
}
