package std

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// maxHandshakes bounds TLS handshakes at one time: a connection beyond them is
// closed, since the work before anybody is known is bounded.
const maxHandshakes = 512

// pump accepts connections, takes a place for each, and hands over those that
// are ready: plain ones at once, TLS ones after their handshake, which no other
// connection waits for.
type pump struct {
	*listener
	ready     chan net.Conn
	failed    chan error
	closed    chan struct{}
	begin     sync.Once
	end       sync.Once
	shakeHand chan struct{} // its capacity is maxHandshakes
}

func newPump(l *listener) *pump {
	return &pump{listener: l, ready: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{}),
		shakeHand: make(chan struct{}, maxHandshakes)}
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
		if _, unix := nc.RemoteAddr().(*net.UnixAddr); o.TLS == nil || unix { // a socket file has its own lock
			p.hand(&Conn{Conn: nc, o: o, peer: peerOf(nc), free: free})
			continue
		}
		select {
		case p.shakeHand <- struct{}{}:
			go p.shake(&placed{Conn: nc, free: free}, o)
		default:
			_ = nc.Close()
			free()
		}
	}
}

// shake does the TLS handshake of one connection within the time for a head.
func (p *pump) shake(nc *placed, o *ConnOptions) {
	defer func() { <-p.shakeHand }()
	limit := o.HeadTimeout
	if limit <= 0 {
		limit = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := tls.Server(nc, o.TLS)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return
	}
	if c.ConnectionState().NegotiatedProtocol == "h2" {
		p.hand(c)
		return
	}
	p.hand(&Conn{Conn: c, o: o, peer: peerOf(nc), free: func() {}}) // nc gives the place back
}

// hand gives a connection to Accept, or closes it where nobody accepts any
// more.
func (p *pump) hand(c net.Conn) {
	select {
	case p.ready <- c:
	case <-p.closed:
		_ = c.Close()
	}
}

// placed gives a connection's place back when it closes.
type placed struct {
	net.Conn
	free func()
	once sync.Once
}

// Close closes the connection.
func (c *placed) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}

// CloseWrite ends our direction alone.
func (c *placed) CloseWrite() error {
	if w, ok := c.Conn.(writeCloser); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetLinger is the TCP connection's.
func (c *placed) SetLinger(sec int) error {
	if t, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return t.SetLinger(sec)
	}
	return errors.ErrUnsupported
}
