package std

import (
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/wire"
)

// ConnOptions bound what a client may do before anything else looks at its
// requests. A zero duration or count is no bound.
type ConnOptions struct {
	Limits wire.Limits
	// TLS, if set, is how connections are secured; the handshake counts towards
	// HeadTimeout.
	TLS *tls.Config
	// Proxied, if set, reports whether a peer's connections must begin with a
	// PROXY header. It is asked at each new connection; others must not have one.
	Proxied func(netip.Addr) bool
	// Unproxied, if set, hears of each such connection that began otherwise and
	// was closed. It must not block.
	Unproxied   func(peer netip.Addr, why error)
	HeadTimeout time.Duration // for a whole head; the first one's starts with the connection
	BodyIdle    time.Duration // between two reads of a body that bring something, and two writes of an answer
	PerIP       int           // open connections per IPv4 address or IPv6 /64
	// Exempt reports whether PerIP does not hold for the peer (loopback,
	// trusted proxies), nor for whom it speaks in a PROXY header. It is asked at
	// each new connection; nil exempts nobody.
	Exempt func(netip.Addr) bool
	// Excess, if set, hears of each connection that PerIP turned away. It must
	// not block.
	Excess func(netip.Addr)
}

// Listen wraps a listener so that every connection it accepts is a *Conn. One
// that is too many for its address is closed without an answer.
func Listen(l net.Listener, o ConnOptions) net.Listener {
	return ListenWith(l, &Places{}, func() *ConnOptions { return &o })
}

// ListenWith is Listen with places that several listeners share, and with
// options that are asked for at each connection, which keeps them to its end.
func ListenWith(l net.Listener, places *Places, options func() *ConnOptions) net.Listener {
	return newPump(&listener{Listener: l, places: places, options: options})
}

type listener struct {
	net.Listener
	places  *Places
	options func() *ConnOptions
}

// admit accepts the next connection that has a place.
func (l *listener) admit() (nc net.Conn, o *ConnOptions, free func(), err error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, nil, nil, err
		}
		o, peer := l.options(), peerOf(nc)
		free, ok := l.places.take(peer.Addr(), o.PerIP, o.Exempt)
		if ok {
			return nc, o, free, nil
		}
		_ = nc.Close()
		if o.Excess != nil {
			o.Excess(peer.Addr())
		}
	}
}

// peerOf is the TCP peer's address; zero when there is none.
func peerOf(c net.Conn) netip.AddrPort {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
