package gateway

import (
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// Arrival is what an engine knows of a request whose head passed the check.
type Arrival struct {
	ID       string // ours
	Method   string
	Target   string
	Host     string // the one Host field, or :authority
	Header   request.Header
	HasBody  bool
	Peer     netip.AddrPort
	Unix     bool // came over a unix socket
	TLS      bool // came by TLS
	Received time.Time
}

// Exchange is one request on its way through the gate: the steps fill it in
// their order, and nothing in it outlives the request.
type Exchange struct {
	View   request.View
	Snap   *Snapshot
	Site   *Site
	Entry  *Entry
	Route  *Route
	Params Params
	Found  identity.Result
	Stand  policy.Standing
	Limits LimitReport

	// Repaired are the problems that strictness: report passed over.
	Repaired []request.Problem
	// AddressProblem says why a trusted proxy's word about the client did not count.
	AddressProblem client.Problem
	// ByProxy reports whether a trusted proxy spoke for the client.
	ByProxy bool

	settled  []park.Settled // what this request's jobs came to
	segments [24]request.Segment
}

// VerdictKind is what a decision came to. The zero value refuses.
type VerdictKind uint8

// The verdicts.
const (
	Refuse VerdictKind = iota
	Allow
	Park
)

// Verdict is a decision.
type Verdict struct {
	Kind  VerdictKind
	Fault *fault.Error // of Refuse
	Job   *park.Job    // of Park
	Reply *request.Reply
}

func refuse(f *fault.Error) Verdict {
	if f == nil {
		f = fault.New(fault.Internal, "no_reason", "")
	}
	return Verdict{Kind: Refuse, Fault: f}
}

// Place works out the host, the site, the canonical path and the route: what is
// asked for, before who asks. It is pure. A nil fault means the exchange has a
// route, or a preflight to answer, which then is in reply.
func (s *Snapshot) Place(x *Exchange, a Arrival, rec *trace.Recorder) (reply *request.Reply, f *fault.Error) {
	x.Snap = s
	x.View = request.View{
		ID: a.ID, Method: a.Method, Target: a.Target, Header: a.Header, Scheme: "http",
		Peer: a.Peer, Received: a.Received, HasBody: a.HasBody,
	}
	s.address(x, a)
	if f := s.host(x, a.Host, rec); f != nil {
		return nil, f
	}
	if f := x.path(rec); f != nil {
		return nil, f
	}
	if s.RequireHTTPS && x.plain(a) {
		return x.toHTTPS(rec)
	}
	return x.match(rec)
}

// plain reports whether the request is known to have come by plain HTTP: a
// trusted proxy says so, or its peer is a stranger on a listener without TLS.
func (x *Exchange) plain(a Arrival) bool {
	if x.ByProxy {
		return x.View.Scheme == "http"
	}
	return !a.TLS && !a.Unix && !a.Peer.Addr().Unmap().IsLoopback()
}

// toHTTPS sends a plain GET or HEAD to the same URL by HTTPS and refuses the
// rest, whose credential has then already crossed the network in the clear.
func (x *Exchange) toHTTPS(rec *trace.Recorder) (*request.Reply, *fault.Error) {
	v := &x.View
	rec.Fail("head", "https", "HTTPS", "plain HTTP", "the same request by https")
	if v.Method != "GET" && v.Method != "HEAD" {
		return nil, fault.New(fault.HTTPSRequired, "https_required", "")
	}
	to := "https://" + v.Host + v.Path.String()
	if v.HasQuery {
		to += "?" + v.Query
	}
	return &request.Reply{Status: 308, Header: request.Header{{Name: "Location", Value: to}}}, nil
}

// address settles the client's address, scheme and request id. What forwarded
// headers say counts only from a listed peer.
func (s *Snapshot) address(x *Exchange, a Arrival) {
	v := &x.View
	if a.TLS {
		v.Scheme = "https"
	}
	seen := s.Trusted.Resolve(a.Peer, a.Header)
	v.Client, x.ByProxy, x.AddressProblem = seen.Client, seen.ByProxy, seen.Problem
	if seen.Scheme != "" {
		v.Scheme = seen.Scheme
	}
	if x.ByProxy && a.Header.Count("X-Request-Id") == 1 {
		if id := a.Header.Get("X-Request-Id"); plainID(id) {
			v.ID = id
		}
	}
}

// plainID reports whether a proxy's request id may stand in logs and headers.
func plainID(id string) bool {
	for i := 0; i < len(id); i++ {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

func (s *Snapshot) host(x *Exchange, raw string, rec *trace.Recorder) *fault.Error {
	host, ok := request.CanonicalHost(raw)
	if !ok {
		rec.Fail("host", "Host", "a host name or address", "something else", "a Host field such as api.example.com")
		return fault.New(fault.BadRequest, "bad_host", "The Host header is not a host")
	}
	x.View.Host = host
	site, named := s.Site(host)
	x.Site = site
	if rec.On() {
		if named {
			rec.Pass("host", "site", host, site.Name)
		} else {
			rec.Pass("host", "site", host, "no site names it; the default site answers")
		}
	}
	return nil
}

func (x *Exchange) path(rec *trace.Recorder) *fault.Error {
	t := request.ParseTarget(x.View.Target, x.Site.Rules, x.segments[:0])
	x.View.Path, x.View.Query, x.View.HasQuery = t.Path, t.Query, t.HasQuery
	if p, bad := t.Refused(x.Site.Rules); bad {
		rec.Fail("path", "canonical path", "one spelling that every reader takes alike", string(p), "the plain spelling of the path"+allowedBy(p))
		return fault.New(fault.BadRequest, "bad_path", "The request path is not acceptable: "+string(p))
	}
	x.Repaired = t.Problems
	if rec.On() {
		rec.Pass("path", "canonical path", "", t.Path.String())
	}
	return nil
}

func allowedBy(p request.Problem) string {
	switch p {
	case request.HasSlash:
		return ", or encodedSlash: allow on the site"
	case request.HasSemicolon:
		return ", or semicolon: allow on the site"
	case request.HasEmpty:
		return ", or emptySegments: keep on the site"
	case request.DotSegment:
		return ", or dotSegments: resolve on the site"
	}
	return ""
}

func (x *Exchange) match(rec *trace.Recorder) (*request.Reply, *fault.Error) {
	x.Entry = x.Site.Table.Find(x.View.Path, &x.Params)
	if x.Entry == nil {
		if x.Site.Empty {
			rec.Fail("route", "site", "a site for this host", "nothing stands at the default site", "a site whose hosts name "+x.View.Host)
			return nil, fault.New(fault.Misdirected, "no_site", "")
		}
		rec.Fail("route", "path", "a route", "no route's path matches", "a route whose path matches "+x.View.Path.String())
		return nil, fault.New(fault.NotFound, "no_route", "")
	}
	cors := x.Site.CORS
	x.Route = x.Entry.Route(x.View.Method)
	if Preflight(&x.View) {
		if asked := x.Entry.Route(x.View.Header.Get("Access-Control-Request-Method")); asked != nil && asked.CORS != nil {
			cors = asked.CORS
		}
		if cors != nil {
			rec.Pass("route", "preflight", "", x.Entry.Text)
			reply := cors.Answer(&x.View, x.Entry.Allow())
			return &reply, nil
		}
	}
	if x.Route == nil {
		if rec.On() {
			rec.Fail("method", "method", "one of "+join(x.Entry.Allow()), x.View.Method, "one of the methods of "+x.Entry.Text)
		}
		f := fault.New(fault.MethodNotAllowed, "method_not_allowed", "")
		f.Allow = x.Entry.Allow()
		return nil, f
	}
	x.Params.names = x.Route.Pattern.names // routes of one pattern may call its parameters differently
	if rec.On() {
		rec.Pass("route", "path and method", x.View.Method+" "+x.View.Path.String(), x.Route.Where())
	}
	return nil, nil
}

func join(list []string) string {
	s := ""
	for i, m := range list {
		if i > 0 {
			s += ", "
		}
		s += m
	}
	return s
}
