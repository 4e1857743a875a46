package gateway

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/assertion"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// Forward is a request as an upstream is to get it: the whole head, ready made.
// Whoever sends it adds nothing but the framing of the body.
type Forward struct {
	Upstream string
	Method   string
	Path     string // canonical, begins with exactly one slash
	Query    string // byte for byte
	HasQuery bool
	Host     string
	Header   request.Header
	MaxBody  int64 // bytes; 0 means no bound
	Private  bool  // the answer gets Cache-Control: private unless the upstream says otherwise
	DropCORS bool  // Portreeve answers for CORS; the upstream's own fields go
}

// Forward builds the outgoing head of an allowed exchange. The path is the one
// that was matched; a rewritten one is made canonical again, stays under the
// base, and must still select the same route.
func (x *Exchange) Forward(to *Forwarding, keys *assertion.Keys, now time.Time) (*Forward, *fault.Error) {
	path, f := x.outgoingPath(to, now)
	if f != nil {
		return nil, f
	}
	v := &x.View
	out := &Forward{
		Upstream: to.Upstream, Method: v.Method, Path: path, Query: v.Query, HasQuery: v.HasQuery,
		Host: v.Host, MaxBody: to.MaxBody, DropCORS: x.cors() != nil,
		Private: !x.Route.SharedCache && x.Route.Requirement.Any(),
	}
	if h := v.Header.Get("Host"); h != "" {
		out.Host = h
	}
	h := make(request.Header, 0, len(v.Header)+12)
	h = to.Strip.Apply(h, v.Header, to.Remove)
	h = x.forwarded(h)
	if h, f = x.identityHeaders(h, to); f != nil {
		return nil, f
	}
	if h, f = x.setHeaders(h, out, to, now); f != nil {
		return nil, f
	}
	out.Header = h
	if to.Assertion && x.Stand.Who.Authenticated() {
		signed, err := keys.Sign(x.assertion(out, to.Audience), now)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, "assertion", "", err)
		}
		out.Header = append(out.Header, request.Field{Name: "X-Portreeve-Assertion", Value: signed})
	}
	return out, nil
}

// assertion is what Portreeve states about a forwarded request.
func (x *Exchange) assertion(f *Forward, audience string) assertion.Facts {
	p := x.Stand.Who
	facts := assertion.Facts{
		Issuer: x.View.Origin(), Audience: audience, Subject: p.ID(), Tenant: x.Stand.Tenant, Roles: x.Stand.Roles(),
		Provider: p.Provider, Method: f.Method, Host: f.Host, Path: f.Path, Query: f.Query, HasQuery: f.HasQuery,
	}
	if p.EmailVerified {
		facts.Email = p.Email
	}
	return facts
}

func (x *Exchange) cors() *CORS {
	if x.Route != nil && x.Route.CORS != nil {
		return x.Route.CORS
	}
	if x.Site != nil {
		return x.Site.CORS
	}
	return nil
}

// forwarded rebuilds the fields about the client that strip took away.
func (x *Exchange) forwarded(h request.Header) request.Header {
	v := &x.View
	if v.Client.IsValid() {
		ip := v.Client.String()
		h = append(h, request.Field{Name: "X-Forwarded-For", Value: ip}, request.Field{Name: "X-Real-IP", Value: ip})
	}
	return append(h,
		request.Field{Name: "X-Forwarded-Proto", Value: v.Scheme},
		request.Field{Name: "X-Forwarded-Host", Value: v.Header.Get("Host")},
		request.Field{Name: "X-Request-Id", Value: v.ID})
}

// identityHeaders says who called. They depend on the verified principal alone.
func (x *Exchange) identityHeaders(h request.Header, to *Forwarding) (request.Header, *fault.Error) {
	p := x.Stand.Who
	if !p.Authenticated() {
		return h, nil
	}
	email := ""
	if p.EmailVerified {
		email = p.Email
	}
	for _, f := range [...]request.Field{
		{Name: "X-Portreeve-Subject", Value: p.ID()},
		{Name: "X-Portreeve-Email", Value: email},
		{Name: "X-Portreeve-Tenant", Value: x.Stand.Tenant},
		{Name: "X-Portreeve-Roles", Value: strings.Join(x.Stand.Roles(), ",")},
		{Name: "X-Portreeve-Provider", Value: p.Provider},
		{Name: "Cf-Access-Authenticated-User-Email", Value: accessEmail(to, p)},
	} {
		if f.Value == "" {
			continue
		}
		if !exact(f.Value) {
			return nil, fault.New(fault.Forbidden, "identity_not_representable",
				"The caller's identity holds characters that no header can carry")
		}
		h = append(h, f)
	}
	return h, nil
}

func accessEmail(to *Forwarding, p *principal.Principal) string {
	if to.AccessHeaders && p.EmailVerified {
		return p.Email
	}
	return ""
}

// exact reports whether every reader of a header field gets the very value: no
// controls, no blanks at its ends (they are trimmed: "alice " would become
// "alice"), valid UTF-8.
func exact(s string) bool {
	if strings.TrimSpace(s) != s || !utf8.ValidString(s) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7F {
			return false
		}
	}
	return true
}

// setHeaders applies upstream.headers.set: each replaces whatever stands under
// its name, in any spelling.
func (x *Exchange) setHeaders(h request.Header, out *Forward, to *Forwarding, now time.Time) (request.Header, *fault.Error) {
	for i := range to.Set {
		set := &to.Set[i]
		e := &env{x: x, now: now, verifiedOnly: true}
		value, ok := set.Value.HeaderText(e)
		if !ok {
			return nil, fault.New(fault.Forbidden, "header_value", "A header of this route has no value that a header can carry")
		}
		if strings.EqualFold(set.Name, "Host") {
			if host, ok := request.CanonicalHost(value); !ok || host == "" {
				return nil, fault.New(fault.Forbidden, "header_value", "A header of this route has no value for this request")
			}
			out.Host = value
			continue
		}
		kept := h[:0]
		for _, f := range h {
			if request.Fold(f.Name) != request.Fold(set.Name) {
				kept = append(kept, f)
			}
		}
		h = kept
		if set.Value.Absent(e) { // nothing is sent, and nothing of the client's either
			continue
		}
		h = append(h, request.Field{Name: set.Name, Value: value})
	}
	return h, nil
}

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
