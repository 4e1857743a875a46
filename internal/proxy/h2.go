package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Protocol is what an upstream is spoken to in.
type Protocol uint8

// The protocols. A WebSocket goes by HTTP/1.1 whatever is set.
const (
	HTTP1 Protocol = iota
	HTTP2          // where TLS negotiates it (RFC 9113 section 3.2), else HTTP/1.1
	H2C            // HTTP/2 without TLS and without asking (section 3.3)
)

// Bounds of HTTP/2 to an upstream.
const (
	// streamBuffer is what one answer may have under way and unread. All of a
	// connection together may have a gigabyte (net/http's default, on purpose not
	// changed), so that clients that do not read stop nobody but themselves.
	streamBuffer = 256 << 10
	pingAfter    = 30 * time.Second // of silence
	pingWait     = 15 * time.Second
	// plainFor is how long an upstream that negotiated HTTP/1.1 is not asked again.
	plainFor = 2 * time.Minute
)

// multiplex keeps the HTTP/2 connections of one upstream. net/http speaks the
// protocol; it never gets a connection that negotiated anything else, since
// HTTP/1.1 is read by our own strict reader alone.
type multiplex struct {
	u      *Upstream
	t      *http.Transport
	plain  atomic.Int64 // until when the upstream speaks HTTP/1.1, in Unix nanoseconds
	closed atomic.Bool
}

var errPlain = errors.New("the upstream negotiated HTTP/1.1")

// dialError is a connection that did not come about.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// newMultiplex makes one for an upstream that may speak HTTP/2, else nil.
func newMultiplex(u *Upstream) *multiplex {
	secure := u.set.Scheme == "https"
	if u.set.Protocol == HTTP1 || secure != (u.set.Protocol == HTTP2) {
		return nil
	}
	m := &multiplex{u: u}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return m.dial(ctx) }
	m.t = &http.Transport{
		Protocols: new(http.Protocols), DisableCompression: true, MaxResponseHeaderBytes: maxHeadBytes, IdleConnTimeout: idleLife,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: streamBuffer,
			SendPingTimeout: pingAfter, PingTimeout: pingWait, WriteByteTimeout: u.set.IdleTimeout},
	}
	if secure {
		m.t.Protocols.SetHTTP2(true)
		m.t.DialTLSContext = dial
		u.pool.tls2 = u.pool.tls.Clone()
		u.pool.tls2.NextProtos = []string{"h2", "http/1.1"}
	} else {
		m.t.Protocols.SetUnencryptedHTTP2(true)
		m.t.DialContext = dial
	}
	return m
}

// speaks reports whether HTTP/2 is to be tried.
func (m *multiplex) speaks() bool { return m != nil && time.Now().UnixNano() >= m.plain.Load() }

// dial opens a connection that speaks HTTP/2. One that negotiates HTTP/1.1
// waits for the requests that then go by it.
func (m *multiplex) dial(ctx context.Context) (net.Conn, error) {
	c, err := m.u.pool.dialAs(ctx, m.u.set.ConnectTimeout, m.u.pool.tls2)
	if err != nil {
		return nil, &dialError{err}
	}
	if s, ok := c.Conn.(secured); ok && s.ConnectionState().NegotiatedProtocol != "h2" {
		m.plain.Store(time.Now().Add(plainFor).UnixNano())
		m.u.pool.put(c)
		return nil, &dialError{errPlain}
	}
	return c.Conn, nil
}

func (m *multiplex) close() {
	if m != nil {
		m.closed.Store(true)
		m.t.CloseIdleConnections()
	}
}

// settle is called after an exchange: a closed upstream keeps no connections.
func (m *multiplex) settle() {
	if m.closed.Load() {
		m.t.CloseIdleConnections()
	}
}

// check asks for the health of an upstream. ok is false where it speaks
// HTTP/1.1.
func (m *multiplex) check(ctx context.Context, r *http.Request) (ok bool, err error) {
	res, err := m.t.RoundTrip(r.WithContext(ctx))
	switch {
	case errors.Is(err, errPlain):
		return false, nil
	case err != nil && ctx.Err() != nil:
		return true, errCheckTime
	case err != nil:
		return true, err
	}
	_ = res.Body.Close()
	m.settle()
	if res.StatusCode >= 400 {
		return true, fmt.Errorf("the check was answered %d", res.StatusCode)
	}
	return true, nil
}
