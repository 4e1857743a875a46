package gateway

import (
	"time"

	"github.com/portreeve/portreeve/internal/assertion"
	"github.com/portreeve/portreeve/internal/fault"
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
	// OwnCookies are cookie names that an upstream must not set.
	OwnCookies []string
	DropCORS   bool // Portreeve answers for CORS; the upstream's own fields go
	// Websocket asks the upstream to become a WebSocket: the engine sets it where
	// the checked head is a handshake.
	Websocket bool
	// TakesTrailers passes on that the client reads trailers (TE).
	TakesTrailers bool
	// Trailer reports whether a request trailer goes on; nil: none does.
	Trailer func(name string) bool
	// Begun, if set, is called once, when the answer's head goes to the client.
	// endless says that the answer has no end of its own: events, or gRPC.
	Begun func(endless bool)
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
		Host: v.Host, MaxBody: to.MaxBody, OwnCookies: to.OwnCookies, DropCORS: x.cors() != nil,
		Private: !x.Route.SharedCache && x.guarded() || x.renews() || x.ended, TakesTrailers: takesTrailers(v.Header), Trailer: x.trailerRule(to),
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
	if x.preflight != nil {
		return x.preflight
	}
	if x.Route != nil && x.Route.CORS != nil {
		return x.Route.CORS
	}
	if x.Site != nil {
		return x.Site.CORS
	}
	return nil
}
