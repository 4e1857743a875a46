package std

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/wire"
)

// disagreement compares the head that Next returned with the request that
// net/http parsed: "" when they say the same.
func disagreement(h *wire.Head, r *http.Request) string {
	type facts struct {
		Method, Target, Proto, Host string
		Length                      int64
		Close                       bool
		Header                      http.Header
	}
	ours := facts{h.Method, mended(h.Target), h.Proto, strings.ToLower(h.Host), h.ContentLength, h.Close || h.Websocket, http.Header{}}
	for _, f := range h.Header {
		k := textproto.CanonicalMIMEHeaderKey(f.Name)
		ours.Header[k] = append(ours.Header[k], f.Value)
	}
	if !h.Chunked {
		ours.Length = max(ours.Length, 0)
	} else {
		delete(ours.Header, "Trailer")
	}
	if h.Websocket {
		ours.Header.Add("Connection", "close")
	}
	if p := ours.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && ours.Header["Cache-Control"] == nil {
		ours.Header["Cache-Control"] = []string{"no-cache"}
	}
	delete(ours.Header, "Host")
	delete(ours.Header, "Transfer-Encoding")

	theirs := facts{r.Method, r.RequestURI, r.Proto, strings.ToLower(r.Host), r.ContentLength, r.Close, r.Header.Clone()}
	if !h.Websocket {
		delete(theirs.Header, "Upgrade")
	}
	delete(theirs.Header, "Http2-Settings")
	delete(theirs.Header, "Host")
	return cmp.Diff(ours, theirs)
}

// site is a handler behind the head check: it answers what it was asked, and
// keeps what went wrong.
type site struct {
	mu       sync.Mutex
	heads    []*wire.Head
	refusals []*wire.Refusal
	wrong    []string
	faults   []error
	inner    http.HandlerFunc // in place of the usual answer
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := ConnFrom(r.Context())
	head, refusal := c.Next()
	w.Header().Set("X-Handled", "yes")
	s.mu.Lock()
	if refusal != nil {
		s.refusals = append(s.refusals, refusal)
	} else {
		s.heads = append(s.heads, head)
		if d := disagreement(head, r); d != "" {
			s.wrong = append(s.wrong, d)
		}
	}
	s.mu.Unlock()
	switch {
	case refusal != nil:
		w.WriteHeader(refusal.Status)
	case s.inner != nil:
		s.inner(w, r)
	case r.Header.Get("X-Skip") != "":
	default:
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			s.mu.Lock()
			s.faults = append(s.faults, errors.Join(err, c.Fault()))
			s.mu.Unlock()
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("X-Got", fmt.Sprintf("%s %d", head.Target, n))
	}
}

func (s *site) targets() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.heads {
		out = append(out, h.Target)
	}
	return out
}

func (s *site) check(tb testing.TB) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.wrong {
		tb.Errorf("net/http read another request than the check did (-check +net/http):\n%s", w)
	}
}

// serve runs the site on a loopback port until the test ends.
func serve(tb testing.TB, s *site, o ConnOptions) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	srv := &http.Server{Handler: s}
	Prepare(srv, o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(Listen(l, o))
	}()
	tb.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return l.Addr().String()
}

// exchange sends bytes in pieces and reads every answer until the server
// closes. The pieces are written whatever comes back meanwhile.
func exchange(tb testing.TB, addr string, pieces ...string) []*http.Response {
	tb.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		for _, p := range pieces {
			if _, err := io.WriteString(c, p); err != nil {
				return // the server had enough
			}
		}
	}()
	return answers(tb, c)
}

func answers(tb testing.TB, r io.Reader) (out []*http.Response) {
	tb.Helper()
	br := bufio.NewReader(r)
	for {
		if _, err := br.Peek(1); err != nil {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				tb.Fatalf("the connection stayed open after %d answers", len(out))
			}
			return out
		}
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			tb.Fatalf("answer %d: %v", len(out), err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if res.StatusCode != http.StatusContinue {
			out = append(out, res)
		}
	}
}

func statuses(rs []*http.Response) (out []int) {
	for _, r := range rs {
		out = append(out, r.StatusCode)
	}
	return out
}

func bytewise(s string) []string { return strings.Split(s, "") }

type refusedHead struct {
	name, head string
	status     int
}

// corpus reads the heads that package wire refuses.
func corpus(tb testing.TB) []refusedHead {
	tb.Helper()
	b, err := os.ReadFile("../../wire/testdata/refused.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var out []refusedHead
	for line := range strings.Lines(string(b)) {
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cols) != 3 {
			continue
		}
		status, err1 := strconv.Atoi(cols[0])
		head, err2 := strconv.Unquote(cols[2])
		if err1 != nil || err2 != nil {
			tb.Fatalf("%q: %v %v", line, err1, err2)
		}
		out = append(out, refusedHead{cols[1], head, status})
	}
	if len(out) < 50 {
		tb.Fatalf("only %d heads", len(out))
	}
	return out
}
