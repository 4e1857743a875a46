package proxy

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const okHead = "HTTP/1.1 200 OK\r\n"

// Answers that are refused whole: nothing of them reaches the client.
var refusedAnswers = []struct{ name, text string }{
	{"both lengths", okHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
	{"both lengths, the other order", okHead + "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
	{"two different lengths", okHead + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
	{"two equal lengths", okHead + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
	{"a list of lengths", okHead + "Content-Length: 5, 5\r\n\r\nhello"},
	{"a signed length", okHead + "Content-Length: +5\r\n\r\nhello"},
	{"a hexadecimal length", okHead + "Content-Length: 0x5\r\n\r\nhello"},
	{"an empty length", okHead + "Content-Length: \r\n\r\nhello"},
	{"a length above 63 bits", okHead + "Content-Length: 99999999999999999999\r\n\r\nhello"},
	{"two codings", okHead + "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
	{"chunked twice", okHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"an unknown coding", okHead + "Transfer-Encoding: identity\r\n\r\nhello"},
	{"chunked from HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
	{"bare LF throughout", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"},
	{"one bare LF", okHead + "X-A: 1\nX-B: 2\r\nContent-Length: 2\r\n\r\nok"},
	{"bare CR in a value", okHead + "X-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\nok"},
	{"NUL in a value", okHead + "X-A: 1\x002\r\nContent-Length: 2\r\n\r\nok"},
	{"a folded line", okHead + "X-A: 1\r\n  more\r\nContent-Length: 2\r\n\r\nok"},
	{"a blank before the colon", okHead + "Content-Length : 2\r\n\r\nok"},
	{"a field without name", okHead + ": x\r\nContent-Length: 2\r\n\r\nok"},
	{"a field without colon", okHead + "nonsense\r\nContent-Length: 2\r\n\r\nok"},
	{"a blank line first", "\r\n" + okHead + "Content-Length: 2\r\n\r\nok"},
	{"HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	{"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	{"lower-case http", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	{"a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"},
	{"a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"},
	{"status 600", "HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nok"},
	{"status 099", "HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok"},
	{"HTTP/0.9", "<html>hello</html>"},
	{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
	{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"},
	{"204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"1xx with a length", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello" + okHead + "Content-Length: 0\r\n\r\n"},
	{"a flood of 1xx", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 40) + okHead + "Content-Length: 0\r\n\r\n"},
	{"1xx heads that are too large together", strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("a", 9000)+"\r\n\r\n", 10) + okHead + "Content-Length: 0\r\n\r\n"},
	{"too many fields", okHead + strings.Repeat("A: b\r\n", maxFields+1) + "\r\n"},
	{"a head above the bound", okHead + "X: " + strings.Repeat("a", maxHeadBytes) + "\r\nContent-Length: 0\r\n\r\n"},
	{"an endless head", okHead + strings.Repeat("X-Filler: "+strings.Repeat("a", 1000)+"\r\n", 1000)},
	{"nothing but closing", ""},
	{"half a head", okHead + "Content-Le"},
}

func TestMalformedAnswersAre502AndTheConnectionIsDropped(t *testing.T) {
	t.Parallel()
	for _, c := range refusedAnswers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			closed := make(chan error, 8)
			set := rawUpstream(t, func(conn net.Conn, in *bufio.Reader) {
				if _, err := readHead(in); err != nil {
					closed <- err
					return
				}
				_, _ = io.WriteString(conn, c.text)
				if c.text == "" || c.name == "half a head" || c.name == "HTTP/0.9" {
					return // only its end makes it one
				}
				_, err := in.ReadByte()
				closed <- err
			})
			f := newFront(t, set, nil)
			got := f.rawAsk(t, "POST /"+closing)
			for strings.HasPrefix(got, "HTTP/1.1 103 ") { // what was good is passed on
				_, got, _ = strings.Cut(got, "\r\n\r\n")
			}
			if !strings.HasPrefix(got, "HTTP/1.1 502 ") {
				t.Errorf("got %.200q, want a 502", got)
			}
			if strings.Contains(got, set.Address) || strings.Contains(got, "hello") {
				t.Errorf("the answer tells of the upstream: %q", got)
			}
			r := <-f.results
			if r.status != 0 || r.fault == nil || r.fault.Code != CodeMalformed && r.fault.Code != CodeBroke {
				t.Errorf("Serve returned %+v", r)
			}
			if len(f.up.pool.idle) != 0 {
				t.Error("the connection went back to the pool")
			}
			if c.text != "" && c.name != "half a head" && c.name != "HTTP/0.9" {
				if err := <-closed; err == nil {
					t.Error("the connection was used again")
				}
			}
		})
	}
}

func TestAcceptedAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want, body string }{
		{"by length", okHead + "Content-Length: 5\r\n\r\nhello", "200", "hello"},
		{"in chunks", okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", "200", "hello"},
		{"coding in capitals", okHead + "TRANSFER-ENCODING: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "200", "hello"},
		{"HTTP/1.0 gets no trailers", okHead + "Trailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n", "200", "hello"},
		{"until closed", okHead + "\r\nhello", "200", "hello"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", "200", "hello"},
		{"no reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", "404", ""},
		{"an empty reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", "404", ""},
		{"after 100 and 103", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + okHead + "Content-Length: 2\r\n\r\nok", "200", "ok"},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", "204", ""},
		{"204 with length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204", ""},
		{"304 with the length of what it stands for", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: \"a\"\r\n\r\n", "304", ""},
		{"bytes above 0x7F in a value", okHead + "X-Name: caf\xe9\r\nContent-Length: 2\r\n\r\nok", "200", "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, rawUpstream(t, says(c.text)), nil)
			got := f.rawAsk(t, "GET /"+strings.Replace(closing, "1.1", "1.0", 1))
			head, body, _ := strings.Cut(got, "\r\n\r\n")
			if !strings.HasPrefix(head[9:], c.want) || body != c.body {
				t.Errorf("got %q", got)
			}
			if strings.Contains(head, "Trailer") || strings.Contains(head, "X-T:") {
				t.Errorf("a trailer came through: %q", head)
			}
			if r := <-f.results; r.fault != nil || r.bytes != int64(len(c.body)) {
				t.Errorf("Serve returned %+v", r)
			}
		})
	}
}

// Answers whose body breaks off or turns out malformed when the head is
// already with the client: it must be able to tell.
func TestCutBodiesNeverEndCleanly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"short of its length", okHead + "Content-Length: 500\r\n\r\nhello"},
		{"chunks without an end", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
		{"cut inside a chunk", okHead + "Transfer-Encoding: chunked\r\n\r\nff\r\nhello"},
		{"cut inside the trailers", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T"},
		{"a chunk size that is none", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n\r\n"},
		{"a negative chunk size", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n-1\r\n\r\n"},
		{"a chunk size above 60 bits", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1000000000000000\r\n"},
		{"a chunk longer than it says", okHead + "Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n"},
		{"a chunk that ends in bare LF", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n"},
		{"a size line that ends in bare LF", okHead + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"},
		{"endless trailers", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + strings.Repeat("X-T: "+strings.Repeat("a", 1000)+"\r\n", 40) + "\r\n"},
		{"a trailer that ends in bare LF", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\n\r\n"},
		{"a trailer without name", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n: 1\r\n\r\n"},
		{"other bytes where a chunk's line break belongs", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"},
		{"a size line that is too long", okHead + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 3*maxTrailerBytes) + "\r\nx\r\n0\r\n\r\n"},
		{"an endless size line", okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;" + strings.Repeat("a", 3*maxTrailerBytes)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, rawUpstream(t, says(c.text)), nil)
			res, err := f.Client().Get(f.URL)
			if err == nil {
				var body []byte
				body, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err == nil {
					t.Errorf("the client took %q for a whole answer", body)
				}
			}
			if r := <-f.results; r.status != 200 || r.fault == nil {
				t.Errorf("Serve returned %+v", r)
			}
			if len(f.up.pool.idle) != 0 {
				t.Error("the connection went back to the pool")
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	for _, c := range []struct {
		name, want string
		talk       func(net.Conn, *bufio.Reader)
	}{
		{"silence", CodeTimeout, func(c net.Conn, in *bufio.Reader) { _, _ = in.ReadString(0) }},
		{"a head byte by byte", CodeTimeout, func(c net.Conn, in *bufio.Reader) {
			_, _ = readHead(in)
			for _, b := range []byte(okHead + strings.Repeat("X-Slow: 1\r\n", 100)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}},
		{"silence after an upload", CodeTimeout, func(c net.Conn, in *bufio.Reader) { _, _ = in.ReadString(0) }},
		{"a body that stops", CodeTimeout, func(c net.Conn, in *bufio.Reader) {
			_, _ = readHead(in)
			_, _ = io.WriteString(c, okHead+"Content-Length: 10\r\n\r\nhello")
			_, _ = in.ReadString(0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := rawUpstream(t, c.talk)
			set.Timeout, set.IdleTimeout = 100*time.Millisecond, 100*time.Millisecond
			f := newFront(t, set, nil)
			ask := "GET /" + closing
			if c.name == "silence after an upload" {
				ask = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
			}
			got := f.rawAsk(t, ask)
			r := <-f.results
			if r.fault == nil || r.fault.Code != c.want {
				t.Errorf("Serve returned %+v", r)
			}
			if r.status == 0 && !strings.HasPrefix(got, "HTTP/1.1 504 ") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Timeout is for the head alone: neither an upload nor an answer that keeps
// moving is cut by it.
func TestSlowButSteady(t *testing.T) {
	t.Parallel()
	const pause, pieces = 40 * time.Millisecond, 6
	steady := func(w io.Writer) {
		for range pieces {
			time.Sleep(pause)
			_, _ = io.WriteString(w, "piece")
		}
	}
	set := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
		if _, err := readHead(in); err != nil {
			return
		}
		if _, err := io.ReadFull(in, make([]byte, 5*pieces)); err != nil {
			return
		}
		_, _ = io.WriteString(c, okHead+"Content-Length: 30\r\n\r\n")
		steady(c)
	})
	set.Timeout, set.IdleTimeout = 2*pause, 10*time.Second
	f := newFront(t, set, nil)
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 30\r\n\r\n")
	steady(c)
	if got, _ := io.ReadAll(c); !strings.HasSuffix(string(got), strings.Repeat("piece", pieces)) {
		t.Errorf("got %q", got)
	}
	if r := <-f.results; r.status != 200 || r.fault != nil || r.bytes != 30 {
		t.Errorf("Serve returned %+v", r)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	for _, c := range []struct{ name, address, want string }{
		{"refused", address, CodeUnreachable},
		{"no such name", "nobody.invalid:80", CodeUnreachable},
	} {
		f := newFront(t, Settings{Scheme: "http", Address: c.address}, nil)
		got := f.rawAsk(t, "GET /"+closing)
		if r := <-f.results; r.fault == nil || r.fault.Code != c.want || !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("%s: Serve returned %+v, client got %q", c.name, r, got)
		}
	}
}
