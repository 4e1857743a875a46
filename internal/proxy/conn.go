package proxy

import (
	"net"
	"syscall"
	"time"
)

// conn is one connection to an upstream.
type conn struct {
	net.Conn
	probe  *probe // nil where the system has no way to look without reading
	sealed bool   // TLS: what came may lie in its buffers, where probe sees nothing
	born   time.Time
	idle   time.Time // since when, while pooled
	reused bool
}

func newConn(c net.Conn, raw net.Conn) *conn {
	n := &conn{Conn: c, born: time.Now(), sealed: c != raw}
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
func (c *conn) quiet() bool {
	if c.sealed && !c.emptied() {
		return false
	}
	return c.probe == nil || c.probe.quiet()
}

// emptied reports whether TLS holds nothing that was read together with the
// last answer. A deadline in the past keeps it from reading more, and leaves
// the connection usable.
func (c *conn) emptied() bool {
	var b [1]byte
	if c.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	n, err := c.Read(b[:])
	return n == 0 && timedOut(err)
}
