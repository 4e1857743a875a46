package std

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/portreeve/portreeve/internal/wire"
)

// idleError is the type of ErrBodyIdle: a timeout to whoever asks.
type idleError struct{}

func (idleError) Error() string   { return "the request body stopped arriving" }
func (idleError) Timeout() bool   { return true }
func (idleError) Temporary() bool { return false }

// ErrBodyIdle is what reading a body returns when nothing of it came for
// ConnOptions.BodyIdle.
var ErrBodyIdle net.Error = idleError{}

// readBody hands body bytes through and counts them. A body of known length
// that is not buffered goes straight into net/http's buffer.
func (c *Conn) readBody(p []byte) (int, error) {
	if left := c.body.Known(); left > 0 && len(c.in) == 0 {
		n, err := c.pull(p[:min(int64(len(p)), left)], forBody)
		if n > 0 {
			n, _ = c.body.Take(p[:n])
			c.bodyDone()
			return n, nil
		}
		return 0, c.bodyError(err)
	}
	if len(c.in) == 0 {
		return 0, c.bodyError(c.fill(forBody))
	}
	n, err := c.body.Take(c.in[:min(len(p), len(c.in))])
	copy(p, c.in[:n])
	c.take(n)
	if err != nil {
		c.broke(asRefusal(err))
		if n > 0 {
			return n, nil // the next Read returns the refusal
		}
		return 0, c.err
	}
	c.bodyDone()
	return n, nil
}

// bodyDone goes on to the next head once the body has ended.
func (c *Conn) bodyDone() {
	if !c.body.Done() {
		return
	}
	c.phase = atHead
	c.awaited.Store(false)
	if c.close {
		c.phase = ended
		c.dropped = len(c.in)
		c.in, c.buf = nil, nil
	}
}

func (c *Conn) bodyError(err error) error {
	if errors.Is(err, errLate) {
		c.broke(ErrBodyIdle)
		return c.err
	}
	return err
}

// broke ends a body early. Nothing behind it is ever taken for a head.
func (c *Conn) broke(why error) {
	c.linger.Store(true)
	c.mu.Lock()
	c.fault = why
	c.mu.Unlock()
	_ = c.fail(why)
}

func (c *Conn) readRaw(p []byte) (int, error) {
	if len(c.in) > 0 {
		n := copy(p, c.in)
		c.take(n)
		return n, nil
	}
	c.buf = nil
	return c.pull(p, forNothing)
}

// drop waits for the client to go away, and throws away what it still sends.
func (c *Conn) drop() error {
	var waste [512]byte
	n, err := c.pull(waste[:], forNothing)
	if c.dropped += n; c.dropped > maxDropped {
		return c.fail(io.EOF)
	}
	return err
}

// fill appends to what is there. Only a head makes the buffer grow, and never
// above its limit: find refuses it then.
func (c *Conn) fill(why purpose) error {
	if len(c.in) == 0 {
		if cap(c.buf) != bufferSize {
			c.buf = make([]byte, bufferSize)
		}
		c.in = c.buf[:0]
	}
	if len(c.in) == cap(c.in) {
		grown := make([]byte, len(c.in), max(bufferSize, 2*len(c.in)))
		copy(grown, c.in)
		c.in, c.buf = grown, grown
	}
	n, err := c.pull(c.in[len(c.in):cap(c.in)], why)
	c.in = c.in[:len(c.in)+n]
	return err
}

func (c *Conn) take(n int) { c.in = c.in[n:] }

// pull reads from the client under the deadlines of its purpose. It returns
// bytes or an error, never both; errLate when our own deadline passed.
func (c *Conn) pull(p []byte, why purpose) (int, error) {
	c.clock.start(c.Conn, c.own(why), why == forHead && len(c.in) > 0)
	n, err := c.Conn.Read(p)
	if n > 0 {
		return n, nil
	}
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() && c.clock.late() {
		return 0, errLate
	}
	return 0, err
}

// delivered is what net/http gets to read of an accepted head: mostly the
// buffer itself, which is not written to before ready is read out.
func delivered(h *wire.Head, b []byte) []byte {
	if !h.Websocket && !strings.Contains(h.Target, "%") {
		return b
	}
	start := len(h.Method) + 1
	out := make([]byte, 0, len(b)+len(closeField))
	out = append(out, b[:start]...)
	out = append(out, mended(h.Target)...)
	out = append(out, b[start+len(h.Target):]...)
	if h.Websocket {
		out = append(out[:len(out)-2], closeField...)
	}
	return out
}

const closeField = "Connection: close\r\n\r\n"

// mended writes '_' for percent signs of the path that begin no escape.
func mended(target string) string {
	path, _, _ := strings.Cut(target, "?")
	b := []byte(target)
	for i := range path {
		if path[i] == '%' && !(i+2 < len(path) && hex(path[i+1]) && hex(path[i+2])) {
			b[i] = '_'
		}
	}
	return string(b)
}

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
