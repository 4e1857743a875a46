package proxy

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// h2Server is a net/http server over TLS (h2 or not) or h2c.
func h2Server(t testing.TB, p Protocol, alpn bool, h http.Handler) (*httptest.Server, Settings, Deps) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	set := Settings{Scheme: "http", Protocol: p, ConnectTimeout: 2 * time.Second, Timeout: 2 * time.Second, IdleTimeout: 2 * time.Second}
	var d Deps
	if p == H2C {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(alpn)
		s.Config.Protocols.SetHTTP1(!alpn)
		s.Start()
	} else {
		s.EnableHTTP2 = alpn
		s.StartTLS()
		set.Scheme, d.Roots = "https", x509.NewCertPool()
		d.Roots.AddCert(s.Certificate())
	}
	set.Address = s.Listener.Addr().String()
	t.Cleanup(s.Close)
	return s, set, d
}

// serveBy forwards one request without a front.
func serveBy(u *Upstream, o *gateway.Forward, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(o.Method, "/", body)
	status, _, f := u.Serve(deadlines{w}, r, o)
	if status == 0 {
		w.Code = f.Kind.Status()
		w.Body = bytes.NewBufferString(f.Code)
	}
	return w
}

// deadlines makes a recorder one that has them.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetWriteDeadline(time.Time) error { return nil }
func (deadlines) SetReadDeadline(time.Time) error  { return nil }

func TestHTTP2IsSpokenWhereItIsTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		p    Protocol
		alpn bool
		want string
	}{
		{"by ALPN", HTTP2, true, "HTTP/2.0"},
		{"not taken", HTTP2, false, "HTTP/1.1"},
		{"in the clear", H2C, true, "HTTP/2.0"},
		{"not asked for", HTTP1, true, "HTTP/1.1"},
		{"in the clear, not taken", H2C, false, "502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, set, d := h2Server(t, c.p, c.alpn, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = fmt.Fprintf(w, "%s %s %s %s %q %q", r.Proto, r.RequestURI, r.Host, r.Header.Get("X-A"), r.Header["User-Agent"], r.Header["Accept-Encoding"])
			}))
			u := New(set, d)
			t.Cleanup(u.Close)
			for range 3 {
				o := &gateway.Forward{Method: "GET", Path: "/a%2Fb/%C3%A9", HasQuery: true, Host: "app.example", Header: request.Header{{Name: "x-a", Value: "1"}}}
				w := serveBy(u, o, nil)
				want := c.want + ` /a%2Fb/%C3%A9? app.example 1 [] []`
				if c.want == "502" {
					if w.Code != 502 {
						t.Errorf("got %d %q", w.Code, w.Body)
					}
				} else if w.Body.String() != want {
					t.Errorf("got %q, want %q", w.Body, want)
				}
			}
		})
	}
}

