package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
)

func at(s *httptest.Server) Settings {
	return Settings{Scheme: "http", Address: s.Listener.Addr().String()}
}

// hasher answers with the length and digest of the body that it got.
func hasher(t testing.TB) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		_, _ = fmt.Fprintf(w, "%d %s %v", n, hex.EncodeToString(h.Sum(nil)), err)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestBodiesArriveWholeInBothFramings(t *testing.T) {
	t.Parallel()
	f := newFront(t, at(hasher(t)), nil)
	for _, size := range []int{0, 1, 100, 4096, bufferBytes - chunkRoom - 2, bufferBytes, 3 << 20} {
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		sum := sha256.Sum256(body)
		want := fmt.Sprintf("%d %s <nil>", size, hex.EncodeToString(sum[:]))
		for name, r := range map[string]io.Reader{"by length": bytes.NewReader(body), "in chunks": io.MultiReader(bytes.NewReader(body))} {
			res, err := f.Client().Post(f.URL, "application/octet-stream", r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if string(got) != want || err != nil {
				t.Errorf("%d bytes %s: got %q (%v), want %q", size, name, got, err, want)
			}
		}
	}
}

func TestLargeAnswersArriveWhole(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(up.Close)
	f := newFront(t, at(up), nil)
	for _, query := range []string{"length", "chunks"} {
		for range 3 {
			res, err := f.Client().Get(f.URL + "/?" + query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if !bytes.Equal(got, body) || err != nil {
				t.Errorf("%s: %d bytes (%v)", query, len(got), err)
			}
		}
	}
}

// Each piece reaches the client before the upstream says the next.
func TestAnswersStreamUnbuffered(t *testing.T) {
	t.Parallel()
	for _, framing := range []string{"Transfer-Encoding: chunked", "Content-Length: 15", "X-Until: closed"} {
		next := make(chan struct{})
		set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
			_, _ = readHead(in)
			_, _ = io.WriteString(c, okHead+framing+"\r\n\r\n")
			for range 3 {
				<-next
				if strings.HasPrefix(framing, "T") {
					_, _ = io.WriteString(c, "5\r\npiece\r\n")
				} else {
					_, _ = io.WriteString(c, "piece")
				}
			}
			if strings.HasPrefix(framing, "T") {
				_, _ = io.WriteString(c, "0\r\n\r\n")
			}
		})
		f := newFront(t, set, nil)
		res, err := f.Client().Get(f.URL) // the head comes before any piece
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			next <- struct{}{}
			var p [5]byte
			if _, err := io.ReadFull(res.Body, p[:]); err != nil || string(p[:]) != "piece" {
				t.Fatalf("%s: %q %v", framing, p, err)
			}
		}
		if rest, err := io.ReadAll(res.Body); len(rest) != 0 || err != nil {
			t.Errorf("%s: rest %q %v", framing, rest, err)
		}
		_ = res.Body.Close()
	}
}

// A conversation within one exchange: the answer begins before the request is
// whole, and each side waits for the other.
func TestBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
		_, _ = readHead(in)
		_, _ = io.WriteString(c, okHead+"Transfer-Encoding: chunked\r\n\r\n")
		for {
			size, err := in.ReadString('\n')
			if err != nil || size == "0\r\n" {
				break
			}
			data, _ := in.ReadString('\n')
			_, _ = io.WriteString(c, size+data)
		}
		_, _ = in.ReadString('\n')
		_, _ = io.WriteString(c, "0\r\n\r\n")
	})
	f := newFront(t, set, nil)
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(c)
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	if head, err := readHead(in); err != nil || !strings.Contains(head, "200 OK") {
		t.Fatalf("%q %v", head, err)
	}
	for i := range 5 {
		line := fmt.Sprintf("4\r\nno%02d\r\n", i)
		_, _ = io.WriteString(c, line)
		got := make([]byte, len(line))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != line {
			t.Fatalf("%q %v", got, err)
		}
	}
	_, _ = io.WriteString(c, "0\r\n\r\n")
	if rest, err := io.ReadAll(in); string(rest) != "0\r\n\r\n" || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

// An upstream that answers and does not read: the client gets the answer, and
// the rest of its body is never taken for a request.
func TestEarlyAnswerEndsTheClientsConnection(t *testing.T) {
	t.Parallel()
	set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
		_, _ = readHead(in)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
		_, _ = io.Copy(io.Discard, in)
	})
	f := newFront(t, set, nil)
	got := f.rawAsk(t, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.HasSuffix(got, "big") || strings.Count(got, "HTTP/1.1") != 1 {
		t.Errorf("got %q", got)
	}
	if r := <-f.results; r.status != 413 || r.fault != nil || len(f.results) != 0 {
		t.Errorf("Serve returned %+v and %d more", r, len(f.results))
	}
}

