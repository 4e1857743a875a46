package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

func to(t *testing.T, base string, o Options) *Client {
	t.Helper()
	o.BaseURL, o.Plain = base, true
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func service(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestACallGoesOutAsItWasMade(t *testing.T) {
	t.Parallel()
	url := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Header.Get("Content-Type"), " ", r.Header.Get("X-Signed"), " ", r.Header.Get("User-Agent"), " ", string(body)))
		w.WriteHeader(418)
		_, _ = io.WriteString(w, "short and stout")
	})
	c := to(t, url+"/base/", Options{Private: true})
	got, err := c.Do(t.Context(), Request{Method: "POST", Path: "/a%2Fb", Query: "q=1&q=2", Body: []byte("{}"),
		Header: request.Header{{Name: "Content-Type", Value: "application/json"}},
		Sign:   func(r *http.Request, body []byte) error { r.Header.Set("X-Signed", string(body)); return nil }})
	if err != nil || got.Status != 418 || string(got.Body) != "short and stout" {
		t.Fatalf("%+v %v", got, err)
	}
	if seen := got.Header.Get("X-Seen"); seen != "POST /base/a%2Fb?q=1&q=2 application/json {} Portreeve {}" {
		t.Errorf("the service saw %q", seen)
	}
}

func TestAnAnswerThatCannotBeUsedSaysWhy(t *testing.T) {
	t.Parallel()
	zip := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.Bytes()
	}
	bomb := zip(strings.Repeat("0", 4<<20))
	grain := make([]byte, 1<<20)
	_, _ = rand.Read(grain)
	noise := string(grain)
	hollow := bytes.Repeat(zip(""), 1000) // members that hold nothing
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   Why // "" an answer
		status int
		body   string
	}{
		{"a redirect is not followed", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", 302) }, "", 302, ""},
		{"gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zip("plain"))
		}, "", 200, "plain"},
		{"gzip of nothing", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(204)
		}, "", 204, ""},
		{"just as large as may be", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) }, "", 200, string(make([]byte, 1<<20))},
		{"too large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20+1)) }, TooLarge, 0, ""},
		{"too large when inflated", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		}, TooLarge, 0, ""},
		{"hollow", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			for r.Context().Err() == nil {
				if _, err := w.Write(hollow); err != nil {
					return
				}
			}
		}, TooLarge, 0, ""},
		{"gzip of what cannot be packed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zip(noise))
		}, "", 200, noise},
		{"no gzip at all", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "plain text")
		}, Garbled, 0, ""},
		{"another encoding", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, "x")
		}, Garbled, 0, ""},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, Garbled, 0, ""},
		{"reset", func(w http.ResponseWriter, _ *http.Request) { raw(w, "") }, Unreachable, 0, ""},
		{"no HTTP", func(w http.ResponseWriter, _ *http.Request) { raw(w, "HTP/9 secret-word\r\n\r\n") }, Garbled, 0, ""},
		{"a head without end", func(w http.ResponseWriter, _ *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("secret-word", 20000)+"\r\n\r\n")
		}, Garbled, 0, ""},
		{"late", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Late, 0, ""},
		{"late in its body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, Late, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := Options{Private: true, Timeout: 10 * time.Second}
			if c.want == Late {
				o.Timeout = 50 * time.Millisecond
			}
			got, err := to(t, service(t, c.answer), o).Do(t.Context(), Request{Method: "GET", Path: "/path-word", Query: "secret-word"})
			if c.want != "" {
				var e *Error
				if !errors.As(err, &e) || e.Why != c.want {
					t.Fatalf("%v, want %s", err, c.want)
				}
				if s := err.Error(); strings.Contains(s, "secret-word") || strings.Contains(s, "path-word") {
					t.Errorf("the error says too much: %s", s)
				}
				return
			}
			if err != nil || got.Status != c.status || c.status == 200 && string(got.Body) != c.body {
				t.Errorf("%v %v", got, err)
			}
			if got != nil && c.name == "gzip" && (got.Header.Has("Content-Encoding") || got.Header.Has("Content-Length")) {
				t.Errorf("what was unpacked still says how it was packed: %v", got.Header)
			}
		})
	}
}

// raw writes bytes instead of an answer and ends the connection.
func raw(w http.ResponseWriter, s string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, s)
	_ = conn.Close()
}

