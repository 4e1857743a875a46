package client

import "net/netip"

// Spoken is what a PROXY header at the start of a connection said. It holds for
// every request on that connection. The zero Spoken is of a connection that
// began without one.
type Spoken struct {
	// Here reports that the connection began with a PROXY header.
	Here bool
	// Local reports that the proxy speaks for itself: its health check.
	Local bool
	// Client is whom the proxy speaks for; zero where it does not know.
	Client netip.Addr
	// Scheme is what the client used towards the proxy, "https" or "http", where
	// the header says so.
	Scheme string
}

// SpeaksProxy reports whether connections from addr must begin with a PROXY
// header. Nobody else's may.
func (t *Trust) SpeaksProxy(addr netip.Addr) bool {
	e := t.proxy(addr.Unmap().WithZone(""))
	return e != nil && e.proxyProtocol
}

// spoken is where a request on such a connection comes from. The proxy hands
// on bytes and reads none of them: header fields are the client's own words
// there, whatever they are called.
func (s Seen) spoken(said Spoken) Seen {
	s.ByProxy, s.ByConnection, s.Scheme = true, true, said.Scheme
	switch {
	case said.Client.IsValid():
		s.Client = said.Client.Unmap().WithZone("")
	case !said.Local:
		s.Problem = Missing
	}
	return s
}
