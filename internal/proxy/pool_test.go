package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var accepted atomic.Int32
	set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
		accepted.Add(1)
		for {
			if _, err := readHead(in); err != nil {
				return
			}
			_, _ = io.WriteString(c, okHead+"Content-Length: 2\r\n\r\nok")
		}
	})
	f := newFront(t, set, nil)
	for range 20 {
		if got := f.rawAsk(t, "GET /"+closing); !strings.HasSuffix(got, "ok") {
			t.Fatalf("got %q", got)
		}
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d connections for 20 requests", n)
	}
}

// What an upstream says on an idle connection must never answer a request.
func TestWordsOnAnIdleConnectionAnswerNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, first, later string }{
		{"in the same breath", okHead + "Content-Length: 2\r\n\r\nok" + okHead + "Content-Length: 4\r\n\r\nevil", ""},
		{"a moment later", okHead + "Content-Length: 2\r\n\r\nok", okHead + "Content-Length: 4\r\n\r\nevil"},
		{"an end in its place", okHead + "Content-Length: 2\r\n\r\nok", "close"},
		{"Connection: close kept open", okHead + "Connection: Close\r\nContent-Length: 2\r\n\r\nok", ""},
		{"HTTP/1.0 kept open", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", ""},
		{"a body in answer to HEAD", okHead + "Content-Length: 2\r\n\r\nok", "HEAD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spoken := make(chan struct{}, 16)
			var conns atomic.Int32
			set := rawUpstream(t, func(conn net.Conn, in *bufio.Reader) {
				n := conns.Add(1)
				for i := 0; ; i++ {
					if _, err := readHead(in); err != nil {
						return
					}
					if n > 1 || i > 0 {
						_, _ = io.WriteString(conn, fmt.Sprintf("%sContent-Length: 4\r\n\r\n%04d", okHead, n))
						continue
					}
					_, _ = io.WriteString(conn, c.first)
					if c.later == "close" {
						_ = conn.Close()
					} else if c.later != "HEAD" {
						time.Sleep(20 * time.Millisecond) // apart from the first answer, on the wire
						_, _ = io.WriteString(conn, c.later)
					}
					spoken <- struct{}{}
				}
			})
			f := newFront(t, set, nil)
			method := "GET"
			if c.later == "HEAD" {
				method = "HEAD"
			}
			if got := f.rawAsk(t, method+" /"+closing); !strings.HasPrefix(got, "HTTP/1.1 200") {
				t.Fatalf("first: %q", got)
			}
			<-spoken
			time.Sleep(5 * time.Millisecond)
			// POST: it is never sent twice, so the look before use must see it.
			if got := f.rawAsk(t, "POST /"+closing); !strings.HasSuffix(got, "0002") {
				t.Errorf("second: %q, want the answer of a second connection", got)
			}
		})
	}
}

// A connection that dies as it is used again: sent anew where that is safe.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		request, want string
		posts         int32
	}{
		{"GET /", "HTTP/1.1 200", 2},
		{"DELETE /", "HTTP/1.1 200", 2},
		{"POST /", "HTTP/1.1 502", 1},
		{"PATCH /", "HTTP/1.1 502", 1},
	} {
		t.Run(c.request, func(t *testing.T) {
			t.Parallel()
			var second, conns atomic.Int32
			set := rawUpstream(t, func(conn net.Conn, in *bufio.Reader) {
				n := conns.Add(1)
				for i := 0; ; i++ {
					if _, err := readHead(in); err != nil {
						return
					}
					if i > 0 || n > 1 {
						second.Add(1)
					}
					if i > 0 {
						return // after it has read the request
					}
					_, _ = io.WriteString(conn, okHead+"Content-Length: 2\r\n\r\nok")
				}
			})
			f := newFront(t, set, nil)
			f.rawAsk(t, "GET /"+closing)
			if got := f.rawAsk(t, c.request+closing); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q", got)
			}
			if n := second.Load(); n != c.posts {
				t.Errorf("the upstream got the request %d times", n)
			}
		})
	}
}

