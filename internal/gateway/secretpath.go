package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// ShownPath is the path as logs and records may hold it: the canonical one, ""
// where the request got none, and the pattern instead of whatever begins like the
// path of an operation with a secret there. What only resembles such a path counts
// too, whether or not a route was found: a link with a slash too many, or one that
// is sent on to https, is good still.
func (x *Exchange) ShownPath() string {
	if len(x.View.Path.Segments) == 0 {
		return ""
	}
	if x.Site != nil {
		for _, p := range x.Site.secretPaths {
			if p.begins(x.View.Path.Segments) {
				return p.Text
			}
		}
	}
	return x.View.Path.String()
}

// begins reports whether a path has all the segments before the pattern's first
// parameter, and more.
func (p *Pattern) begins(segs []request.Segment) bool {
	for i, piece := range p.pieces {
		switch {
		case i >= len(segs):
			return false
		case piece.kind != literal:
			return segs[i].Value != ""
		case !strings.EqualFold(piece.value, segs[i].Value):
			return false
		}
	}
	return false
}

// shown takes a path that is not to be shown out of the steps.
func (x *Exchange) shown(steps []trace.Step) []trace.Step {
	path, instead := x.View.Path.String(), x.ShownPath()
	if instead == path || instead == "" {
		return steps
	}
	r := strings.NewReplacer(path, instead, readLeniently(x.View.Path).String(), instead)
	for i := range steps {
		s := &steps[i]
		s.Wanted, s.Found, s.Enough = r.Replace(s.Wanted), r.Replace(s.Found), r.Replace(s.Enough)
	}
	return steps
}
