package flows

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// To an HTTP/1.0 client (nginx in its default setting is one) the end of the
// connection ends the body: it must see that an answer broke off.
func TestCutAnswersLookCut(t *testing.T) {
	t.Parallel()
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = c.Read(make([]byte, 4<<10))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			time.Sleep(50 * time.Millisecond) // so that the answer begins at the client
			_ = c.Close()
		}
	}()
	e := start(t, setting{Words: map[string]string{"CUT": l.Addr().String()}, Text: `
environment: test
routes:
  - {path: /cut, method: get, upstream: "http://@CUT@"}
`})
	for _, proto := range []string{"HTTP/1.0", "HTTP/1.1"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprintf(c, "GET /cut %s\r\nHost: a\r\n\r\n", proto)
		all, err := io.ReadAll(c)
		_ = c.Close()
		if whole := strings.HasSuffix(string(all), "\r\n0\r\n\r\n") || proto == "HTTP/1.0" && err == nil; whole {
			t.Errorf("%s: %q looks like a whole answer (%v)", proto, all, err)
		}
	}
}
