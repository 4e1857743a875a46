package escrow

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/test/edge"
)

// recorder stands between client and server and keeps every byte that goes
// either way.
type recorder struct {
	l  net.Listener
	to string

	mu      sync.Mutex
	streams []*stream
}

// stream is one direction of one connection.
type stream struct {
	mu   sync.Mutex
	b    bytes.Buffer
	asks bool
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *stream) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// record carries connections to an address until the test ends.
func record(t testing.TB, to string) *recorder {
	t.Helper()
	r := &recorder{l: edge.Listen(t), to: to}
	go r.accept()
	t.Cleanup(func() { _ = r.l.Close() })
	return r
}

func (r *recorder) url() string { return "http://" + r.l.Addr().String() }

func (r *recorder) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		go r.carry(c)
	}
}

func (r *recorder) carry(c net.Conn) {
	defer func() { _ = c.Close() }()
	s, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	asked, answered := &stream{asks: true}, &stream{}
	r.mu.Lock()
	r.streams = append(r.streams, asked, answered)
	r.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { pump(s, io.TeeReader(c, asked)) })
	both.Go(func() { pump(c, io.TeeReader(s, answered)) })
	both.Wait()
}

func pump(to net.Conn, from io.Reader) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}

// traffic is everything that was recorded: as it went over the wire, and the
// bodies without what the transfer put between their parts. requests is how many
// there were.
func (r *recorder) traffic(t testing.TB) (all []byte, requests int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.streams {
		raw := s.bytes()
		all = append(append(all, raw...), '\n')
		in := bufio.NewReader(bytes.NewReader(raw))
		for {
			var body io.ReadCloser
			if s.asks {
				req, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				requests++
				body = req.Body
			} else {
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					break
				}
				body = res.Body
			}
			b, err := io.ReadAll(body)
			all = append(append(all, b...), '\n')
			if err != nil {
				break
			}
		}
	}
	return all, requests
}

// answers is what the server sent, connection by connection.
func (r *recorder) answers() (out [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.streams {
		if !s.asks {
			out = append(out, s.bytes())
		}
	}
	return out
}
