package standin

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Received is one request as it stood on the wire: what the application
// answers, and what a test reads. Bytes that are not UTF-8 become U+FFFD in the
// JSON; EchoOptions.Saw gets them as they were.
type Received struct {
	App      string            `json:"app"`
	Method   string            `json:"method"`
	Target   string            `json:"target"` // byte for byte
	Protocol string            `json:"protocol"`
	Headers  []Field           `json:"headers"` // in order, repeated ones too, each "Name: value"
	Trailers []Field           `json:"trailers,omitempty"`
	CGI      map[string]string `json:"cgi"` // the same as a CGI-style program sees it
	Body     Body              `json:"body"`
	Nth      int               `json:"nth"` // which request of its connection, from 1
}

// Body is what became of a request's body: its bytes are counted and hashed,
// never kept.
type Body struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Header returns the values of the fields called name, ASCII case ignored.
func (r *Received) Header(name string) []string {
	return (&message{fields: r.Headers}).all(name)
}

// EchoOptions are the choices of NewEcho.
type EchoOptions struct {
	Name string // shown in every answer, so that one sees which application it was
	// Saw, where set, is called with every well-formed request before it is
	// answered, from the connection's own goroutine.
	Saw func(*Received)
	// Refused, where set, is called with the reason for every malformed one.
	Refused func(error)
	// Idle bounds the silence on a connection; 0 means a minute.
	Idle time.Duration
}

// Echo is an application that answers what it was sent. It reads HTTP/1.1 from
// the socket with a reader of its own: net/http would fold names, drop
// duplicates' order and hide malformed framing.
type Echo struct {
	url string
	o   EchoOptions
	l   net.Listener

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	ended bool
	group sync.WaitGroup
}

// maxConns bounds the connections that one Echo answers at a time.
const maxConns = 4096

// NewEcho answers on l until Close.
func NewEcho(l net.Listener, o EchoOptions) *Echo {
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	e := &Echo{url: "http://" + l.Addr().String(), o: o, l: l, conns: map[net.Conn]struct{}{}}
	e.group.Go(e.accept)
	return e
}

// URL is the application's origin, without a trailing slash.
func (e *Echo) URL() string { return e.url }

// Close ends the application and every connection at once.
func (e *Echo) Close() error {
	err := e.l.Close()
	e.mu.Lock()
	e.ended = true
	for c := range e.conns {
		_ = c.Close()
	}
	e.mu.Unlock()
	e.group.Wait()
	return err
}

func (e *Echo) accept() {
	for {
		c, err := e.l.Accept()
		if err != nil {
			return
		}
		if !e.enter(c) {
			_ = c.Close()
			continue
		}
		e.group.Go(func() {
			defer e.leave(c)
			e.converse(c)
		})
	}
}

func (e *Echo) enter(c net.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended || len(e.conns) >= maxConns {
		return false
	}
	e.conns[c] = struct{}{}
	return true
}

func (e *Echo) leave(c net.Conn) {
	_ = c.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
}

// converse answers the requests of one connection in order.
func (e *Echo) converse(c net.Conn) {
	r, w := bufio.NewReader(patient{c, e.o.Idle}), bufio.NewWriter(patient{c, e.o.Idle})
	for nth := 1; ; nth++ {
		if _, err := r.Peek(1); err != nil {
			return // the end, or silence, between two requests
		}
		m, err := readHead(r)
		var got *Received
		if err == nil {
			got, err = e.receive(m, nth, r, w)
		}
		if err != nil {
			e.refuse(w, err)
			return
		}
		if e.o.Saw != nil {
			e.o.Saw(got)
		}
		if e.answer(w, m, got) != nil || m.close {
			return
		}
	}
}

// receive reads the body and describes the whole.
func (e *Echo) receive(m *message, nth int, r *bufio.Reader, w *bufio.Writer) (*Received, error) {
	if expect := m.all("Expect"); len(expect) == 1 && strings.EqualFold(expect[0], "100-continue") {
		_, _ = w.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
		if err := w.Flush(); err != nil {
			return nil, err
		}
	}
	sum := sha256.New()
	n, trailers, err := m.copyBody(sum, r)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return &Received{
		App: e.o.Name, Method: m.method, Target: m.target, Protocol: m.proto,
		Headers: m.fields, Trailers: trailers, CGI: environment(m), Nth: nth,
		Body: Body{Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))},
	}, nil
}

func (e *Echo) answer(w *bufio.Writer, m *message, got *Received) error {
	body, err := encode(got)
	if err != nil {
		return err
	}
	writeAnswer(w, "200 OK", body, m.method != "HEAD", m.close)
	return w.Flush()
}

func (e *Echo) refuse(w *bufio.Writer, why error) {
	if e.o.Refused != nil {
		e.o.Refused(why)
	}
	body, err := encode(map[string]string{"app": e.o.Name, "error": "malformed request", "reason": why.Error()})
	if err != nil {
		return
	}
	writeAnswer(w, "400 Bad Request", body, true, true)
	_ = w.Flush() // the connection ends either way
}

// encode writes JSON for people: indented, and & as it is.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

func writeAnswer(w *bufio.Writer, status string, body []byte, withBody, last bool) {
	fmt.Fprintf(w, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", status, len(body))
	if last {
		_, _ = w.WriteString("Connection: close\r\n")
	}
	_, _ = w.WriteString("\r\n")
	if withBody {
		_, _ = w.Write(body)
	}
}

// patient is a connection whose every read and write may take that long.
type patient struct {
	net.Conn
	idle time.Duration
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.idle)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.idle)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}
