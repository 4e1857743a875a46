package flows

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// An application that answers before it has read the body, while the client
// goes on past maxBody: whoever counts the body must not touch the answer that
// is being written. (http.MaxBytesReader does, and a map that two goroutines
// write ends the process.) Run with -race.
func TestEarlyAnswerToABodyThatIsTooLarge(t *testing.T) {
	t.Parallel()
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	early := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	for i := range 60 {
		early += fmt.Sprintf("X-H%d: v\r\n", i)
	}
	early += "\r\nok"
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				in := bufio.NewReader(c)
				for line := ""; line != "\r\n"; {
					var err error
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				_, _ = io.WriteString(c, early)
				_, _ = io.Copy(io.Discard, in)
			}()
		}
	}()
	e := start(t, setting{Words: map[string]string{"EARLY": l.Addr().String()}, Text: `
environment: test
routes:
  - {path: /up, method: post, upstream: {url: "http://@EARLY@", maxBody: 1000}}
`})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for i := range 25 {
				c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = fmt.Fprintf(c, "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n%0500d\r\n", 0)
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
				_, _ = fmt.Fprintf(c, "3e8\r\n%01000d\r\n", 0)
				status, err := bufio.NewReader(c).ReadString('\n')
				if !strings.HasPrefix(status, "HTTP/1.1 200 ") && !strings.HasPrefix(status, "HTTP/1.1 413 ") {
					t.Errorf("answered %q %v", status, err)
				}
				_ = c.Close()
			}
		})
	}
	clients.Wait()
}
