package std

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/wire"
)

// refused is what net/http gets to read in place of a refused head, so that
// the answer comes in its turn and the connection closes behind it. A client
// that sends these very bytes gains nothing: the queue entry alone marks a
// refusal.
const refused = "GET / HTTP/1.1\r\nHost: refused.invalid\r\nConnection: close\r\n\r\n"

const (
	bufferSize = 4 << 10   // what is read ahead at most, but for a larger head
	maxDropped = 256 << 10 // what is thrown away behind the last request
)

type phase uint8

const (
	atHead phase = iota
	inBody
	raw    // behind a WebSocket handshake: the bytes belong to whoever hijacks
	ended  // behind the last request: the bytes are dropped
	broken // Read returns err
)

// Conn is a client's connection on which net/http reads nothing but request
// heads and bodies that passed package wire's check, byte for byte, with three
// exceptions: a refused head is replaced by the request above, a WebSocket
// handshake gets a Connection: close more (so that its bytes are hijacked or
// never read), and percent signs of the path that begin no escape are '_'
// (net/http would answer those itself; a site may let them pass). The head as
// it was is what Next returns; read requests from there, not from net/http.
type Conn struct {
	net.Conn
	o    *ConnOptions
	peer netip.AddrPort
	free func() // gives the connection's place back

	// Read alone uses these; net/http reads from one goroutine at a time.
	in      []byte // read from the client, not yet looked at
	buf     []byte // what in lies in
	ready   []byte // passed, not yet read by net/http
	phase   phase
	find    wire.Finder
	body    wire.Body
	close   bool // no request follows the body
	later   bool // a head was read before
	dropped int
	err     error

	clock  deadlines
	writes writes

	mu    sync.Mutex
	queue []passed
	fault error // why the body ended early

	awaited atomic.Bool // net/http was not yet given all of the last request's body
	linger  atomic.Bool
	once    sync.Once
}

// passed is one request that net/http was given to read.
type passed struct {
	head    *wire.Head
	refusal *wire.Refusal
}

// Next returns the head of the request that net/http just handed to its
// handler, or why that request is to be refused. It is called exactly once per
// handler call, first thing; one of the two is nil.
func (c *Conn) Next() (*wire.Head, *wire.Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil, &wire.Refusal{Status: 400, Reason: "no checked request head is left on this connection"}
	}
	p := c.queue[0]
	c.queue[0] = passed{}
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	return p.head, p.refusal
}

// Peer returns the address of the TCP peer, zero for a unix socket, and
// whether it is one.
func (c *Conn) Peer() (peer netip.AddrPort, unix bool) {
	_, unix = c.RemoteAddr().(*net.UnixAddr)
	return c.peer, unix
}

// Spoken is the PROXY header that the connection began with.
func (c *Conn) Spoken() client.Spoken { return spokenOn(c.Conn) }

// TLS is the state of a TLS connection, nil of a plain one.
func (c *Conn) TLS() *tls.ConnectionState {
	s, ok := c.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	state := s.ConnectionState()
	return &state
}

// Fault says why the current request's body ended early: a *wire.Refusal for
// framing, ErrBodyIdle, or nil. net/http hides some of these from its handler.
func (c *Conn) Fault() error {
	if c == nil { // HTTP/2: its own machinery frames bodies
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// Read gives net/http the next bytes that passed.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if len(c.ready) > 0 {
			n := copy(p, c.ready)
			if c.ready = c.ready[n:]; len(c.ready) == 0 {
				c.ready = nil
			}
			return n, nil
		}
		var n int
		var err error
		switch c.phase {
		case atHead:
			err = c.readHead()
		case inBody:
			n, err = c.readBody(p)
		case raw:
			n, err = c.readRaw(p)
		case ended:
			err = c.drop()
		default:
			err = c.err
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// readHead looks at what is there and makes it ready, or reads more.
func (c *Conn) readHead() error {
	n, err := c.find.Find(c.in, c.o.Limits)
	var head *wire.Head
	if n > 0 {
		head, _, err = wire.ParseHead(c.in[:n], c.o.Limits)
	}
	switch {
	case err != nil:
		c.refuse(asRefusal(err))
		return nil
	case head == nil:
		return c.more()
	}
	c.ready = delivered(head, c.in[:n])
	c.take(n)
	c.push(passed{head: head})
	c.find, c.later, c.close = wire.Finder{}, true, head.Close
	c.clock.headDone()
	c.body = head.Body(c.o.Limits)
	switch {
	case head.Websocket:
		c.phase = raw
	default:
		c.phase = inBody
		c.awaited.Store(true)
		c.bodyDone()
	}
	return nil
}

// more reads more of a head. A head that takes too long is answered 408, a
// connection on which none ever begins is closed.
func (c *Conn) more() error {
	err := c.fill(forHead)
	if errors.Is(err, errLate) {
		if len(c.in) == 0 {
			return c.fail(io.EOF)
		}
		c.refuse(&wire.Refusal{Status: 408, Reason: "the request head did not arrive in time"})
		return nil
	}
	return err
}

// refuse puts the synthetic request in place of a head and ends reading.
func (c *Conn) refuse(r *wire.Refusal) {
	c.linger.Store(true)
	c.push(passed{refusal: r})
	c.ready = []byte(refused)
	c.in, c.buf = nil, nil
	c.phase = ended
}

func (c *Conn) push(p passed) {
	c.mu.Lock()
	c.queue = append(c.queue, p)
	c.mu.Unlock()
}

// fail makes every Read from now on return err.
func (c *Conn) fail(err error) error {
	c.phase, c.err = broken, err
	c.in, c.buf = nil, nil
	return err
}

func asRefusal(err error) *wire.Refusal {
	var r *wire.Refusal
	if errors.As(err, &r) {
		return r
	}
	return &wire.Refusal{Status: 400, Reason: "the request is malformed"}
}
