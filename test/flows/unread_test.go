package flows

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A refused request with a body costs its connection only where the body is
// withheld, and then the answer does not wait for it.
func TestRefusalsOfRequestsWithABody(t *testing.T) {
	t.Parallel()
	e := start(t, setting{Files: map[string]string{"secret": sharedSecret}, Text: `
environment: test
jwt: {secret: "{{file.secret}}"}
routes:
  - {path: /guarded, method: post, requireAuth: true}
  - {path: /said, method: post, data: {got: "{{body.a}}"}}
`})
	for _, test := range []struct {
		name, path, length, body string
		status                   int
		kept                     bool
	}{
		{"a body that came with its head", "/guarded", "9", `{"a":"b"}`, 401, true},
		{"a body that is withheld", "/guarded", "9", "", 401, false},
		{"a body that a template reads", "/said", "9", `{"a":"b"}`, 200, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // far below bodyIdle
			in := bufio.NewReader(c)
			for range 2 {
				if _, err := io.WriteString(c, "POST "+test.path+" HTTP/1.1\r\nHost: a.example\r\nContent-Length: "+test.length+"\r\n\r\n"+test.body); err != nil {
					t.Fatal(err)
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil || res.StatusCode != test.status || res.Close == test.kept {
					t.Fatalf("answer %v, %v; want %d, connection kept: %t", res, err, test.status, test.kept)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				if !test.kept {
					return
				}
			}
		})
	}
}
