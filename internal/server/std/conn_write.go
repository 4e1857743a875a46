package std

import (
	"errors"
	"net"
	"sync"
	"time"
)

// rearm is the part of BodyIdle by which a write's deadline may be late, so
// that not every answer sets one.
const rearm = 16

// writes bounds how long a client may take nothing of an answer: whoever asks
// and never reads would hold its request's place for ever. Where net/http or a
// handler has set a deadline, that one counts alone.
type writes struct {
	mu    sync.Mutex
	outer bool
	armed time.Time
}

// arm sets our deadline, unless a recent one stands.
func (w *writes) arm(c net.Conn, idle time.Duration, again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outer {
		return
	}
	if now := time.Now(); again || now.Sub(w.armed) > idle/rearm {
		w.armed = now
		_ = c.SetWriteDeadline(now.Add(idle + idle/rearm))
	}
}

// ours reports whether no deadline but ours stands.
func (w *writes) ours() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.outer
}

// Write sends an answer's bytes. It fails when none of them could be sent for
// ConnOptions.BodyIdle.
func (c *Conn) Write(p []byte) (n int, err error) {
	idle := c.o.BodyIdle
	if idle <= 0 {
		return c.Conn.Write(p)
	}
	for again := false; ; again = true {
		c.writes.arm(c.Conn, idle, again)
		var k int
		k, err = c.Conn.Write(p[n:])
		n += k
		// A slow client is not one that stands still: it gets its time anew.
		late := net.Error(nil)
		if k == 0 || n == len(p) || !errors.As(err, &late) || !late.Timeout() || !c.writes.ours() {
			return n, err
		}
	}
}

// SetWriteDeadline is how net/http, or a handler, bounds and breaks off writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	w := &c.writes
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outer, w.armed = !t.IsZero(), time.Time{}
	return c.Conn.SetWriteDeadline(t)
}
