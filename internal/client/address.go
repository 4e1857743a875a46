package client

import (
	"net/netip"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// Problem is why a trusted proxy's header was not used; the words are for a
// counter and the log.
type Problem string

// The problems. The client's address is the peer's own then.
const (
	Missing    Problem = "missing"
	Repeated   Problem = "repeated"
	Unreadable Problem = "unreadable"
)

// Trust is whose word about the client counts. The zero Trust believes nobody.
// It is immutable.
type Trust struct{ entries []entry }

type entry struct {
	from    []netip.Prefix
	headers []string // the first that is present counts; more than one is an old habit
	hops    int
	// proxyProtocol says that connections begin with a PROXY header instead.
	proxyProtocol bool
}

// Seen is where a request comes from.
type Seen struct {
	// Client is the client's address, IPv4 ones never in their IPv6 form. It is
	// the zero Addr for the peer of a unix socket.
	Client netip.Addr
	// Scheme is what a trusted proxy says the client used: "https", "http", or ""
	// when it does not say so clearly. Without a trusted proxy it is "".
	Scheme string
	// ByProxy reports that the TCP peer is a trusted proxy.
	ByProxy bool
	// ByConnection reports that the proxy spoke at the start of the connection:
	// of the request it says nothing.
	ByConnection bool
	// Problem is why the proxy's header did not count; "" when it did.
	Problem Problem
}

// Resolve finds the client of a request that came from peer; peer is zero for a
// unix socket, whose peers are nobody's proxies. said is what its connection
// began with. Headers of peers that are not trusted are not looked at.
func (t *Trust) Resolve(peer netip.AddrPort, said Spoken, h request.Header) Seen {
	addr := peer.Addr().Unmap().WithZone("")
	s := Seen{Client: addr}
	e := t.proxy(addr)
	if e == nil {
		return s
	}
	if e.proxyProtocol || said.Here { // also after a reload that asks for a header
		return s.spoken(said)
	}
	s.ByProxy = true
	name, value, n := e.header(h)
	switch {
	case n == 0:
		s.Problem = Missing
	case n > 1:
		s.Problem = Repeated
	default:
		if found, ok := t.read(e, name, value); ok {
			s.Client = found
		} else {
			s.Problem = Unreadable
		}
	}
	s.Scheme = scheme(name, value, h)
	return s
}

// Trusted reports whether addr is one of the proxies.
func (t *Trust) Trusted(addr netip.Addr) bool {
	return t.proxy(addr.Unmap().WithZone("")) != nil
}

// Empty reports whether nobody is trusted.
func (t *Trust) Empty() bool { return t == nil || len(t.entries) == 0 }

// proxy is the first entry that names addr, or nil.
func (t *Trust) proxy(addr netip.Addr) *entry {
	if t == nil || !addr.IsValid() {
		return nil
	}
	for i := range t.entries {
		for _, p := range t.entries[i].from {
			if p.Contains(addr) {
				return &t.entries[i]
			}
		}
	}
	return nil
}

// header is the one that counts, its first value, and how often it stands.
func (e *entry) header(h request.Header) (name, value string, n int) {
	for _, name = range e.headers {
		for i := range h {
			if strings.EqualFold(h[i].Name, name) {
				if n == 0 {
					value = h[i].Value
				}
				n++
			}
		}
		if n > 0 {
			return name, value, n
		}
	}
	return name, "", 0
}

// read takes the client's address out of a header's value.
func (t *Trust) read(e *entry, name, value string) (netip.Addr, bool) {
	switch name {
	case "X-Forwarded-For":
		return t.fromRight(e, value, forwardedFor)
	case "Forwarded":
		return t.fromRight(e, value, forwardedElement)
	}
	return plainAddress(strings.TrimSpace(value))
}

// fromRight walks a list from its right end, where the nearest proxy wrote: to
// the place that hops says, or to the first address that is no trusted proxy
// (the left-most one if all are). What stands further left was written by
// strangers and is not even read.
func (t *Trust) fromRight(e *entry, list string, parse func(string) (netip.Addr, bool)) (netip.Addr, bool) {
	for place := 1; ; place++ {
		comma := lastComma(list)
		addr, ok := parse(strings.TrimSpace(list[comma+1:]))
		if e.hops > 0 {
			if place == e.hops {
				return addr, ok
			}
		} else if !ok || comma < 0 || t.proxy(addr) == nil {
			return addr, ok
		}
		if comma < 0 { // fewer places than hops
			return netip.Addr{}, false
		}
		list = list[:comma]
	}
}

// lastComma finds the last comma outside quotes, -1 if there is none. Quoted
// text is not looked for where there is none, since in X-Forwarded-For a quote
// has no meaning and no place.
func lastComma(s string) int {
	quoted := false
	for i := len(s) - 1; i >= 0; i-- {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return i
		}
	}
	return -1
}
