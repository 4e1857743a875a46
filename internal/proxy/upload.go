package proxy

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var errTooLarge = errors.New("the request body is above the upstream's maxBody")

// chunkRoom is what stands before a chunk's data in the upload buffer: eight
// hexadecimal digits and CRLF.
const chunkRoom = 10

// upload sends a request's body to the upstream while the answer is already
// being waited for: an upstream may answer before it has read everything.
type upload struct {
	src     io.Reader
	dst     *conn
	framing framing
	length  int64
	max     int64 // 0: none
	idle    time.Duration
	last    func() []byte // the last chunk, with the trailers
	clock   *headClock
	done    chan struct{}
	err     error // writing to the upstream failed; set before done is closed
	// client is what reading from the client failed with, or errStopped: the
	// first of both, since stopping an upload makes its reading fail.
	client atomic.Pointer[error]
}

var errStopped = errors.New("upload stopped")

// fail ends the upload for a reason on the client's side.
func (u *upload) fail(err error) {
	u.client.CompareAndSwap(nil, &err)
	_ = u.dst.Close()
}

// blame returns the client's failure, if that is what ended the upload.
func (u *upload) blame() error {
	if u == nil {
		return nil
	}
	if err := u.client.Load(); err != nil && *err != errStopped {
		return *err
	}
	return nil
}

// headClock starts the wait for the answer's head once the request is sent,
// unless the head is already there.
type headClock struct {
	mu      sync.Mutex
	stopped bool
}

func (h *headClock) start(c *conn, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		_ = c.SetReadDeadline(time.Now().Add(d))
	}
}

func (h *headClock) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
}

// run copies until the body ends or either side fails. A client's failure
// closes the upstream's connection, so that the half-sent request can never be
// taken for a whole one; an upstream's failure leaves it open, since an answer
// may stand behind it.
func (u *upload) run(wait time.Duration) {
	defer close(u.done)
	defer func() { u.clock.start(u.dst, wait) }()
	bp := uploadBuffers.Get().(*[]byte)
	defer uploadBuffers.Put(bp)
	buf, total := *bp, int64(0)
	for {
		n, err := u.src.Read(buf[chunkRoom : len(buf)-2])
		total += int64(n)
		if u.max > 0 && total > u.max {
			err = errTooLarge
		}
		if err != nil && err != io.EOF {
			u.fail(err)
			return
		}
		if n > 0 {
			if u.err = u.send(buf, n); u.err != nil {
				return
			}
		}
		if err == io.EOF {
			u.end(total)
			return
		}
	}
}

// send writes n bytes that stand behind the chunk room.
func (u *upload) send(buf []byte, n int) error {
	_ = u.dst.SetWriteDeadline(time.Now().Add(u.idle))
	p := buf[chunkRoom : chunkRoom+n]
	if u.framing == byChunks {
		var digits [chunkRoom]byte
		size := append(strconv.AppendInt(digits[:0], int64(n), 16), '\r', '\n')
		start := chunkRoom - len(size)
		copy(buf[start:], size)
		p = append(buf[start:chunkRoom+n], '\r', '\n')
	}
	_, err := u.dst.Write(p)
	return err
}

// end finishes the framing; a body shorter than announced is the client's
// failure.
func (u *upload) end(total int64) {
	switch {
	case u.framing == byChunks:
		_, u.err = u.dst.Write(u.last())
	case total != u.length:
		u.fail(io.ErrUnexpectedEOF)
	}
}

// finished reports whether the whole body went out.
func (u *upload) finished() bool {
	if u == nil {
		return true
	}
	select {
	case <-u.done:
		return u.client.Load() == nil && u.err == nil
	default:
		return false
	}
}

// lingering is how long a client may go on sending a body that nobody wants,
// before its connection is closed: long enough that it reads the answer first.
const lingering = 500 * time.Millisecond

// stop ends an upload that is still running and waits for it, so that nothing
// touches the request after its handler returned. The upstream's connection is
// already closed.
func (u *upload) stop(w http.ResponseWriter) {
	if u == nil {
		return
	}
	select {
	case <-u.done:
		return
	default:
	}
	u.client.CompareAndSwap(nil, &errStopped)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Unix(1, 0))
	<-u.done
	_ = rc.SetReadDeadline(time.Now().Add(lingering))
}