func TestNobodyAtHome(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_ = l.Close()
	_, err = to(t, "http://"+at, Options{Private: true}).Do(t.Context(), Request{Method: "GET"})
	if e := (*Error)(nil); !errors.As(err, &e) || e.Why != Unreachable {
		t.Errorf("%v", err)
	}
	c, _ := New(Options{BaseURL: "https://" + at, Private: true})
	if _, err = c.Do(t.Context(), Request{Method: "GET"}); err == nil {
		t.Error("an answer of nobody")
	}
	plain := service(t, func(http.ResponseWriter, *http.Request) {})
	c, _ = New(Options{BaseURL: "https://" + strings.TrimPrefix(plain, "http://"), Private: true})
	if _, err = c.Do(t.Context(), Request{Method: "GET"}); err == nil {
		t.Error("plain HTTP passed for TLS")
	}
	self := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(self.Close)
	c, _ = New(Options{BaseURL: self.URL, Private: true})
	_, err = c.Do(t.Context(), Request{Method: "GET"})
	if e := (*Error)(nil); !errors.As(err, &e) || e.Why != Unreachable {
		t.Errorf("a certificate of nobody: %v", err)
	}
}

func TestSomeAddressesAreNotCalled(t *testing.T) {
	t.Parallel()
	called := false
	url := service(t, func(http.ResponseWriter, *http.Request) { called = true })
	own := netip.MustParseAddrPort(strings.TrimPrefix(url, "http://"))
	for name, o := range map[string]Options{
		"our own listener": {Private: true, Refuse: func(a netip.AddrPort) bool { return a == own }},
		"loopback":         {},
	} {
		for _, base := range []string{url, fmt.Sprintf("http://localhost:%d", own.Port()), fmt.Sprintf("http://[::ffff:127.0.0.1]:%d", own.Port())} {
			_, err := to(t, base, o).Do(t.Context(), Request{Method: "GET"})
			if e := (*Error)(nil); !errors.As(err, &e) || e.Why == Late || called {
				t.Errorf("%s by %s: %v", name, base, err)
			}
		}
	}
	for a, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00::1": false, "100.64.0.1": false, "0.0.0.0": false, "::": false, "224.0.0.1": false,
		"255.255.255.255": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "::a00:1": false, "fec0::1": false,
		"::ffff:0:7f00:1": false, "::ffff:0:a9fe:a9fe": false, "64:ff9b:1::1": false, "100::1": false, "5f00::1": false, "4000::1": false, "2001:db8::1": false,
	} {
		if got := Public(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
}

func TestABaseURLThatIsNone(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "service.example.com", "http://service.example.com", "ftp://x", "https://", "https://:443", "https://u:p@x", "https://x?q",
		"https://x?", "https://x#f", "https://x#", "https://x/a/../b", "https://x/%2e%2e/b", "https:x", "https://x/%zz"} {
		if _, err := New(Options{BaseURL: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q is quoted", bad)
		}
	}
	for _, good := range []string{"https://x", "https://x:8443/v1/", "https://[::1]:1"} {
		if _, err := New(Options{BaseURL: good}); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestACallThatIsNoneIsNotSent(t *testing.T) {
	t.Parallel()
	c := to(t, service(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }), Options{Private: true})
	for _, r := range []Request{
		{Method: "GET", Path: "x"}, {Method: "GET", Path: "/../x"}, {Method: "GET", Path: "/%2e%2E/x"}, {Method: "GET", Path: "/x?y"}, {Method: "GET", Path: "/x#y"},
		{Method: "GET", Path: "/x\r\n"}, {Method: "GET", Path: `/a\b`}, {Method: "GET", Path: "/%zz"}, {Method: "G T", Path: "/x"},
		{Method: "GET", Query: "a=b#c"}, {Method: "GET", Query: "a b"}, {Method: "GET", Query: "a\r\nb"}, {Method: "GET", Query: "ä"},
		{Method: "GET", Path: "/", Sign: func(*http.Request, []byte) error { return errors.New("no key") }},
	} {
		_, err := c.Do(t.Context(), r)
		if e := (*Error)(nil); !errors.As(err, &e) || e.Why != Refused {
			t.Errorf("%q: %v", r.Path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, Request{Method: "GET"}); err == nil {
		t.Error("nobody waits, and there is an answer")
	}
}

func TestAProxyOfTheEnvironmentIsNotAsked(t *testing.T) {
	t.Parallel()
	if transport(Options{}).Proxy != nil {
		t.Error("a proxy would dial for us, past every check")
	}
}
