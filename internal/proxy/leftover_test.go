package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
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
