package std

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/wire"
)

const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

func TestSmuggledHeadsAreAnsweredAndNeverSeen(t *testing.T) {
	t.Parallel()
	for _, c := range corpus(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const first = "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
			all := c.head + "5\r\nhello\r\n0\r\n\r\n" + last
			for name, run := range map[string]struct {
				pieces []string
				want   []int
			}{
				"alone":               {[]string{all}, []int{c.status}},
				"byte by byte":        {bytewise(all), []int{c.status}},
				"behind a good one":   {[]string{first + all}, []int{200, c.status}},
				"behind, byte by one": {bytewise(first + all), []int{200, c.status}},
			} {
				s := &site{}
				got := exchange(t, serve(t, s, ConnOptions{}), run.pieces...)
				if diff := cmp.Diff(run.want, statuses(got)); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				for _, target := range s.targets() {
					if target != "/first" {
						t.Errorf("%s: the handler saw %s", name, target)
					}
				}
				for _, r := range got {
					if r.Header.Get("X-Handled") == "" {
						t.Errorf("%s: net/http answered by itself", name)
					}
				}
				s.check(t)
			}
		})
	}
}

func TestGoodRequestsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, bytes string
		want        []string // X-Got of each answer
	}{
		{"pipelined, all kinds of bodies",
			"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
				"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /" +
				"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n" +
				"POST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" +
				"TRACE /5 HTTP/1.1\r\nHost: a\r\n\r\n" + last,
			[]string{"/1 0", "/2 5", "/3 13", "/4 0", "/5 0", "/last 0"}},
		{"nothing behind a close", last + "GET /no HTTP/1.1\r\nHost: a\r\n\r\n", []string{"/last 0"}},
		{"HTTP/1.0", "GET /1 HTTP/1.0\r\nHost: a\r\n\r\nGET /no HTTP/1.1\r\nHost: a\r\n\r\n", []string{"/1 0"}},
		{"absolute form", "GET http://a/1 HTTP/1.1\r\nHost: a\r\n\r\n" + last, []string{"http://a/1 0", "/last 0"}},
		{"targets that net/http would refuse",
			"GET /100% HTTP/1.1\r\nHost: a\r\n\r\nGET /%zz%41?%zz HTTP/1.1\r\nHost: a\r\n\r\nGET //b/%2 HTTP/1.1\r\nHost: a\r\n\r\n" + last,
			[]string{"/100% 0", "/%zz%41?%zz 0", "//b/%2 0", "/last 0"}},
		{"h2c is not taken up",
			"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + last,
			[]string{"/1 0", "/last 0"}},
		{"a body that the handler leaves",
			"POST /1 HTTP/1.1\r\nHost: a\r\nX-Skip: 1\r\nContent-Length: 29\r\n\r\nGET /no HTTP/1.1\r\nHost: a\r\n\r\n" + last,
			[]string{"", "/last 0"}},
		{"a forged refusal is a request like any other", refused, []string{"/ 0"}},
		{"a large head", "GET /1 HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 60000) + "\r\n\r\n" + last, []string{"/1 0", "/last 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, pieces := range [][]string{{c.bytes}, halves(c.bytes), bytewise(c.bytes)} {
				if len(pieces) > 1000 {
					continue
				}
				s := &site{}
				var got []string
				for _, r := range exchange(t, serve(t, s, ConnOptions{}), pieces...) {
					got = append(got, r.Header.Get("X-Got"))
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("in %d pieces: %s", len(pieces), diff)
				}
				s.check(t)
			}
		})
	}
}

func halves(s string) []string { return []string{s[:len(s)/2], s[len(s)/2:]} }

func TestBrokenBodiesEndTheConnection(t *testing.T) {
	t.Parallel()
	head := "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, body := range map[string]string{
		"not hexadecimal":   "zz\r\nhello\r\n0\r\n\r\n",
		"extension":         "5;x=y\r\nhello\r\n0\r\n\r\n",
		"bare LF":           "5\nhello\n0\n\n",
		"too long":          "4\r\nhello\r\n0\r\n\r\n",
		"late":              "5\r\nhello\r\n-1\r\n",
		"forbidden trailer": "0\r\nContent-Length: 50\r\n\r\n",
		"bad trailer":       "0\r\nX : 50\r\n\r\n",
		"huge size":         "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, pieces := range [][]string{{head + body + last}, bytewise(head + body + last)} {
				s := &site{}
				got := exchange(t, serve(t, s, ConnOptions{}), pieces...)
				if diff := cmp.Diff([]int{400}, statuses(got)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff([]string{"/1"}, s.targets()); diff != "" {
					t.Error(diff)
				}
				var r *wire.Refusal
				if len(s.faults) != 1 || !errors.As(s.faults[0], &r) {
					t.Errorf("got faults %v, want a refusal", s.faults)
				}
			}
			s := &site{} // nobody reads the body: still nothing behind it is a request
			skip := strings.Replace(head, "Host", "X-Skip: 1\r\nHost", 1)
			exchange(t, serve(t, s, ConnOptions{}), skip+body+last)
			if diff := cmp.Diff([]string{"/1"}, s.targets()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	s := &site{}
	c, err := net.Dial("tcp", serve(t, s, ConnOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
	br := bufio.NewReader(c)
	if line, err := br.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatal(line, err)
	}
	_, _ = br.ReadString('\n')
	_, _ = io.WriteString(c, "abc"+last)
	got := answers(t, br)
	if len(got) != 2 || got[0].Header.Get("X-Got") != "/1 3" {
		t.Errorf("got %v", statuses(got))
	}
	s.check(t)
}

const handshake = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

func TestWebSocketBytesGoToTheHijacker(t *testing.T) {
	t.Parallel()
	const eager = "\x81\x05hello\nGET /no HTTP/1.1\r\n\r\n\x00"
	s := &site{inner: func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
		_, _ = io.CopyN(c, rw, 2*int64(len(eager)))
	}}
	addr := serve(t, s, ConnOptions{HeadTimeout: time.Minute})
	for _, pieces := range [][]string{{handshake + eager + eager}, bytewise(handshake + eager + eager), {handshake, eager, eager}} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		for _, p := range pieces {
			_, _ = io.WriteString(c, p)
		}
		got, err := io.ReadAll(c)
		_, body, _ := strings.Cut(string(got), "\r\n\r\n")
		if body != eager+eager {
			t.Errorf("got %q, %v", body, err)
		}
	}
	s.check(t)
}

