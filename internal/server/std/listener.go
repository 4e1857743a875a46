package std

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/wire"
)

// ConnOptions bound what a client may do before anything else looks at its
// requests. A zero duration or count is no bound.
type ConnOptions struct {
	Limits      wire.Limits
	HeadTimeout time.Duration // for a whole head; the first one's starts with the connection
	BodyIdle    time.Duration // between two reads of a body that bring something
	PerIP       int           // open connections per IPv4 address or IPv6 /64
	// Exempt reports whether PerIP does not hold for the peer (loopback,
	// trusted proxies). It is asked at each new connection; nil exempts nobody.
	Exempt func(netip.Addr) bool
	// Excess, if set, hears of each connection that PerIP turned away. It must
	// not block.
	Excess func(netip.Addr)
}

// Listen wraps a listener so that every connection it accepts is a *Conn. One
// that is too many for its address is closed without an answer.
func Listen(l net.Listener, o ConnOptions) net.Listener {
	return &listener{Listener: l, o: o, open: map[netip.Addr]int{}}
}

type listener struct {
	net.Listener
	o    ConnOptions
	mu   sync.Mutex
	open map[netip.Addr]int
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(nc)
		free, ok := l.admit(peer.Addr())
		if ok {
			return &Conn{Conn: nc, o: &l.o, peer: peer, free: free}, nil
		}
		_ = nc.Close()
		if l.o.Excess != nil {
			l.o.Excess(peer.Addr())
		}
	}
}

// admit takes a place for a connection from the address; free gives it back.
func (l *listener) admit(a netip.Addr) (free func(), ok bool) {
	if l.o.PerIP <= 0 || !a.IsValid() || l.o.Exempt != nil && l.o.Exempt(a) {
		return func() {}, true
	}
	key := a
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			key = p.Addr()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key] >= l.o.PerIP {
		return nil, false
	}
	l.open[key]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[key]--; l.open[key] == 0 {
			delete(l.open, key)
		}
	}, true
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