// Answers over HTTP/2 are filtered as those over HTTP/1.1 are.
func TestHTTP2AnswersAreFiltered(t *testing.T) {
	t.Parallel()
	_, set, d := h2Server(t, H2C, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Portreeve-Subject", "root")
		w.Header().Set("X_portreeve_roles", "root")
		w.Header().Add("Set-Cookie", "ours=1")
		w.Header().Add("Set-Cookie", "theirs=1")
		w.Header().Set("Cache-Control", "public")
		_, _ = io.WriteString(w, "x")
	}))
	u := New(set, d)
	t.Cleanup(u.Close)
	w := serveBy(u, &gateway.Forward{Method: "GET", Path: "/", Host: "a", Private: true, OwnCookies: []string{"ours"}}, nil)
	for name, want := range map[string]string{"X-Portreeve-Subject": "", "X_portreeve_roles": "", "Set-Cookie": "theirs=1", "Cache-Control": "private"} {
		if got := strings.Join(w.Header()[textproto.CanonicalMIMEHeaderKey(name)], ","); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestHTTP2TroubleIsClassified(t *testing.T) {
	t.Parallel()
	_, set, d := h2Server(t, H2C, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/reset":
			panic(http.ErrAbortHandler)
		case "/fields":
			for i := range maxFields + 1 {
				w.Header().Set(fmt.Sprint("X-", i), "1")
			}
		case "/bytes":
			w.Header().Set("X", strings.Repeat("x", 2*maxHeadBytes))
		case "/interims":
			for range maxInterim + 1 {
				w.WriteHeader(103)
			}
		case "/read":
			_, _ = io.Copy(io.Discard, r.Body)
		case "/unread":
			<-r.Context().Done()
		}
	}))
	set.Timeout, set.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond
	u := New(set, d)
	t.Cleanup(u.Close)
	for _, c := range []struct {
		method, path string
		body         int
		status       int
		code         string
	}{
		{"GET", "/slow", 0, 504, CodeTimeout},
		{"POST", "/slow", 10, 504, CodeTimeout},
		{"POST", "/unread", 8 << 20, 504, CodeTimeout},
		{"GET", "/reset", 0, 502, CodeBroke},
		{"GET", "/fields", 0, 502, CodeMalformed},
		{"GET", "/bytes", 0, 502, CodeBroke},
		{"GET", "/interims", 0, 502, CodeMalformed},
	} {
		var body io.Reader
		if c.body > 0 {
			body = bytes.NewReader(make([]byte, c.body))
		}
		w := serveBy(u, &gateway.Forward{Method: c.method, Path: c.path, Host: "a"}, body)
		if w.Code != c.status || w.Body.String() != c.code {
			t.Errorf("%s %s: %d %q, want %d %s", c.method, c.path, w.Code, w.Body, c.status, c.code)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	set.Address = l.Addr().String()
	_ = l.Close()
	gone := New(set, d)
	t.Cleanup(gone.Close)
	if w := serveBy(gone, &gateway.Forward{Method: "GET", Path: "/", Host: "a"}, nil); w.Body.String() != CodeUnreachable {
		t.Errorf("nobody there: %d %q", w.Code, w.Body)
	}
	if w := serveBy(u, &gateway.Forward{Method: "POST", Path: "/read", Host: "a", MaxBody: 5}, io.MultiReader(strings.NewReader("123456"))); w.Code != 413 {
		t.Errorf("maxBody: %d %q", w.Code, w.Body)
	}
}

// One client that reads nothing, and one that leaves, hold up nobody on the
// same connection; and nothing stays behind.
func TestHTTP2StreamsAreApart(t *testing.T) { // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	t.Run("many", func(t *testing.T) {
		var conns sync.Map
		var flooded atomic.Int64
		_, set, d := h2Server(t, H2C, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conns.Store(r.RemoteAddr, true)
			if r.URL.Path == "/flood" {
				for {
					if _, err := w.Write(make([]byte, 32<<10)); err != nil {
						return
					}
					flooded.Add(1)
				}
			}
			_, _ = io.Copy(w, r.Body)
		}))
		u := New(set, d)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _, _ = u.Serve(w, r, outboundOf(r))
		}))
		t.Cleanup(func() { front.Close(); u.Close() })
		var stuck []net.Conn
		for range 20 {
			c, err := net.Dial("tcp", front.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
			stuck = append(stuck, c)
		}
		for n := int64(-1); n != flooded.Load() || n == 0; { // until every buffer is full
			n = flooded.Load()
			time.Sleep(100 * time.Millisecond)
		}
		front.Client().Timeout = 10 * time.Second
		for range 50 {
			res, err := front.Client().Post(front.URL+"/", "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := io.ReadAll(res.Body); string(b) != "hello" {
				t.Fatalf("%q", b)
			}
			_ = res.Body.Close()
		}
		for _, c := range stuck {
			_ = c.Close()
		}
		n := 0
		conns.Range(func(any, any) bool { n++; return true })
		if n > 2 {
			t.Errorf("%d connections to the upstream", n)
		}
		front.Client().CloseIdleConnections()
	})
	noLeak(t, before)
}
