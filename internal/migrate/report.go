package migrate

import (
	"cmp"
	"fmt"
	"slices"
)

// Line is one thing that was taken, or left, and why.
type Line struct {
	What  string `json:"what"`            // a table, a key: "api_tokens", "routes[3].workflow"
	Where string `json:"where,omitempty"` // "line 12"
	Count int    `json:"count,omitempty"` // of rows; 0: not counted
	Why   string `json:"why,omitempty"`
}

// String is the line for people.
func (l Line) String() string {
	s := l.What
	if l.Count > 0 {
		s = fmt.Sprintf("%d %s", l.Count, s)
	}
	if l.Where != "" {
		s += " (" + l.Where + ")"
	}
	if l.Why != "" {
		s += ": " + l.Why
	}
	return s
}

// Report is what an import came to.
type Report struct {
	Took []Line `json:"took"`
	Left []Line `json:"left"`
	// Changed reports whether anything was written, or with DryRun would be.
	Changed bool `json:"changed"`
	DryRun  bool `json:"dryRun"`
}

func (r *Report) took(what string, count int, why string) {
	r.Took = append(r.Took, Line{What: oneLine(what), Count: count, Why: oneLine(why)})
}

func (r *Report) left(what, where, why string) {
	r.Left = append(r.Left, Line{What: oneLine(what), Where: oneLine(where), Why: oneLine(why)})
}

// maxLeft bounds how many single rows a report lists; what is beyond stands in
// one line with its number.
const maxLeft = 200

// finish puts the report in its final form.
func (r *Report) finish() *Report {
	if r.Took == nil {
		r.Took = []Line{}
	}
	if r.Left == nil {
		r.Left = []Line{}
	}
	if more := len(r.Left) - maxLeft; more > 0 {
		r.Left = append(r.Left[:maxLeft], Line{What: "more", Count: more, Why: "left too; the first of them are above"})
	}
	return r
}

func where(line int) string { return fmt.Sprintf("line %d", line) }

// byCount turns counts into lines, in the order of their names.
func byCount(counts map[string]int, why func(string) string) []Line {
	var out []Line
	for what, n := range counts {
		out = append(out, Line{What: clip(oneLine(what)), Count: n, Why: why(what)})
	}
	slices.SortFunc(out, func(a, b Line) int { return cmp.Compare(a.What, b.What) })
	return out
}