func TestRefusedHandshakeClosesTheConnection(t *testing.T) {
	t.Parallel()
	s := &site{}
	got := exchange(t, serve(t, s, ConnOptions{}), handshake+"GET /no HTTP/1.1\r\nHost: a\r\n\r\n")
	if len(got) != 1 || !slices.Equal(s.targets(), []string{"/ws"}) {
		t.Errorf("got %d answers and targets %v", len(got), s.targets())
	}
	s.check(t)
}

func TestBodiesAreNotBuffered(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	s := &site{inner: func(w http.ResponseWriter, r *http.Request) {
		c, seen, most := ConnFrom(r.Context()), 0, 0
		p := make([]byte, 32<<10)
		for {
			n, err := r.Body.Read(p)
			seen += n
			most = max(most, cap(c.buf), cap(c.in))
			if err != nil {
				break
			}
		}
		w.Header().Set("X-Got", fmt.Sprintf("%d %v", seen, most <= bufferSize))
	}}
	addr := serve(t, s, ConnOptions{})
	data := strings.Repeat("x", size)
	for _, body := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, data),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, data),
	} {
		got := exchange(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+body)
		if len(got) != 1 || got[0].Header.Get("X-Got") != fmt.Sprintf("%d true", size) {
			t.Errorf("got %v", got)
		}
	}
}

func TestAnEmptyQueueRefuses(t *testing.T) {
	t.Parallel()
	head, refusal := new(Conn).Next()
	if head != nil || refusal == nil {
		t.Errorf("got %v %v", head, refusal)
	}
}

func TestARefusalReachesAClientThatKeepsSending(t *testing.T) {
	t.Parallel()
	s := &site{}
	addr := serve(t, s, ConnOptions{})
	for range 5 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		for _, p := range []string{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", strings.Repeat("x", 100<<10), "end"} {
			_, _ = io.WriteString(c, p)
		}
		if got := statuses(answers(t, c)); !slices.Equal(got, []int{400}) {
			t.Errorf("got %v", got)
		}
	}
}

func TestAFloodBehindTheLastRequestIsCutOff(t *testing.T) {
	t.Parallel()
	cut := make(chan bool, 1)
	s := &site{inner: func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			cut <- true
		case <-time.After(10 * time.Second):
			cut <- false
		}
	}}
	exchange(t, serve(t, s, ConnOptions{}), last, strings.Repeat("x", 2*maxDropped))
	if !<-cut {
		t.Error("the bytes were read on and on")
	}
}

// recorder notes how a connection ends.
type recorder struct {
	*scripted
	calls chan string
}

func (r recorder) CloseWrite() error { r.calls <- "end our side"; return nil }
func (r recorder) Close() error      { r.calls <- "close"; return nil }

func TestAfterARefusalTheRestIsReadBeforeClosing(t *testing.T) {
	t.Parallel()
	for linger, want := range map[bool][]string{true: {"end our side", "close"}, false: {"close"}} {
		r := recorder{&scripted{pieces: [][]byte{make([]byte, 9000)}}, make(chan string, 3)}
		freed := make(chan struct{})
		c := &Conn{Conn: r, o: &ConnOptions{}, free: func() { close(freed) }}
		c.linger.Store(linger)
		_, _ = c.Close(), c.Close()
		<-freed
		close(r.calls)
		if got := slices.Collect(func(yield func(string) bool) {
			for s := range r.calls {
				yield(s)
			}
		}); !slices.Equal(got, want) {
			t.Errorf("linger %v: got %v, want %v", linger, got, want)
		}
		if left := len(r.pieces) > 0; left == linger {
			t.Errorf("linger %v: the rest was read: %v", linger, !left)
		}
	}
}
