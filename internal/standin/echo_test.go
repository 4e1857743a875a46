package standin

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// talk writes raw bytes to the application and reads its answers to the end.
func talk(t *testing.T, e *Echo, raw string) []answer {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	var out []answer
	r := bufio.NewReader(c)
	for {
		if _, err := r.Peek(1); err != nil {
			return out
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, answer{res.StatusCode, res.Header, string(b), res.Close})
	}
}

func echo(t *testing.T, o EchoOptions) *Echo {
	t.Helper()
	e := NewEcho(loopback(t), o)
	closing(t, e)
	return e
}

func received(t *testing.T, a answer) *Received {
	t.Helper()
	var r Received
	if err := json.Unmarshal([]byte(a.body), &r); err != nil {
		t.Fatalf("%v in %d %s", err, a.status, a.body)
	}
	return &r
}

const sha256OfHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func TestEchoAnswersExactlyWhatStoodOnTheWire(t *testing.T) {
	t.Parallel()
	var saw *Received
	e := echo(t, EchoOptions{Name: "orders", Saw: func(r *Received) { saw = r }})
	answers := talk(t, e, "POST /a/%2E%2e/b%2Fc//d?x=%20&x=<1> HTTP/1.1\r\n"+
		"hOsT: shop.example\r\nX-Auth-User: one\r\nx_auth.user:two\r\nX-Auth-User: three\r\n"+
		"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	if len(answers) != 1 || answers[0].status != 200 {
		t.Fatalf("got %+v", answers)
	}
	want := &Received{
		App: "orders", Method: "POST", Target: "/a/%2E%2e/b%2Fc//d?x=%20&x=<1>", Protocol: "HTTP/1.1", Nth: 1,
		Headers: []Field{
			{"hOsT", "shop.example"}, {"X-Auth-User", "one"}, {"x_auth.user", "two"}, {"X-Auth-User", "three"},
			{"Content-Type", "text/plain"}, {"Content-Length", "5"},
		},
		CGI: map[string]string{
			"REQUEST_METHOD": "POST", "REQUEST_URI": "/a/%2E%2e/b%2Fc//d?x=%20&x=<1>", "QUERY_STRING": "x=%20&x=<1>",
			"SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": "/a/../b/c//d", "PATH_TRANSLATED": "/b/c/d",
			"HTTP_HOST": "shop.example", "HTTP_X_AUTH_USER": "one, two, three",
			"CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "5",
		},
		Body: Body{5, sha256OfHello},
	}
	if d := cmp.Diff(want, received(t, answers[0])); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, saw); d != "" {
		t.Error(d)
	}
}

func TestEchoReadsChunksTrailersAndTheNextRequest(t *testing.T) {
	t.Parallel()
	e := echo(t, EchoOptions{})
	answers := talk(t, e, "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n"+
		"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"+
		"GET /c HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n"+
		"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
	if len(answers) != 3 {
		t.Fatalf("got %d answers: %+v", len(answers), answers)
	}
	first := received(t, answers[0])
	if d := cmp.Diff([]Field{{"X-Sum", "1"}}, first.Trailers); d != "" || first.Body != (Body{5, sha256OfHello}) {
		t.Errorf("%s %+v", d, first.Body)
	}
	for n, a := range answers {
		if got := received(t, a); got.Nth != n+1 {
			t.Errorf("request %d says it is the %dth", n+1, got.Nth)
		}
	}
}

func TestEchoRefusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	t.Parallel()
	const get = "GET / HTTP/1.1\r\nHost: x\r\n"
	tests := []struct{ name, raw, reason string }{
		{"bare LF", "GET / HTTP/1.1\nHost: x\n\n", "CRLF"},
		{"bare CR", get + "A: b\rc\r\n\r\n", "CRLF"},
		{"NUL", get + "A: b\x00c\r\n\r\n", "CRLF"},
		{"a folded line", get + " folded\r\n\r\n", "header line"},
		{"a space before the colon", get + "A : b\r\n\r\n", "header line"},
		{"a line without a colon", get + "A\r\n\r\n", "header line"},
		{"two spaces in the request line", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "request line"},
		{"a space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "request line"},
		{"another protocol", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "request line"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "Host"},
		{"two Hosts", get + "host: x\r\n\r\n", "Host"},
		{"a length and chunks", get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"},
		{"two lengths", get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "repeated"},
		{"a signed length", get + "Content-Length: +1\r\n\r\nx", "Content-Length"},
		{"a list of lengths", get + "Content-Length: 1, 1\r\n\r\nx", "Content-Length"},
		{"another coding", get + "Transfer-Encoding: gzip, chunked\r\n\r\n", "coding"},
		{"Chunked spelt otherwise", get + "Transfer-Encoding: xchunked\r\n\r\n", "coding"},
		{"a chunk size that is none", get + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", "chunk size"},
		{"a chunk that is too long", get + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "chunk not ended"},
		{"a cut body", get + "Content-Length: 5\r\n\r\nhel", "unexpected EOF"},
		{"a cut chunk", get + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "unexpected EOF"},
		{"a cut head", "GET / HTTP/1.1\r\nHo", "unexpected EOF"},
		{"an endless head", get + "A: " + strings.Repeat("a", maxHead) + "\r\n\r\n", "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var refused error
			e := echo(t, EchoOptions{Refused: func(err error) { refused = err }, Saw: func(r *Received) { t.Errorf("accepted as %+v", r) }})
			answers := talk(t, e, tt.raw)
			if len(answers) != 1 || answers[0].status != 400 || !answers[0].last {
				t.Fatalf("got %+v", answers)
			}
			if refused == nil || !strings.Contains(refused.Error(), tt.reason) {
				t.Errorf("refused with %v, want %q", refused, tt.reason)
			}
		})
	}
}

func TestEchoHeadAndExpect(t *testing.T) {
	t.Parallel()
	e := echo(t, EchoOptions{})
	if got := call(t, "HEAD", e.URL()+"/x", ""); got.status != 200 || got.body != "" || got.header.Get("Content-Length") == "0" {
		t.Errorf("got %+v", got)
	}
	answers := talk(t, e, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
	if len(answers) != 2 || answers[0].status != 100 || answers[1].status != 200 {
		t.Errorf("got %+v", answers)
	}
}

func TestEchoClosesWhileAConnectionIsOpen(t *testing.T) {
	t.Parallel()
	e := NewEcho(loopback(t), EchoOptions{})
	c, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlived the application")
	}
}
