package gateway

import (
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// plain reports whether the request is known to have come by plain HTTP: a
// trusted proxy says so, or its peer is a stranger on a listener without TLS.
func (x *Exchange) plain(a Arrival) bool {
	if x.ByProxy { // one that says nothing about it makes nothing known
		return x.proxySaid == "http"
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
	seen := s.Trusted.Resolve(a.Peer, a.Spoken, a.Header)
	v.Client, x.ByProxy, x.AddressProblem = seen.Client, seen.ByProxy, seen.Problem
	v.ClientUnsure = seen.Problem == client.Repeated || seen.Problem == client.Unreadable
	if seen.ByConnection && a.TLS { // ended here, whatever the proxy in between saw
		seen.Scheme = ""
	}
	if x.proxySaid = seen.Scheme; seen.Scheme != "" {
		v.Scheme = seen.Scheme
	}
	if x.ByProxy && !seen.ByConnection && a.Header.Count("X-Request-Id") == 1 {
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
