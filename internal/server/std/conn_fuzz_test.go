package std

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/wire"
)

// FuzzHeadAgainstNetHTTP: whatever the check accepts, http.ReadRequest parses,
// to the same method, target, host, fields and length.
func FuzzHeadAgainstNetHTTP(f *testing.F) {
	seed(f, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := wire.ParseHead(b, wire.Limits{})
		if err != nil || n == 0 {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(delivered(h, b[:n]))))
		if err != nil {
			t.Fatalf("net/http refuses what was accepted: %v\n%q", err, b[:n])
		}
		if d := disagreement(h, r); d != "" {
			t.Fatalf("%q\n%s", b[:n], d)
		}
	})
}

// FuzzConnection gives a whole server arbitrary bytes in two pieces: every
// answer comes from the handler, which saw the head that net/http parsed.
func FuzzConnection(f *testing.F) {
	seed(f, func(b []byte) { f.Add(append(b, last...), uint16(3)) })
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		s := &site{}
		c := &scripted{pieces: [][]byte{b[:min(len(b), int(cut))], b[min(len(b), int(cut)):]}}
		runOne(s, c)
		s.check(t)
		br := bufio.NewReader(&c.out)
		n := 0
		for {
			res, err := http.ReadResponse(br, &http.Request{Method: "HEAD"})
			if err != nil {
				if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
					break
				}
				t.Fatalf("answer %d: %v", n, err)
			}
			if res.StatusCode == http.StatusContinue {
				continue
			}
			if res.Header.Get("X-Handled") == "" {
				t.Fatalf("net/http answered %s by itself to %q", res.Status, b)
			}
			n++
		}
		if n > len(s.heads)+len(s.refusals) || len(s.refusals) > 1 {
			t.Fatalf("%d answers to %d requests and %d refusals", n, len(s.heads), len(s.refusals))
		}
	})
}

func seed(f *testing.F, add func([]byte)) {
	for _, c := range corpus(f) {
		add([]byte(c.head))
	}
	for _, s := range []string{
		"GET /%zz?%zz HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\nX: 1\r\nx: 2\r\n\r\n",
		"GET http://[::1]:80?x HTTP/1.0\r\nHost: [::1]:80\r\nConnection: keep-alive\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a.b:1\r\nTransfer-Encoding: chunked\r\nTrailer: X, Y\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
		"HEAD / HTTP/1.1\r\nHost: a\r\nHTTP2-Settings: x\r\nUpgrade: h2c\r\nConnection: Upgrade , close\r\n\r\n",
		handshake,
	} {
		add([]byte(s))
	}
}

// scripted is a client that sends its pieces, closes, and keeps the answers.
type scripted struct {
	mu     sync.Mutex
	pieces [][]byte
	out    bytes.Buffer
}

func (c *scripted) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pieces) > 0 {
		if len(c.pieces[0]) == 0 {
			c.pieces = c.pieces[1:]
			continue
		}
		n := copy(p, c.pieces[0])
		c.pieces[0] = c.pieces[0][n:]
		return n, nil
	}
	return 0, io.EOF
}

func (c *scripted) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(p)
}
func (c *scripted) Close() error                     { return nil }
func (c *scripted) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *scripted) SetDeadline(time.Time) error      { return nil }
func (c *scripted) SetReadDeadline(time.Time) error  { return nil }
func (c *scripted) SetWriteDeadline(time.Time) error { return nil }

// oneConn is a listener that yields one connection, then waits for its end.
type oneConn struct {
	c    chan net.Conn
	once sync.Once
}

func newOneConn(c net.Conn) *oneConn {
	l := &oneConn{c: make(chan net.Conn, 1)}
	l.c <- c
	return l
}

func (l *oneConn) Accept() (net.Conn, error) {
	c, ok := <-l.c
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.c) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func runOne(s *site, c net.Conn) {
	l, closed := newOneConn(c), make(chan struct{})
	srv := &http.Server{Handler: s, ConnState: func(_ net.Conn, st http.ConnState) {
		if st == http.StateClosed {
			close(closed)
			_ = l.Close()
		}
	}}
	Prepare(srv, ConnOptions{})
	_ = srv.Serve(Listen(l, ConnOptions{}))
	<-closed
}
