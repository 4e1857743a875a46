package std

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// slowBody is the body of an HTTP/2 request, which no connection of ours
// bounds: nothing of it for too long ends it. Once the answer has begun the two
// may talk as slowly as they like; a gRPC call that goes to an upstream of
// HTTP/2 may from the start.
type slowBody struct {
	io.ReadCloser
	rc    *http.ResponseController
	idle  time.Duration
	armed time.Time
	freed atomic.Bool
}

// boundBody bounds the wait for the bytes of r's body, or returns nil.
func boundBody(w http.ResponseWriter, r *http.Request, idle time.Duration) *slowBody {
	if idle <= 0 {
		return nil
	}
	b := &slowBody{ReadCloser: r.Body, rc: http.NewResponseController(w), idle: idle}
	r.Body = b
	return b
}

// Read reads under a deadline that moves on with the bytes.
func (b *slowBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.armed) > b.idle/rearm && !b.freed.Load() {
		b.armed = now
		_ = b.rc.SetReadDeadline(now.Add(b.idle + b.idle/rearm))
		if b.freed.Load() {
			_ = b.rc.SetReadDeadline(time.Time{})
		}
	}
	n, err := b.ReadCloser.Read(p)
	if late := net.Error(nil); errors.As(err, &late) && late.Timeout() && !b.freed.Load() {
		err = ErrBodyIdle
	}
	return n, err
}

// free takes the bound away.
func (b *slowBody) free() {
	if b != nil {
		b.freed.Store(true)
		_ = b.rc.SetReadDeadline(time.Time{})
	}
}

// boundAnswer bounds how long a client may take nothing of an answer by HTTP/2;
// of HTTP/1.1 the connection does.
func boundAnswer(w http.ResponseWriter, r *http.Request, idle time.Duration) {
	if idle > 0 && r.ProtoMajor == 2 {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(idle))
	}
}
