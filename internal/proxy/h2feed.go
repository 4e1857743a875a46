package proxy

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// feed is a request's body on its way into an HTTP/2 stream.
type feed struct {
	s     *stream
	src   io.Reader
	left  int64 // of the announced length; -1: none was
	max   int64 // 0: none
	total int64
	r     *http.Request
	names []string // of trailers that go on
	sent  http.Header

	reading sync.Mutex // held while the client's body is read

	mu     sync.Mutex
	begun  bool
	done   bool
	halted bool
	err    error // of the client's side
}

// trailers is the map that net/http takes them from; the values come at the
// body's end.
func (f *feed) trailers() http.Header {
	if len(f.names) == 0 {
		return nil
	}
	f.sent = make(http.Header, len(f.names))
	for _, name := range f.names {
		f.sent[name] = nil
	}
	return f.sent
}

// Read reads from the client. As long as the answer's head is awaited, what
// lies between two reads is the upstream's time to take the bytes.
func (f *feed) Read(p []byte) (int, error) {
	f.reading.Lock()
	defer f.reading.Unlock()
	f.mu.Lock()
	f.begun = true
	halted := f.halted
	f.mu.Unlock()
	if halted {
		return 0, errStopped
	}
	f.s.pause()
	n, err := f.src.Read(p)
	f.total += int64(n)
	switch {
	case f.max > 0 && f.total > f.max:
		err = errTooLarge
	case err == io.EOF && f.left >= 0 && f.total != f.left:
		err = io.ErrUnexpectedEOF
	case err == io.EOF:
		f.finish()
	}
	f.mu.Lock()
	if err == io.EOF {
		f.done = true
	} else if err != nil && f.err == nil && !f.halted {
		f.err = err
	}
	f.mu.Unlock()
	if err == nil {
		f.s.await(f.s.m.u.set.IdleTimeout, errSilent)
	}
	return n, err
}

// finish hands the trailers over and starts the wait for the head.
func (f *feed) finish() {
	for i, name := range f.names {
		for _, v := range f.r.Trailer[name] {
			if v = blanks(v); valueOK(v) && i < maxTrailers {
				f.sent[name] = append(f.sent[name], v)
			}
		}
	}
	f.s.await(f.s.m.u.set.Timeout, errHeadSlow)
}

// pause lets the client take its time.
func (s *stream) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Stop()
}

// Close is net/http's, when it wants no more.
func (f *feed) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.halted = true
	return nil
}

// untouched reports whether nothing of the body was read.
func (f *feed) untouched() bool {
	if f == nil {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.begun
}

// finished reports whether the whole body was read.
func (f *feed) finished() bool {
	if f == nil {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// blame returns what the client's side failed with.
func (f *feed) blame() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// stop ends a read that is under way, and all that would follow.
func (f *feed) stop(w http.ResponseWriter) {
	if f == nil {
		return
	}
	_ = f.Close()
	if f.finished() || f.untouched() {
		return
	}
	rc := http.NewResponseController(w)
	if !f.reading.TryLock() {
		_ = rc.SetReadDeadline(time.Unix(1, 0))
		f.reading.Lock()
	}
	f.reading.Unlock()
	_ = rc.SetReadDeadline(time.Now().Add(lingering))
}
