package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzHead holds what is true of every accepted head by itself. That net/http
// reads it alike is fuzzed in internal/server/std.
func FuzzHead(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add([]byte(c.head))
	}
	f.Add([]byte("GET /x?y HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nrest"))
	f.Add([]byte("POST http://[::1]:80/ HTTP/1.0\r\nHost: [::1]:80\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParseHead(b, Limits{HeadBytes: 2000, Headers: 10})
		if err != nil || n == 0 {
			if h != nil || n != 0 {
				t.Fatalf("a head beside n=%d err=%v", n, err)
			}
			return
		}
		again, m, err := ParseHead(b[:n], Limits{HeadBytes: 2000, Headers: 10})
		if err != nil || m != n {
			t.Fatalf("without what follows: n=%d err=%v, want %d", m, err, n)
		}
		if diff := cmp.Diff(h, again); diff != "" {
			t.Fatal(diff)
		}
		var f Finder
		for i := 1; i < n; i++ {
			if k, err := f.Find(b[:i], Limits{HeadBytes: 2000}); k != 0 || err != nil {
				t.Fatalf("at byte %d: %d %v", i, k, err)
			}
		}
		if k, err := f.Find(b, Limits{HeadBytes: 2000}); k != n || err != nil {
			t.Fatalf("byte by byte: %d %v, want %d", k, err, n)
		}
		if h.Chunked && h.ContentLength >= 0 || h.Header.Count("Host") != 1 || h.Method == "CONNECT" || len(h.Header) > 10 {
			t.Fatalf("let through: %+v", h)
		}
		for _, f := range h.Header {
			if strings.ContainsAny(f.Name+f.Value, "\r\n\x00") || f.Name == "" {
				t.Fatalf("field %q", f)
			}
		}
	})
}

// FuzzChunked holds that a body ends at the same byte however it is cut.
func FuzzChunked(f *testing.F) {
	for _, s := range []string{
		"5\r\nhello\r\n0\r\n\r\nGET /", "0\r\nX: 1\r\n\r\n", "5;a\r\n", "0\r\n\n", "fffffffffffffff\r\nx", "0\r\n : x\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		h := Head{Chunked: true, ContentLength: -1}
		n, done, err := takeBy(h.Body(Limits{}), string(b), len(b)+1)
		n2, done2, err2 := takeBy(h.Body(Limits{}), string(b), int(size)+1)
		if n != n2 || done != done2 || (err == nil) != (err2 == nil) {
			t.Fatalf("whole: %d %v %v; by %d: %d %v %v", n, done, err, size+1, n2, done2, err2)
		}
	})
}
