package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// lenient refuses a path that some upstreams read as another one, when that
// other one is guarded by another route. A site may allow encoded slashes,
// semicolons and empty segments; a literal still never matches a segment that
// holds one, so that /admin;x=1 falls to a wider pattern, perhaps a public one,
// while a Java upstream serves it as /admin.
func (x *Exchange) lenient(rec *trace.Recorder) *fault.Error {
	if x.View.Path.Flags == 0 {
		return nil
	}
	path := readLeniently(x.View.Path)
	var params Params
	other := x.Site.Table.Find(path, &params)
	if other == nil || other == x.Entry || !guarded(other) {
		return nil
	}
	if ours := x.Entry.Routes[0].Pattern; !ours.takes(path.Segments) && !ours.leavesOpen(other.Routes[0].Pattern) {
		return nil
	}
	rec.Fail("path", "one reading", "a path that every reader takes for the same", "one that some take for "+path.String(), "the plain spelling of the path")
	return fault.New(fault.BadRequest, "ambiguous_path", "The request path can be read as another one")
}

// guarded reports whether some route of the entry asks for something.
func guarded(e *Entry) bool {
	for _, r := range e.Routes {
		if r.Requirement.Any() {
			return true
		}
	}
	return false
}

// readLeniently is the path as the most lenient upstream reads it: parameters
// behind a semicolon cut off, every kind of slash a slash, empty segments gone.
func readLeniently(p request.Path) request.Path {
	var out request.Path
	for i, s := range p.Segments {
		last := i == len(p.Segments)-1
		for part := range strings.FieldsFuncSeq(s.Value, func(r rune) bool { return r == '/' || r == '\\' }) {
			name, _, _ := strings.Cut(part, ";")
			text, ok := request.EscapeSegment(name)
			if name == "" || !ok {
				continue
			}
			out.Segments = append(out.Segments, request.Segment{Text: text, Value: name})
		}
		if last && (s.Value == "" || strings.HasSuffix(s.Value, "/") || strings.HasSuffix(s.Value, "\\")) {
			out.Segments = append(out.Segments, request.Segment{})
		}
	}
	if len(out.Segments) == 0 {
		out.Segments = []request.Segment{{}}
	}
	return out
}

// takes reports whether the pattern matches, literals compared without case.
func (p *Pattern) takes(segs []request.Segment) bool {
	for i, piece := range p.pieces {
		if piece.kind == rest {
			return len(segs) > i
		}
		if i >= len(segs) || piece.kind == literal && !strings.EqualFold(piece.value, segs[i].Value) || piece.kind == param && segs[i].Value == "" {
			return false
		}
	}
	return len(segs) == len(p.pieces)
}

// leavesOpen reports whether other names a segment that p does not: /a/:b leaves
// open what /a/secret/* names.
func (p *Pattern) leavesOpen(other *Pattern) bool {
	for i := range min(len(p.pieces), len(other.pieces)) {
		if p.pieces[i].kind != literal && other.pieces[i].kind == literal {
			return true
		}
	}
	return false
}
