package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Bounds of a pool. An idle connection costs a descriptor and no buffer.
const (
	maxIdle = 512
	// idleLife is how long a connection waits for its next request.
	idleLife = 60 * time.Second
	// connLife is how long a connection to a name is used, so that the name is
	// resolved again while traffic never stops.
	connLife = 2 * time.Minute
)

// pool keeps the idle connections of one upstream, the last used on top, so
// that the spare ones grow old and go.
type pool struct {
	network string      // "tcp" or "unix"
	address string      // host:port, or a socket's path
	literal bool        // an address, no name
	tls     *tls.Config // nil: plain
	tls2    *tls.Config // offers HTTP/2; nil where that is not spoken, or without TLS
	own     func(netip.AddrPort) bool
	ownSock func(string) bool
	dialer  dialFunc // nil: the system's

	mu     sync.Mutex
	idle   []*conn
	timer  *time.Timer
	closed bool
}

// take returns an idle connection that is still usable, or nil.
func (p *pool) take() *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if now := time.Now(); now.Sub(c.idle) < idleLife && p.young(c, now) && c.quiet() {
			c.reused = true
			return c
		}
		_ = c.Close()
	}
}

func (p *pool) young(c *conn, now time.Time) bool {
	return p.literal || now.Sub(c.born) < connLife
}

// put gives a connection back after a whole exchange.
func (p *pool) put(c *conn) {
	now := time.Now()
	c.idle = now
	p.mu.Lock()
	if p.closed || len(p.idle) >= maxIdle || !p.young(c, now) {
		p.mu.Unlock()
		_ = c.Close()
		return
	}
	p.idle = append(p.idle, c)
	if p.timer == nil {
		p.timer = time.AfterFunc(idleLife, p.sweep)
	}
	p.mu.Unlock()
}

// sweep closes what has been idle too long; it runs only while anything is.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := time.Now().Add(-idleLife)
	kept := p.idle[:0]
	for _, c := range p.idle {
		if c.idle.After(limit) {
			kept = append(kept, c)
		} else {
			_ = c.Close()
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	if len(kept) == 0 || p.closed {
		p.timer = nil
		return
	}
	p.timer.Reset(idleLife / 4)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	for _, c := range p.idle {
		_ = c.Close()
	}
	p.idle = nil
}

// dialFunc is net.Dialer's DialContext.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dial opens a new connection within limit, TLS included; a name is resolved
// anew each time.
func (p *pool) dial(ctx context.Context, limit time.Duration) (*conn, error) {
	return p.dialAs(ctx, limit, p.tls)
}

// dialAs is dial with other TLS settings.
func (p *pool) dialAs(ctx context.Context, limit time.Duration, secure *tls.Config) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dial := p.dialer
	if dial == nil {
		dial = (&net.Dialer{ControlContext: p.control}).DialContext
	}
	raw, err := dial(ctx, p.network, p.address)
	if err != nil {
		return nil, err
	}
	if secure == nil {
		return newConn(raw, raw), nil
	}
	t := tls.Client(raw, secure)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("TLS to the upstream: %w", err)
	}
	return newConn(t, raw), nil
}

// control sees each address that a name led to, before the connection.
func (p *pool) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network == "unix" {
		if p.ownSock != nil && p.ownSock(address) {
			return errOwnListener
		}
		return nil
	}
	if p.own == nil {
		return nil
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("upstream address: %w", err)
	}
	if p.own(netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())) {
		return errOwnListener
	}
	return nil
}
