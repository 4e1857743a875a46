package proxy

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// conn is one connection to an upstream.
type conn struct {
	net.Conn
	probe  *probe // nil where the system has no way to look without reading
	born   time.Time
	idle   time.Time // since when, while pooled
	reused bool
}

func newConn(c net.Conn, raw net.Conn) *conn {
	n := &conn{Conn: c, born: time.Now()}
	if s, ok := raw.(syscall.Conn); ok {
		if rc, err := s.SyscallConn(); err == nil {
			n.probe = newProbe(rc)
		}
	}
	return n
}

// quiet reports whether an idle connection is open and has said nothing: one
// that was closed is of no use, and one that speaks unasked would have its
// words taken for the answer to the next request.
func (c *conn) quiet() bool { return c.probe == nil || c.probe.quiet() }

// tlsConfig is for an https upstream: system roots unless roots are given,
// HTTP/1.1 alone.
func tlsConfig(o Deps, host string) *tls.Config {
	return &tls.Config{
		ServerName:         host,
		RootCAs:            o.Roots,
		NextProtos:         []string{"http/1.1"},
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(16),
	}
}
