package properties

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/standin"
)

// client writes raw requests to an edge over one connection at a time, which it
// opens anew when the last one ended.
type client struct {
	d *edge
	c net.Conn
	r *bufio.Reader
}

func (d *edge) client(t testing.TB) *client {
	c := &client{d: d}
	t.Cleanup(c.hangUp)
	return c
}

func (c *client) hangUp() {
	if c.c != nil {
		_ = c.c.Close()
		c.c = nil
	}
}

// answer is what came back, and what the application was sent meanwhile.
type answer struct {
	status int
	header http.Header
	body   string
	id     string            // of the request
	saw    *standin.Received // nil: the application was not asked
}

// send writes one request, byte for byte, and reads its answer.
func (c *client) send(t fataler, method, raw string) answer {
	t.Helper()
	for reused := c.c != nil; ; reused = false {
		if c.c == nil {
			conn, err := net.Dial("tcp", c.d.addr)
			if err != nil {
				t.Fatalf("%v", err)
			}
			c.c, c.r = conn, bufio.NewReader(conn)
		}
		if err := c.c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatalf("%v", err)
		}
		_, _ = io.WriteString(c.c, raw) // a refusal may come, and the connection go, before the end
		if _, err := c.r.Peek(1); err != nil {
			c.hangUp()
			if reused {
				continue // it had ended before this request
			}
			t.Fatalf("no answer to %q: %v", raw, err)
		}
		return c.read(t, method, raw)
	}
}

func (c *client) read(t fataler, method, raw string) answer {
	t.Helper()
	res, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("the answer to %q: %v", raw, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("the answer to %q: %v", raw, err)
	}
	if res.Close {
		c.hangUp()
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(body), id: res.Header.Get("X-Request-Id")}
	if a.id == "" {
		t.Fatalf("an answer without X-Request-Id to %q", raw)
	}
	a.saw = c.d.echo.got(a.id)
	return a
}

// get is a GET of a target, written as it is, on a host.
func (c *client) get(t fataler, host, target string, fields ...request.Field) answer {
	t.Helper()
	return c.send(t, "GET", head("GET", host, target, fields...)+"\r\n")
}

// head is a request head without the empty line that ends it.
func head(method, host, target string, fields ...request.Field) string {
	var b strings.Builder
	b.WriteString(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n")
	for _, f := range fields {
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	return b.String()
}
