package gateway

import (
	"regexp"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// ShownPath is the path as logs and records may hold it: the canonical one, ""
// where the request got none, and the pattern instead of whatever begins like the
// path of an operation with a secret there; what looks like a credential is masked.
// What only resembles such a path counts
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
	return masked(x.View.Path.String())
}

// credentials are what keys, machine tokens and JWTs look like, with what may be
// shown of each in the first group: people paste them into addresses, and there
// they are good still.
var credentials = regexp.MustCompile(`\b(prk_(?:prod|test|dev)_[0-9A-Za-z]{12}_|tok_|eyJ)[0-9A-Za-z_.-]{16,}`)

func masked(path string) string {
	if !strings.Contains(path, "prk_") && !strings.Contains(path, "tok_") && !strings.Contains(path, "eyJ") {
		return path
	}
	return credentials.ReplaceAllString(path, "$1…")
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
