package std

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

type (
	connKey   struct{}
	secureKey struct{} // of an HTTP/2 connection
)

// MaxHeadBytes is the most that Limits.HeadBytes may become while a server
// runs, unless it was more when the server was prepared.
const MaxHeadBytes = 1 << 20

// Prepare sets what http.Server must be set to behind Listen with the same
// options, or it answers requests by itself and Next falls out of step: no
// general OPTIONS handler, a head limit above ours, and the
// connection in the request's context. Leave ReadTimeout and
// ReadHeaderTimeout 0; IdleTimeout bounds the wait for a further request.
//
// HTTP/2 is spoken on TLS connections that negotiate it; what of its requests a
// handler may see, http2Head says.
func Prepare(s *http.Server, o ConnOptions) {
	s.DisableGeneralOptionsHandler = true
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 250, MaxReadFrameSize: 16 << 10, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second,
		WriteByteTimeout: max(o.BodyIdle, time.Second)}
	s.MaxHeaderBytes = max(o.Limits.HeadBytes, MaxHeadBytes) + bufferSize
	s.ReadTimeout, s.ReadHeaderTimeout = 0, 0
	s.ConnContext = ConnContext
}

// ConnContext is http.Server.ConnContext for connections of Listen: it lets
// ConnFrom find them.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	switch c := c.(type) {
	case *Conn:
		return context.WithValue(ctx, connKey{}, c)
	case *tls.Conn:
		return context.WithValue(ctx, secureKey{}, c)
	}
	return ctx
}

// ConnFrom returns the connection that a request's context belongs to, nil when
// it did not come by a prepared server: refuse such a request.
func ConnFrom(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}
