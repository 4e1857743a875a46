package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/request"
)

func TestHeadsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range corpus(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, n, err := ParseHead([]byte(c.head+"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"), Limits{})
			var r *Refusal
			if !errors.As(err, &r) || n != 0 {
				t.Fatalf("got n=%d err=%v, want a refusal", n, err)
			}
			if r.Status != c.status {
				t.Errorf("got status %d (%s), want %d", r.Status, r.Reason, c.status)
			}
		})
	}
}

func TestHeadsThatPass(t *testing.T) {
	t.Parallel()
	host := request.Field{Name: "Host", Value: "a"}
	none := int64(-1)
	for _, c := range []struct {
		name, head string
		want       Head
	}{
		{"plain", "GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n",
			Head{Method: "GET", Target: "/x?y", Proto: "HTTP/1.1", Header: request.Header{host}, ContentLength: none}},
		{"order, blanks, duplicates and empty values stay", "GET / HTTP/1.1\r\nb:  1\t \r\nHost: a\r\nB:2\r\nc:\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.1", ContentLength: none,
				Header: request.Header{{Name: "b", Value: "1"}, host, {Name: "B", Value: "2"}, {Name: "c"}}}},
		{"length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\n\r\n",
			Head{Method: "POST", Target: "/", Proto: "HTTP/1.1", ContentLength: 5,
				Header: request.Header{host, {Name: "Content-Length", Value: "05"}}}},
		{"chunked", "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n",
			Head{Method: "POST", Target: "/", Proto: "HTTP/1.1", ContentLength: none, Chunked: true,
				Header: request.Header{host, {Name: "transfer-encoding", Value: "chunked"}}}},
		{"close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.1", ContentLength: none, Close: true,
				Header: request.Header{host, {Name: "Connection", Value: "x, CLOSE"}}}},
		{"a long s closes nothing", "GET / HTTP/1.1\r\nHost: a\r\nConnection: clo\u017fe\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.1", ContentLength: none,
				Header: request.Header{host, {Name: "Connection", Value: "clo\u017fe"}}}},
		{"HTTP/1.0 closes", "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.0", Header: request.Header{host}, ContentLength: none, Close: true}},
		{"HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.0", ContentLength: none,
				Header: request.Header{host, {Name: "Connection", Value: "keep-alive"}}}},
		{"absolute form", "GET HTTP://A?x HTTP/1.1\r\nHost: a\r\n\r\n",
			Head{Method: "GET", Target: "HTTP://A?x", Proto: "HTTP/1.1", Header: request.Header{host}, ContentLength: none}},
		{"bad escapes and raw bytes are the path's affair", "GET /%zz\xff%#%?% HTTP/1.1\r\nHost: a\r\n\r\n",
			Head{Method: "GET", Target: "/%zz\xff%#%?%", Proto: "HTTP/1.1", Header: request.Header{host}, ContentLength: none}},
		{"h2c goes", "GET / HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.1", ContentLength: none,
				Header: request.Header{host, {Name: "Connection", Value: "Upgrade, HTTP2-Settings"}}}},
		{"websocket stays", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.1", ContentLength: none, Websocket: true,
				Header: request.Header{host, {Name: "Upgrade", Value: "WebSocket"}, {Name: "Connection", Value: "Upgrade"}}}},
		{"websocket by POST goes", "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
			Head{Method: "POST", Target: "/", Proto: "HTTP/1.1", ContentLength: none,
				Header: request.Header{host, {Name: "Connection", Value: "Upgrade"}}}},
		{"websocket beside h2c goes", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
			Head{Method: "GET", Target: "/", Proto: "HTTP/1.1", ContentLength: none,
				Header: request.Header{host, {Name: "Connection", Value: "Upgrade"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, n, err := ParseHead([]byte(c.head+"rest"), Limits{})
			if err != nil || n != len(c.head) {
				t.Fatalf("got n=%d err=%v, want n=%d", n, err, len(c.head))
			}
			c.want.Host = "a"
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
			for i := range c.head {
				if _, n, err := ParseHead([]byte(c.head[:i]), Limits{}); n != 0 || err != nil {
					t.Fatalf("its first %d bytes: got n=%d err=%v, want more", i, n, err)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	head := func(fields, pad int) []byte {
		s := "GET / HTTP/1.1\r\nHost: a\r\n"
		for i := range fields - 1 {
			s += fmt.Sprintf("X%d: 1\r\n", i)
		}
		return []byte(s + "Y: " + strings.Repeat("y", pad) + "\r\n\r\n")
	}
	status := func(b []byte, l Limits) int {
		_, n, err := ParseHead(b, l)
		var r *Refusal
		if errors.As(err, &r) {
			return r.Status
		}
		if n == 0 {
			return 0
		}
		return 200
	}
	b := head(3, 100)
	for _, c := range []struct {
		name string
		b    []byte
		l    Limits
		want int
	}{
		{"as large as allowed", b, Limits{HeadBytes: len(b)}, 200},
		{"one byte too large", b, Limits{HeadBytes: len(b) - 1}, 431},
		{"too large before it ends", b[:60], Limits{HeadBytes: 60}, 431},
		{"not yet too large", b[:59], Limits{HeadBytes: 60}, 0},
		{"as many fields as allowed", b, Limits{Headers: 4}, 200},
		{"one field too many", b, Limits{Headers: 3}, 431},
		{"default count", head(100, 1), Limits{}, 431},
		{"default bytes", head(1, DefaultHeadBytes), Limits{}, 431},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := status(c.b, c.l); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestReasonsNeverQuoteTheRequest(t *testing.T) {
	t.Parallel()
	for _, c := range corpus(t) {
		head := strings.ReplaceAll(c.head, "Host: a", "Host: a\r\nAuthorization: hunter2")
		if _, _, err := ParseHead([]byte(head), Limits{}); err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func BenchmarkParseHead(b *testing.B) {
	head := []byte("GET /api/users/42?full=1 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n" +
		"Authorization: Bearer " + strings.Repeat("x", 600) + "\r\nX-Request-Id: 0123456789abcdef\r\nConnection: keep-alive\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, n, err := ParseHead(head, Limits{}); n == 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}
