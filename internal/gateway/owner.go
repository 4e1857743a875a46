package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// Owner makes a site one surface's alone: only its SurfaceRoutes stand there, no
// /health, no /.portreeve/…, no route of the file. Its callers were written for
// the service that it takes the place of, so every fault on the site is told in
// its shape, whether the request found a route or not.
type Owner struct {
	Surface string
	Shape   Shape
	// ExactMethods says that HEAD is not answered by a GET route.
	ExactMethods bool
	// EncodedSlash says that %2F and what goes with it may stand in a path. Nothing
	// else that has two readings may, and nothing is repaired or folded: such a path
	// is an unknown one (code bad_path, 404).
	EncodedSlash bool
	// Headers, where set, are fields of every answer on the site, of faults too, in
	// place of what cors says.
	Headers func(*request.View) request.Header
}

// rules are those of the owner's paths, whatever the file says about its own.
func (o *Owner) rules() (rules request.PathRules) {
	if o.EncodedSlash {
		rules.Allow = request.EncodedSlash | request.Nested
	}
	return rules
}

// own turns the input of a site into that of the owner's: what would add to it,
// or soften its paths, does not hold there.
func (in *SiteInput) own() {
	in.Rules, in.FoldCase = in.Owner.rules(), false
	if in.Owner.Headers != nil {
		in.CORS = nil
	}
	in.Routes, in.Upstream, in.Pages, in.Keys, in.SignIn, in.RequireMFA = nil, nil, nil, nil, "", nil
}

// owned reports whether the exchange's site is one surface's alone.
func (x *Exchange) owned() bool { return x.Site != nil && x.Site.Owner != nil }

// Greet says whose a request is that is refused before it is placed, because of
// its head or because there is no room: the site that its host names, else the
// one of the TLS server name, else the only one that there is. Where none of
// these tells, the answer has the flat shape.
func (s *Snapshot) Greet(x *Exchange, host, serverName string) {
	for _, name := range [...]string{host, serverName} {
		if name, ok := request.CanonicalHost(name); ok {
			site, _ := s.Site(name)
			x.greeted = site.Owner
			return
		}
	}
	if len(s.named) == 0 {
		x.greeted = s.standard.Owner
	}
}

// owner is in whose shape faults are told; nil: nobody owns the site, or it is
// not known.
func (x *Exchange) owner() *Owner {
	if x.Site != nil {
		return x.Site.Owner
	}
	return x.greeted
}

// ownersFault is a fault in the shape of the site's owner. Whoever asks about a
// refusal has its id in every shape.
func ownersFault(o *Owner, f *fault.Error, requestID, decision string) request.Reply {
	reply := o.Shape(f, requestID, decision)
	if decision != "" && !reply.Header.Has("X-Portreeve-Decision") {
		reply.Header = append(reply.Header, request.Field{Name: "X-Portreeve-Decision", Value: decision})
	}
	return reply
}

// methodOf is a surface's method: "any" takes every one but TRACE and CONNECT.
func methodOf(s string) string {
	if strings.EqualFold(s, "any") {
		return AnyMethod
	}
	return strings.ToUpper(s)
}
