package gateway

import (
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// outgoingPath is the base, then the matched path less stripPrefix, or the
// rewritten one.
func (x *Exchange) outgoingPath(to *Forwarding, now time.Time) (string, *fault.Error) {
	v := &x.View
	switch {
	case to.Rewrite != nil:
		text, ok := to.Rewrite.String(&env{x: x, now: now, verifiedOnly: true})
		if !ok {
			return "", fault.New(fault.BadRequest, "rewrite", "The request has no value for this route's upstream path")
		}
		return x.checkPath(to, text)
	case len(to.StripPrefix) > 0:
		segs := v.Path.Segments
		if !hasPrefix(segs, to.StripPrefix, x.Site.Table.fold) {
			return "", fault.New(fault.NotFound, "strip_prefix", "")
		}
		segs = segs[len(to.StripPrefix):]
		if len(segs) == 0 {
			segs = []request.Segment{{}}
		}
		return x.checkPath(to, request.Path{Segments: segs}.String())
	default:
		return to.Base + v.Path.String(), nil
	}
}

// checkPath makes sure that a changed path is one that the site would accept,
// and that it does not reach what another route of the site guards at the same
// upstream.
func (x *Exchange) checkPath(to *Forwarding, path string) (string, *fault.Error) {
	t := request.ParseTarget(path, x.Site.Rules, nil)
	if _, bad := t.Refused(x.Site.Rules); bad || t.HasQuery {
		return "", fault.New(fault.BadRequest, "rewrite", "The request's values make no acceptable upstream path")
	}
	var params Params
	if e := x.Site.Table.Find(t.Path, &params); e != nil && e != x.Entry {
		for _, r := range e.Routes {
			if other, ok := r.Answer.(*Forwarding); ok && other.Upstream == to.Upstream {
				return "", fault.New(fault.Forbidden, "rewrite_other_route",
					"The rewritten path belongs to another route")
			}
		}
	}
	return to.Base + t.Path.String(), nil
}

func hasPrefix(segs []request.Segment, prefix []string, fold bool) bool {
	if len(segs) < len(prefix) {
		return false
	}
	for i, p := range prefix {
		if segs[i].Flags != 0 || segs[i].Value != p && !(fold && strings.EqualFold(segs[i].Value, p)) {
			return false
		}
	}
	return true
}