// The same when the upstream breaks in the middle of the upload.
func TestBrokenUploadEndsTheClientsConnection(t *testing.T) {
	t.Parallel()
	set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) { _, _ = readHead(in) })
	f := newFront(t, set, nil)
	got := f.rawAsk(t, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 502 ") || strings.Count(got, "HTTP/1.1") != 1 {
		t.Errorf("got %q", got)
	}
	if r := <-f.results; r.status != 0 || r.fault == nil || len(f.results) != 0 {
		t.Errorf("Serve returned %+v and %d more", r, len(f.results))
	}
}

func TestClientsBodyThatBreaksOffNeverReachesTheUpstreamWhole(t *testing.T) {
	t.Parallel()
	for _, framing := range []string{"Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"} {
		saw := make(chan string, 1)
		set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
			_, _ = readHead(in)
			b, err := io.ReadAll(in)
			saw <- fmt.Sprintf("%q %v", b, err)
		})
		f := newFront(t, set, nil)
		c, err := net.Dial("tcp", f.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\n"+framing)
		_ = c.Close()
		if got := <-saw; strings.Contains(got, `0\r\n\r\n`) {
			t.Errorf("the upstream saw a proper end: %s", got)
		}
		if r := <-f.results; r.status != 0 || r.fault == nil || r.fault.Code != CodeRequestCut && r.fault.Code != CodeClientGone {
			t.Errorf("Serve returned %+v", r)
		}
	}
}

// A body that ends before its announced length, whoever made it.
func TestShortBodyIsTheClientsFault(t *testing.T) {
	t.Parallel()
	f := newFront(t, at(hasher(t)), nil)
	r := httptest.NewRequest("POST", "/", nil)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hello")), 10
	status, _, err := f.up.Serve(httptest.NewRecorder(), r, &gateway.Forward{Method: "POST", Path: "/", Host: "a"})
	if status != 0 || err == nil || err.Code != CodeRequestCut {
		t.Errorf("Serve returned %d %v", status, err)
	}
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	f := newFront(t, at(hasher(t)), func(o *gateway.Forward, _ *http.Request) { o.MaxBody = 10 })
	for _, c := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"at the bound", strings.NewReader("0123456789"), 200},
		{"above", strings.NewReader("0123456789a"), 413},
		{"at the bound, in chunks", io.MultiReader(strings.NewReader("0123456789")), 200},
		{"above, in chunks", io.MultiReader(strings.NewReader("0123456789a")), 413},
	} {
		res, err := f.Client().Post(f.URL, "text/plain", c.body)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.want)
		}
	}
}

// A client that leaves takes its exchange along, in every phase.
func TestClientGone(t *testing.T) { // not parallel: it counts goroutines
	before := runtime.NumGoroutine()
	t.Run("phases", func(t *testing.T) {
		for _, c := range []struct{ name, answer string }{
			{"before the head", ""},
			{"in the body", okHead + "Content-Length: 100\r\n\r\nhello"},
			{"in an endless body", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
		} {
			asked, gone := make(chan struct{}), make(chan error, 1)
			set := rawUpstream(t, func(conn net.Conn, in *bufio.Reader) {
				_, _ = readHead(in)
				_, _ = io.WriteString(conn, c.answer)
				close(asked)
				_, err := in.ReadByte()
				gone <- err
			})
			set.Timeout, set.IdleTimeout = time.Minute, time.Minute
			f := newFront(t, set, nil)
			ctx, cancel := context.WithCancel(t.Context())
			req, _ := http.NewRequestWithContext(ctx, "GET", f.URL, nil)
			go func() { <-asked; cancel() }()
			if res, err := f.Client().Do(req); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			if err := <-gone; err == nil {
				t.Errorf("%s: the upstream was not told", c.name)
			}
			if r := <-f.results; r.fault == nil || r.fault.Code != CodeClientGone {
				t.Errorf("%s: Serve returned %+v", c.name, r)
			}
			f.Client().CloseIdleConnections()
		}
	})
	noLeak(t, before)
}

// Clients and upstreams that leave at random moments leave nothing behind.
func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("many", func(t *testing.T) {
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/cut":
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, "hello")
				panic(http.ErrAbortHandler)
			case "/reset":
				panic(http.ErrAbortHandler)
			case "/early":
				w.WriteHeader(413)
			default:
				_, _ = io.Copy(w, r.Body)
			}
		}))
		t.Cleanup(up.Close)
		f := newFront(t, at(up), nil)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration((i*j)%7+1)*time.Millisecond)
					path := []string{"/cut", "/reset", "/early", "/echo"}[(i+j)%4]
					body := strings.NewReader(strings.Repeat("x", j*3000))
					req, _ := http.NewRequestWithContext(ctx, "POST", f.URL+path, body)
					if res, err := f.Client().Do(req); err == nil {
						_, _ = io.Copy(io.Discard, res.Body)
						_ = res.Body.Close()
					}
					cancel()
				}
			})
		}
		all.Wait()
		f.Client().CloseIdleConnections()
	})
	noLeak(t, before)
}
