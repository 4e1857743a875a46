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
func bodyIsHere(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength < 0 || r.ContentLength > unreadBytes || r.Header.Get("Expect") != "" {
		return false
	}
	rc := http.NewResponseController(w)
	if rc.SetReadDeadline(time.Now().Add(unreadFor)) != nil {
		return false
	}
	_, err := io.CopyN(io.Discard, r.Body, unreadBytes+1)
	_ = rc.SetReadDeadline(time.Time{})
	return err == io.EOF
}
