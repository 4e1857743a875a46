package std

import (
	"crypto/tls"
	"errors"
	"io"
	"time"
)

// lingerFor is how long a refused client's bytes are still read, so that the
// reset which unread bytes cause does not overtake the answer (RFC 9112
// section 9.6).
const lingerFor = time.Second

type writeCloser interface{ CloseWrite() error }

// CloseWrite ends our direction alone. net/http looks for it.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(writeCloser); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// ReadFrom lets the kernel move bytes where it can (net.TCPConn.ReadFrom).
func (c *Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// Reset makes Close end the connection by a reset. An HTTP/1.0 client takes the
// end of the connection for the end of the body: after a plain one it would
// believe, and a cache in front of us keep, an answer that broke off.
func (c *Conn) Reset() {
	under := c.Conn
	if s, ok := under.(*tls.Conn); ok {
		under = s.NetConn()
	}
	if t, ok := under.(interface{ SetLinger(sec int) error }); ok && t.SetLinger(0) == nil {
		c.linger.Store(false)
	}
}

// Close closes the connection and gives its place back. After a refusal that
// happens in the background, once the client had time to read the answer.
func (c *Conn) Close() error {
	err := error(nil)
	c.once.Do(func() {
		w, ok := c.Conn.(writeCloser)
		if !ok || !c.linger.Load() || w.CloseWrite() != nil {
			err = c.Conn.Close()
			c.free()
			return
		}
		go func() {
			defer c.free()
			defer c.Conn.Close()
			_ = c.Conn.SetReadDeadline(time.Now().Add(lingerFor))
			_, _ = io.CopyN(io.Discard, c.Conn, maxDropped)
		}()
	})
	return err
}
