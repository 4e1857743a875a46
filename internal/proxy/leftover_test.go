package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
)

// corked gathers what is written until it is let out in one piece.
type corked struct {
	net.Conn
	on  bool
	buf bytes.Buffer
}

func (c *corked) Write(p []byte) (int, error) {
	if c.on {
		return c.buf.Write(p)
	}
	return c.Conn.Write(p)
}

func (c *corked) letOut() {
	c.on = false
	_, _ = c.Conn.Write(c.buf.Bytes())
	c.buf.Reset()
}

// An answer too many that came in the same packet as the one asked for lies in
// TLS's buffers, not in the socket. It must not become the answer to somebody
// else's request.
func TestTLSLeftoverIsNobodysAnswer(t *testing.T) {
	t.Parallel()
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"
	const tooMany = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"
	reference := httptest.NewUnstartedServer(nil)
	reference.StartTLS()
	certificate, roots := reference.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(reference.Certificate())
	reference.Close()
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		for _, extra := range []string{tooMany, ""} {
			conns := make(chan struct{}, 10)
			set := rawUpstream(t, func(c net.Conn, _ *bufio.Reader) {
				conns <- struct{}{}
				k := &corked{Conn: c}
				s := tls.Server(k, &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: version})
				for in := bufio.NewReader(s); ; {
					if _, err := readHead(in); err != nil {
						return
					}
					k.on = true
					_, _ = io.WriteString(s, answer)
					if extra != "" {
						_, _ = io.WriteString(s, extra)
					}
					k.letOut()
				}
			})
			set.Scheme = "https"
			u := New(set, Deps{Roots: roots})
			for range 3 {
				w := httptest.NewRecorder()
				status, _, f := u.Serve(w, httptest.NewRequest("GET", "/", nil), get("/"))
				if status != 200 || f != nil || w.Body.String() != "right" {
					t.Errorf("TLS %s: %d %v %q", name, status, f, w.Body)
				}
			}
			u.Close()
			if n := len(conns); extra == "" && n != 1 || extra != "" && n != 3 {
				t.Errorf("TLS %s, %d bytes too many: %d connections", name, len(extra), n)
			}
		}
	}
}

// An upstream that does not read the body of a GET would take it for the next
// request on its connection, identity headers and all.
func TestBodyThatNobodyReadsIsNoRequest(t *testing.T) {
	t.Parallel()
	const smuggled = "GET /admin HTTP/1.1\r\nHost: a\r\nX-Portreeve-Subject: admin\r\n\r\n"
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "PROPFIND", "get"} {
		for _, length := range []int64{int64(len(smuggled)), -1} {
			heads, conns := make(chan string, 10), make(chan struct{}, 10)
			set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
				conns <- struct{}{}
				for {
					head, err := readHead(in)
					if err != nil {
						return
					}
					heads <- head
					_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
					if strings.Contains(head, "\r\nConnection: close\r\n") {
						return
					}
				}
			})
			u := New(set, Deps{})
			for range 2 {
				r := httptest.NewRequest(method, "/pub", strings.NewReader(smuggled))
				r.ContentLength = length
				o := get("/pub")
				o.Method = method
				if status, _, f := u.Serve(httptest.NewRecorder(), r, o); status != 204 {
					t.Errorf("%s: %d %v", method, status, f)
				}
			}
			u.Close()
			if len(heads) != 2 || len(conns) != 2 {
				t.Errorf("%s: the upstream read %d requests on %d connections", method, len(heads), len(conns))
			}
			for len(heads) > 0 {
				if head := <-heads; !strings.HasPrefix(head, method+" /pub ") {
					t.Errorf("%s: the upstream took a body for %q", method, head)
				}
			}
		}
	}
}
