package std

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// The work before anybody is known is bounded: PROXY headers and TLS handshakes
// at one time, of all and of one address. A connection beyond them is closed.
// Those of one address are few, so that whoever begins handshakes and never
// ends them shuts out nobody else.
const (
	maxGreetings      = 4096
	maxGreetingsPerIP = 64
	// greetingNets of the IPv6 /64s of one /48 may have that many each.
	greetingNets = 16
)

// pump accepts connections, takes a place for each, and hands over those that
// are ready: plain ones at once, others after their PROXY header and their TLS
// handshake, which no other connection waits for.
type pump struct {
	*listener
	ready     chan net.Conn
	failed    chan error
	closed    chan struct{}
	begin     sync.Once
	end       sync.Once
	greetings chan struct{} // its capacity is maxGreetings
	greeting  Places        // those under way, by address
	nets      Places        // the same by IPv6 /48
}

func newPump(l *listener) *pump {
	return &pump{listener: l, ready: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{}),
		greetings: make(chan struct{}, maxGreetings)}
}

// Accept returns the next connection: a *Conn, or the *tls.Conn of one that
// speaks HTTP/2.
func (p *pump) Accept() (net.Conn, error) {
	p.begin.Do(func() { go p.run() })
	select {
	case c := <-p.ready:
		return c, nil
	case err := <-p.failed:
		return nil, err
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting.
func (p *pump) Close() error {
	p.end.Do(func() { close(p.closed) })
	return p.Listener.Close()
}

func (p *pump) run() {
	for {
		nc, o, free, err := p.admit()
		if err != nil {
			select {
			case p.failed <- err: // and wait until somebody asks again
			case <-p.closed:
				return
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		peer := peerOf(nc)
		_, unix := nc.RemoteAddr().(*net.UnixAddr) // a socket file has its own lock
		proxied := !unix && o.Proxied != nil && o.Proxied(peer.Addr())
		if unix || o.TLS == nil && !proxied {
			p.hand(&Conn{Conn: nc, o: o, peer: peer, free: free})
			continue
		}
		g := &greeting{pump: p, conn: &placed{Conn: nc, o: o, free: []func(){free}}, o: o, peer: peer, proxied: proxied}
		if !g.take() {
			_ = g.conn.Close()
			continue
		}
		go g.run()
	}
}

// greeting is what comes before the first request of one connection.
type greeting struct {
	pump    *pump
	conn    *placed
	o       *ConnOptions
	peer    netip.AddrPort
	proxied bool
	done    []func()
}

// take takes one of the places for what goes on at one time.
func (g *greeting) take() bool {
	select {
	case g.pump.greetings <- struct{}{}:
		g.done = append(g.done, func() { <-g.pump.greetings })
	default:
		return false
	}
	if g.proxied { // the proxy's are many; whom it speaks for is counted once known
		return true
	}
	return g.takeFor(g.peer.Addr())
}

func (g *greeting) takeFor(a netip.Addr) bool {
	free, ok := g.pump.greeting.take(a, maxGreetingsPerIP, g.o.Exempt)
	if ok {
		g.done = append(g.done, free)
		if net, err := a.WithZone("").Prefix(48); a.Is6() && err == nil && (g.o.Exempt == nil || !g.o.Exempt(a)) {
			if free, ok = g.pump.nets.take(net.Addr(), greetingNets*maxGreetingsPerIP, nil); ok {
				g.done = append(g.done, free)
			}
		}
	}
	if !ok {
		g.end()
	}
	return ok
}

func (g *greeting) end() {
	for _, done := range g.done {
		done()
	}
	g.done = nil
}

// run does it all within the time for a head, and hands the connection over.
func (g *greeting) run() {
	limit := g.o.HeadTimeout
	if limit <= 0 {
		limit = 10 * time.Second
	}
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(limit))
	defer cancel()
	c, err := g.greet(ctx)
	g.end()
	if err != nil {
		_ = g.conn.Close()
		return
	}
	g.pump.hand(c)
}

func (g *greeting) greet(ctx context.Context) (net.Conn, error) {
	if g.proxied {
		if err := g.readSpoken(ctx); err != nil {
			return nil, err
		}
	}
	one := &Conn{Conn: g.conn, o: g.o, peer: g.peer, free: func() {}} // placed gives the place back
	if g.o.TLS == nil {
		return one, nil
	}
	c := tls.Server(g.conn, g.o.TLS)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	switch c.ConnectionState().NegotiatedProtocol {
	case "h2":
		return c, nil
	case acmeProtocol: // the handshake was all that the authority wanted
		return nil, errDone
	}
	one.Conn = c
	if by, ok := ctx.Deadline(); ok && g.o.HeadTimeout > 0 {
		one.clock.head = by // of the connection, not of what follows the handshake
	}
	return one, nil
}

// acmeProtocol is what a certificate authority asks for when it checks who
// answers at a name (RFC 8737).
const acmeProtocol = "acme-tls/1"

var errDone = errors.New("nothing follows")

// hand gives a connection to Accept, or closes it where nobody accepts any
// more.
func (p *pump) hand(c net.Conn) {
	select {
	case p.ready <- c:
	case <-p.closed:
		_ = c.Close()
	}
}
