package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/portreeve/portreeve/internal/gateway"
)

// FuzzAnswer reads an answer with net/http beside ours: what we accept, it
// must accept too, with the same status, headers and body.
func FuzzAnswer(f *testing.F) {
	for _, c := range refusedAnswers {
		f.Add([]byte(c.text), false)
	}
	f.Add([]byte(okHead+"Content-Length: 5\r\n\r\nhello"), false)
	f.Add([]byte(okHead+"Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nX: y\r\n\r\nmore"), true)
	f.Add([]byte("HTTP/1.0 200\r\nA: b\r\n\r\nuntil closed"), true)
	f.Fuzz(func(t *testing.T, in []byte, bytewise bool) {
		a, got, err := readAll(in, bytewise)
		again, gotAgain, errAgain := readAll(in, !bytewise)
		if (err == nil) != (errAgain == nil) || err == nil && (got != gotAgain || a.status != again.status) {
			t.Fatalf("in one piece and in many: %q %v, %q %v", got, err, gotAgain, errAgain)
		}
		if err != nil {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(in)), &http.Request{Method: "GET"})
		if err != nil {
			t.Fatalf("net/http refuses what we accept: %v", err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("net/http refuses the body that we accept: %v", err)
		}
		if res.StatusCode != a.status || string(body) != got {
			t.Fatalf("%d %q, net/http %d %q", a.status, got, res.StatusCode, body)
		}
		for _, f := range a.fields {
			if !strings.Contains(strings.Join(res.Header.Values(f.Name), "\n"), f.Value) && !strings.EqualFold(f.Name, "Trailer") {
				t.Fatalf("field %q: %q, net/http %q", f.Name, f.Value, res.Header.Values(f.Name))
			}
		}
	})
}

// readAll reads one answer to a GET.
func readAll(in []byte, bytewise bool) (answer, string, error) {
	var src io.Reader = bytes.NewReader(in)
	if bytewise {
		src = iotest.OneByteReader(src)
	}
	x := &exchange{o: &gateway.Forward{Method: "GET"}, in: inflow{src: src, buf: make([]byte, 4096)}}
	for n := 0; ; n++ {
		x.in.src = src
		size, err := x.nextHead(maxHeadBytes)
		if err != nil {
			return x.ans, "", err
		}
		err = x.ans.parse(string(x.in.buf[x.in.r : x.in.r+size]))
		x.in.r += size
		if err != nil {
			return x.ans, "", err
		}
		if x.ans.status >= 200 || n > 0 {
			break
		}
	}
	if x.ans.status < 200 {
		return x.ans, "", unasked
	}
	var out bytes.Buffer
	if !x.ans.hasBody("GET") {
		return x.ans, "", nil
	}
	b := x.body()
	for {
		p, err := b.take()
		if err != nil {
			return x.ans, "", err
		}
		out.Write(p)
		if b.done {
			return x.ans, out.String(), nil
		}
		if len(p) > 0 && x.in.r < x.in.w {
			continue
		}
		if err := x.in.fill(); err != nil {
			if err == io.EOF && b.kind == untilClose {
				return x.ans, out.String(), nil
			}
			return x.ans, "", io.ErrUnexpectedEOF
		}
	}
}
