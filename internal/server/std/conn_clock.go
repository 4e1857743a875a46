package std

import (
	"errors"
	"net"
	"sync"
	"time"
)

// errLate says that our own deadline passed, not one that net/http set.
var errLate = errors.New("deadline of the head or body passed")

type purpose uint8

const (
	forHead purpose = iota
	forBody
	forNothing
)

// own is the deadline that reading for this purpose has of itself. A head's
// clock starts with its first byte, the first head's with the connection;
// waiting for a further request is net/http's IdleTimeout.
func (c *Conn) own(why purpose) time.Time {
	switch why {
	case forHead:
		if c.o.HeadTimeout > 0 && (!c.later || len(c.in) > 0) {
			return c.clock.headBy(c.o.HeadTimeout)
		}
	case forBody:
		if c.o.BodyIdle > 0 {
			return time.Now().Add(c.o.BodyIdle)
		}
	}
	return time.Time{}
}

// deadlines joins two who set the one read deadline of a connection: net/http,
// which also breaks off its background read by one in the past, and us.
type deadlines struct {
	head time.Time // of the head being read; Read alone uses it

	mu      sync.Mutex
	outer   time.Time // net/http's
	abort   bool      // outer was in the past when set: break off at once
	own     time.Time
	partial bool      // part of a head is there: it has its own time, idle is over
	set     time.Time // what the socket has
}

func (d *deadlines) headBy(after time.Duration) time.Time {
	if d.head.IsZero() {
		d.head = time.Now().Add(after)
	}
	return d.head
}

func (d *deadlines) headDone() { d.head = time.Time{} }

// start sets our deadline for the read that follows.
func (d *deadlines) start(c net.Conn, own time.Time, partial bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.own, d.partial = own, partial
	_ = d.apply(c)
}

// apply gives the socket the earlier of the two.
func (d *deadlines) apply(c net.Conn) error {
	at := d.own
	if !d.outer.IsZero() && (d.abort || !d.partial) && (at.IsZero() || d.outer.Before(at)) {
		at = d.outer
	}
	if at.Equal(d.set) && !d.abort {
		return nil
	}
	d.set = at
	return c.SetReadDeadline(at)
}

// late reports whether a timeout was ours.
func (d *deadlines) late() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.abort && !d.own.IsZero() && d.set.Equal(d.own)
}

// SetReadDeadline is how net/http, or a handler, bounds and breaks off reads.
// The connection's own bounds on heads and bodies stay.
func (c *Conn) SetReadDeadline(t time.Time) error {
	d := &c.clock
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outer, d.abort = t, !t.IsZero() && !t.After(time.Now())
	return d.apply(c.Conn)
}

// SetDeadline sets both deadlines, see SetReadDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
