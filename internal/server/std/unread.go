package std

import (
	"io"
	"net/http"
	"time"
)

// What of a body that nobody wants is still read, so that the connection can
// go on: what usually arrives together with its head, and no more.
const (
	unreadBytes = 4 << 10
	unreadFor   = 20 * time.Millisecond
)

// bodyIsHere reads a short request body that is here already, or as good as,
// and reports whether that was all of it. One that was read before is. A client
// that waits to be asked for its body is not asked.
//
// Behind a body's end net/http reads on, to hear when the client goes away. A
// deadline that passes under that read tells every later request of the
// connection that its client is gone, so none is set where no byte is missing:
// a busy machine takes 20 ms for nothing. Where one is, net/http takes the
// deadline away before it reads on.
func bodyIsHere(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength < 0 || r.ContentLength > unreadBytes || r.Header.Get("Expect") != "" {
		return false
	}
	if c := ConnFrom(r.Context()); c == nil || c.awaited.Load() {
		rc := http.NewResponseController(w)
		if rc.SetReadDeadline(time.Now().Add(unreadFor)) != nil {
			return false
		}
		defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	}
	_, err := io.CopyN(io.Discard, r.Body, unreadBytes+1)
	return err == io.EOF
}
