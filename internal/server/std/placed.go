package std

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/portreeve/portreeve/internal/client"
)

// placed is a connection below TLS. It gives its places back when it closes,
// and knows the PROXY header that it began with.
type placed struct {
	net.Conn
	o      *ConnOptions
	free   []func()
	spoken client.Spoken
	ahead  *bufio.Reader // what was read behind the PROXY header; nil when that is gone
	once   sync.Once
}

// Read hands out what was read ahead, and then what comes.
func (c *placed) Read(p []byte) (int, error) {
	if c.ahead != nil {
		if n := c.ahead.Buffered(); n > 0 {
			return c.ahead.Read(p[:min(len(p), n)])
		}
		c.ahead = nil
	}
	return c.Conn.Read(p)
}

// ReadFrom lets the kernel move bytes where it can.
func (c *placed) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// Close closes the connection.
func (c *placed) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		for _, free := range c.free {
			free()
		}
	})
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

// spokenOn is the PROXY header that a connection of Listen, or what lies below
// its TLS, began with.
func spokenOn(c net.Conn) client.Spoken {
	if s, ok := c.(*tls.Conn); ok {
		c = s.NetConn()
	}
	if p, ok := c.(*placed); ok {
		return p.spoken
	}
	return client.Spoken{}
}
