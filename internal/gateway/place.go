package gateway

import (
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

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
	x.clientCert = a.ClientCert
	if f := s.host(x, a.Host, rec); f != nil {
		s.Greet(x, "", a.ServerName)
		return nil, f
	}
	if f := s.sameSite(x, a, rec); f != nil {
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

// CodeNewConnection is the code of a 421 that ends its connection.
const CodeNewConnection = "client_certificate"

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

// sameSite makes sure that a client whose certificate was asked for under one
// name does not use the connection for another site.
func (s *Snapshot) sameSite(x *Exchange, a Arrival, rec *trace.Recorder) *fault.Error {
	if !s.ClientCerts || !a.TLS {
		return nil
	}
	if s.RequireCert && !a.ClientCert {
		rec.Fail("host", "client certificate", "one, on every connection", "none: the connection is older than the setting", "a new connection")
		return fault.New(fault.Misdirected, CodeNewConnection, "A client certificate is needed: connect again")
	}
	name, _ := request.CanonicalHost(a.ServerName)
	if site, _ := s.Site(name); site == x.Site {
		return nil
	}
	rec.Fail("host", "TLS server name", "a name of the site that Host selects", "another site's, or none", "a connection of its own for each site")
	return fault.New(fault.Misdirected, "server_name", "The TLS server name and the Host select different sites")
}

func (x *Exchange) path(rec *trace.Recorder) *fault.Error {
	t := request.ParseTarget(x.View.Target, x.Site.Rules, x.segments[:0])
	x.View.Path, x.View.Query, x.View.HasQuery = t.Path, t.Query, t.HasQuery
	if p, bad := t.Refused(x.Site.Rules); bad {
		rec.Fail("path", "canonical path", "one spelling that every reader takes alike", string(p), "the plain spelling of the path"+allowedBy(p))
		if x.owned() { // an unknown path, in the owner's words
			return fault.New(fault.NotFound, "bad_path", "")
		}
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
	case request.HasSlash, request.HasNested:
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
	if x.Entry != nil && x.Site.reserved(x.View.Path) && !x.Entry.own() {
		x.Entry = nil // no pattern of the file reaches there, "/*" included
	}
	if x.Entry == nil {
		if x.Site.Empty {
			rec.Fail("route", "site", "a site for this host", "nothing stands at the default site", "a site whose hosts name "+x.View.Host)
			return nil, fault.New(fault.Misdirected, "no_site", "")
		}
		rec.Fail("route", "path", "a route", "no route's path matches", "a route whose path matches "+x.View.Path.String())
		return nil, fault.New(fault.NotFound, "no_route", "")
	}
	if f := x.lenient(rec); f != nil {
		return nil, f
	}
	cors := x.Site.CORS
	x.Route = x.Entry.Route(x.View.Method)
	if Preflight(&x.View) {
		if asked := x.Entry.Route(x.View.Header.Get("Access-Control-Request-Method")); asked != nil && asked.CORS != nil {
			cors = asked.CORS
		}
		if cors != nil {
			rec.Pass("route", "preflight", "", x.Entry.Text)
			x.preflight = cors
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
