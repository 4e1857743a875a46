package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// rawUpstream is a TCP listener whose every connection is talk's business.
func rawUpstream(t testing.TB, talk func(c net.Conn, in *bufio.Reader)) Settings {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				talk(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return Settings{Scheme: "http", Address: l.Addr().String(),
		ConnectTimeout: 2 * time.Second, Timeout: 2 * time.Second, IdleTimeout: 2 * time.Second}
}

// readHead reads a request's head as it stands on the wire.
func readHead(in *bufio.Reader) (string, error) {
	var b bytes.Buffer
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return b.String(), err
		}
		b.WriteString(line)
		if line == "\r\n" {
			return b.String(), nil
		}
	}
}

// says answers the first request of every connection with text and closes.
func says(text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, in *bufio.Reader) {
		if _, err := readHead(in); err == nil {
			_, _ = io.WriteString(c, text)
		}
	}
}

func get(path string) *gateway.Forward {
	return &gateway.Forward{Method: "GET", Path: path, Host: "app.example"}
}

// served is what Serve returned.
type served struct {
	status int
	bytes  int64
	fault  *fault.Error
}

// front is a net/http server whose handler forwards to an upstream.
type front struct {
	*httptest.Server
	up      *Upstream
	results chan served
}

// newFront forwards every request; shape may change the head.
func newFront(t testing.TB, set Settings, shape func(*gateway.Forward, *http.Request)) *front {
	t.Helper()
	f := &front{up: New(set, Deps{}), results: make(chan served, 1024)}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := outboundOf(r)
		if shape != nil {
			shape(o, r)
		}
		status, n, err := f.up.Serve(w, r, o)
		select {
		case f.results <- served{status, n, err}:
		default: // a benchmark does not look
		}
		if status == 0 {
			w.WriteHeader(err.Kind.Status())
			_, _ = io.WriteString(w, err.Code)
		}
	}))
	t.Cleanup(func() { f.Close(); f.up.Close() })
	return f
}

// outboundOf takes a request as it came.
func outboundOf(r *http.Request) *gateway.Forward {
	path, query, has := strings.Cut(r.RequestURI, "?")
	o := &gateway.Forward{Method: r.Method, Path: path, Query: query, HasQuery: has, Host: r.Host}
	for name, values := range r.Header {
		for _, v := range values {
			o.Header = append(o.Header, request.Field{Name: name, Value: v})
		}
	}
	return o
}

// rawAsk sends text to the front over a connection of its own and returns all
// that comes back until the front closes.
func (f *front) rawAsk(t testing.TB, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(c)
	return string(b)
}

// noLeak waits until there are no more goroutines than before.
func noLeak(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}

const closing = " HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n"
