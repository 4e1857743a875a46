package gateway

import (
	"slices"
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

// checkPath makes a changed path canonical again, under the base, and makes sure
// that it is none that another route of the site guards at the same upstream:
// the requirements that were met are those of this route alone.
func (x *Exchange) checkPath(to *Forwarding, path string) (string, *fault.Error) {
	t := request.ParseTarget(path, x.Site.Rules, nil)
	if _, bad := t.Refused(x.Site.Rules); bad || t.HasQuery {
		return "", fault.New(fault.BadRequest, "rewrite", "The request's values make no acceptable upstream path")
	}
	out := to.Base + t.Path.String()
	for i := range x.Site.ways {
		if w := &x.Site.ways[i]; sameServer(w.server, to.Server) && x.guardedElsewhere(w, out) {
			return "", fault.New(fault.Forbidden, "rewrite_other_route", "The rewritten path belongs to another route")
		}
	}
	return out, nil
}

// way is how paths of a site become paths of a server: one for all routes
// that share base and stripPrefix. It can be walked backwards.
type way struct {
	server, base string
	strip        string // "/a/b", or ""
}

func wayOf(to *Forwarding) way {
	w := way{server: to.Server, base: to.Base}
	for _, s := range to.StripPrefix {
		text, _ := request.EscapeSegment(s)
		w.strip += "/" + text
	}
	return w
}

// guardedElsewhere reports whether an upstream's path is reached along w by
// another pattern, whose route asks something of callers or does not take the
// method at all.
func (x *Exchange) guardedElsewhere(w *way, out string) bool {
	rest, under := strings.CutPrefix(out, w.base)
	if !under || !strings.HasPrefix(rest, "/") {
		return false
	}
	t := request.ParseTarget(w.strip+rest, x.Site.Rules, nil)
	if _, bad := t.Refused(x.Site.Rules); bad {
		return false // no request gets there
	}
	var params Params
	e := x.Site.Table.Find(t.Path, &params)
	if e == nil || e == x.Entry {
		return false
	}
	if r := e.Route(x.View.Method); r != nil {
		return r.goes(w) && r.Requirement.Any()
	}
	return slices.ContainsFunc(e.Routes, func(r *Route) bool { return r.goes(w) })
}

func (r *Route) goes(w *way) bool {
	to, ok := r.Answer.(*Forwarding)
	return ok && to.Rewrite == nil && wayOf(to) == *w
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