// A fresh connection that breaks is not tried again.
func TestNoSecondTryOnAFreshConnection(t *testing.T) {
	t.Parallel()
	var conns atomic.Int32
	set := rawUpstream(t, func(_ net.Conn, in *bufio.Reader) {
		conns.Add(1)
		_, _ = readHead(in)
	})
	f := newFront(t, set, nil)
	if got := f.rawAsk(t, "GET /"+closing); !strings.HasPrefix(got, "HTTP/1.1 502") || conns.Load() != 1 {
		t.Errorf("%d connections, got %q", conns.Load(), got)
	}
}

// Many clients at once never get each other's answers.
func TestAnswersAreNeverMixed(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RequestURI)
	}))
	t.Cleanup(up.Close)
	f := newFront(t, at(up), nil)
	f.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf("/%d?%d", i, j)
				res, err := f.Client().Get(f.URL + want)
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if string(got) != want {
					t.Errorf("asked %s, got %s", want, got)
				}
			}
		})
	}
	all.Wait()
	f.up.Close()
	if got := f.rawAsk(t, "GET /after"+closing); !strings.HasSuffix(got, "/after") {
		t.Errorf("after Close: %q", got)
	}
	if len(f.up.pool.idle) != 0 {
		t.Error("a closed pool keeps connections")
	}
}

func TestOwnListenerIsRefused(t *testing.T) {
	t.Parallel()
	set := rawUpstream(t, says(okHead+"Content-Length: 2\r\n\r\nok"))
	port := netip.MustParseAddrPort(set.Address).Port()
	f := newFront(t, Settings{Scheme: "http", Address: fmt.Sprintf("localhost:%d", port)}, nil)
	f.up.pool.own = func(a netip.AddrPort) bool { return a.Port() == port && a.Addr().IsLoopback() }
	got := f.rawAsk(t, "GET /"+closing)
	if r := <-f.results; r.fault == nil || r.fault.Code != CodeOwnListener {
		t.Errorf("Serve returned %+v, client got %q", r, got)
	}
}

func TestHTTPSUpstream(t *testing.T) {
	t.Parallel()
	up := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Proto, r.TLS.NegotiatedProtocol)
	}))
	t.Cleanup(up.Close)
	set := at(up)
	set.Scheme = "https"
	f := newFront(t, set, nil)
	if got := f.rawAsk(t, "GET /"+closing); !strings.HasPrefix(got, "HTTP/1.1 502") {
		t.Errorf("an unknown authority was believed: %q", got)
	}
	if r := <-f.results; r.fault.Code != CodeUnreachable {
		t.Errorf("Serve returned %+v", r)
	}
	f.up = New(set, Deps{Roots: up.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	t.Cleanup(f.up.Close)
	for range 3 {
		if got := f.rawAsk(t, "POST /"+closing); !strings.HasSuffix(got, "HTTP/1.1 http/1.1") {
			t.Errorf("got %q", got)
		}
	}
	if n := len(f.up.pool.idle); n != 1 {
		t.Errorf("%d idle connections, want the one that was kept", n)
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, address, host, base string }{
		{"http://127.0.0.1:9000", "127.0.0.1:9000", "127.0.0.1:9000", ""},
		{"http://App.Example", "App.Example:80", "app.example", ""},
		{"https://app.example/", "app.example:443", "app.example", ""},
		{"http://[::1]:8080/base/v1/", "[::1]:8080", "[::1]:8080", "/base/v1"},
		{"http://a:80/caf%C3%A9", "a:80", "a:80", "/caf%C3%A9"},
		{"unix:/run/x", "/run/x", "", ""},
	} {
		s, host, base, err := ParseURL(c.in)
		if err != nil || s.Address != c.address || host != c.host || base != c.base {
			t.Errorf("%s: %+v %q %q %v", c.in, s, host, base, err)
		}
	}
	for _, bad := range []string{"", "app.example:80", "//app.example", "ftp://a", "http://", "http:///x", "http://a:0", "http://a:99999", "http://a:",
		"http://user:pw@a", "http://a?q", "http://a?", "http://a#", "http://a#f", "http://a/../b", "http://a//b", "http://a/%2e%2e", "http://a/b;c", "http://a/%2F",
		"http://a b", "http://a\r\nb", "unix:", "http://a,b:80", "http://[::1%25eth0]:80"} {
		if s, host, base, err := ParseURL(bad); err == nil {
			t.Errorf("%q was taken as %+v %q %q", bad, s, host, base)
		}
	}
}
