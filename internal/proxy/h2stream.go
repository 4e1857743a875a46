package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

type secured interface{ ConnectionState() tls.ConnectionState }

// The causes with which a stream is cancelled.
var (
	errConnectSlow = &slowError{"no connection in time"}
	errHeadSlow    = &slowError{"no answer in time"}
	errSilent      = &slowError{"nothing more in time"}
)

// slowError is a timeout to whoever asks.
type slowError struct{ text string }

func (e *slowError) Error() string { return e.text }
func (*slowError) Timeout() bool   { return true }
func (*slowError) Temporary() bool { return false }

// stream is one exchange over HTTP/2.
type stream struct {
	m       *multiplex
	x       *exchange
	ctx     context.Context
	cancel  context.CancelCauseFunc
	res     *http.Response
	feed    *feed
	reached atomic.Bool // there was a connection
	spoke   atomic.Bool // the upstream has said something

	mu      sync.Mutex
	timer   *time.Timer
	heard   bool // the final head is there, or nobody waits for it any more
	inter   []interimHead
	total   int // of them, in all
	bytes   int
	relays  bool // one goroutine passes interim heads on
	relayed sync.WaitGroup
}

type interimHead struct {
	status int
	fields []request.Field
}

// askMultiplexed is askOne over HTTP/2. ok is false where the upstream turned
// out to speak HTTP/1.1.
func (x *exchange) askMultiplexed(limit time.Duration) (f *fault.Error, how fate, ok bool) {
	s := &stream{m: x.u.multi, x: x}
	s.ctx, s.cancel = context.WithCancelCause(x.ctx)
	s.timer = time.AfterFunc(limit, func() { s.cancel(errConnectSlow) })
	trace := &httptrace.ClientTrace{GotConn: s.connected, Got1xxResponse: s.interim,
		GotFirstResponseByte: func() { s.spoke.Store(true) }}
	req := multiplexed(x.o, x.u)
	if x.frame != noBody {
		s.feed = &feed{s: s, src: x.r.Body, left: x.length, max: x.o.MaxBody, r: x.r, names: x.trailer}
		req.Body, req.ContentLength, req.Trailer = s.feed, x.length, s.feed.trailers()
	}
	x.two = s
	res, err := s.m.t.RoundTrip(req.WithContext(httptrace.WithClientTrace(s.ctx, trace)))
	s.mu.Lock()
	s.heard = true
	s.timer.Stop()
	s.mu.Unlock()
	s.relayed.Wait()
	if err == nil {
		s.res = res
		if err = x.ans.take(res); err == nil {
			return nil, final, true
		}
	}
	defer x.release(false)
	if errors.Is(err, errPlain) && s.feed.untouched() {
		return nil, final, false
	}
	var dial *dialError
	cause := context.Cause(s.ctx)
	switch {
	case x.ctx.Err() == nil && (errors.As(err, &dial) || cause == errConnectSlow):
		if cause == errConnectSlow {
			err = cause
		}
		return dialFault(x.ctx, err), unreached, true
	case !s.reached.Load() && x.ctx.Err() != nil:
		how = unreached // before there was a connection, the client left
	case !s.spoke.Load() && x.frame == noBody && idempotent(x.o.Method) && x.ctx.Err() == nil && cause == nil:
		how = unanswered
	}
	if f = x.blame(err); x.frame != noBody {
		x.closeAfter()
	}
	return f, how, true
}

// connected starts the wait for the head; behind a body it starts with its end.
func (s *stream) connected(httptrace.GotConnInfo) {
	s.reached.Store(true)
	if s.feed == nil {
		s.await(s.m.u.set.Timeout, errHeadSlow)
	} else {
		s.await(s.m.u.set.IdleTimeout, errSilent)
	}
}

// await bounds the wait for the final head, anew.
func (s *stream) await(d time.Duration, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard {
		return
	}
	s.timer.Stop()
	s.timer = time.AfterFunc(d, func() { s.cancel(why) })
}

// multiplexed is the request for o as net/http wants it: its URL's Opaque goes
// to the wire byte for byte.
func multiplexed(o *gateway.Forward, u *Upstream) *http.Request {
	r := &http.Request{
		Method: o.Method, Host: o.Host, Proto: "HTTP/2.0", ProtoMajor: 2,
		URL:    &url.URL{Scheme: "http", Host: "upstream", Opaque: o.Path, RawQuery: o.Query, ForceQuery: o.HasQuery},
		Header: make(http.Header, len(o.Header)+2),
	}
	if u.set.Scheme == "https" {
		r.URL.Scheme = "https"
	}
	for i := range o.Header {
		f := &o.Header[i]
		if connectionField(f.Name) || equalFold(f.Name, "Expect") {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		r.Header[name] = append(r.Header[name], f.Value)
	}
	if o.TakesTrailers {
		r.Header["Te"] = []string{"trailers"}
	}
	if r.Header["User-Agent"] == nil {
		r.Header["User-Agent"] = []string{""} // none, and not net/http's
	}
	return r
}

// take reads the head of an HTTP/2 answer. Its fields are in the order of their
// names, since net/http keeps no other.
func (a *answer) take(res *http.Response) error {
	*a = answer{fields: a.fields[:0], status: res.StatusCode, length: -1}
	if a.status < 200 || a.status > 599 {
		return badStatus
	}
	if n := res.Header["Content-Length"]; len(n) > 0 {
		length, ok := decimal(n[0])
		if !ok || len(n) > 1 {
			return badLength
		}
		a.length = length
	}
	fields, err := fieldsOf(a.fields, res.Header)
	if a.fields = fields; err != nil {
		return err
	}
	if a.status == 204 && a.length > 0 {
		return bodyless
	}
	a.chunked = a.length < 0 // as a client of HTTP/1.1 gets it
	return nil
}

func fieldsOf(dst []request.Field, h http.Header) ([]request.Field, error) {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range h[name] {
			if name == "Content-Length" {
				continue
			}
			if len(dst) == maxFields {
				return dst, headTooLong
			}
			if !isToken(name) || !valueOK(v) {
				return dst, badField
			}
			dst = append(dst, request.Field{Name: name, Value: blanks(v)})
		}
	}
	return dst, nil
}

// interim takes a 1xx head. The connection's one reader calls it: it must not
// wait for the client, who would then hold up everybody else's answers.
func (s *stream) interim(status int, h textproto.MIMEHeader) error {
	err := s.takeInterim(status, h)
	if err != nil { // net/http would not say why it gave up
		s.cancel(err)
	}
	return err
}

func (s *stream) takeInterim(status int, h textproto.MIMEHeader) error {
	if status == http.StatusSwitchingProtocols {
		return unasked
	}
	fields, err := fieldsOf(nil, http.Header(h))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range fields {
		s.bytes += len(f.Name) + len(f.Value) + 4
	}
	if s.total++; s.total > maxInterim {
		return manyInterims
	}
	if s.bytes > maxHeadBytes {
		return headTooLong
	}
	if s.heard || status == http.StatusContinue {
		return nil
	}
	s.inter = append(s.inter, interimHead{status, fields})
	if !s.relays {
		s.relays = true
		s.relayed.Go(s.passInterims)
	}
	return nil
}

func (s *stream) passInterims() {
	for {
		s.mu.Lock()
		if len(s.inter) == 0 || s.heard && s.ctx.Err() != nil {
			s.relays = false
			s.mu.Unlock()
			return
		}
		one := s.inter[0]
		s.inter = s.inter[1:]
		s.mu.Unlock()
		s.x.interim(one.status, one.fields, "")
	}
}

// relay copies the answer's body to the client as it arrives, and its trailers
// behind it.
func (s *stream) relay() *fault.Error {
	x, idle := s.x, s.m.u.set.IdleTimeout
	// A head that is the whole answer goes out as one frame: gRPC knows a status
	// by it.
	flush := x.ans.hasBody(x.o.Method) && s.res.Body != http.NoBody && s.res.ContentLength != 0
	var armed time.Time
	// net/http looks at the context no more while it waits for the request's body.
	defer context.AfterFunc(s.ctx, func() { _ = s.res.Body.Close() })()
	silence := time.AfterFunc(idle, func() { s.cancel(errSilent) })
	defer silence.Stop()
	for {
		if flush {
			_ = x.rc.Flush()
		}
		if now := time.Now(); now.Sub(armed) > idle/slack {
			armed = now
			silence.Reset(idle)
			_ = x.rc.SetWriteDeadline(now.Add(idle + idle/slack))
		}
		n, err := s.res.Body.Read(x.in.buf)
		if n > 0 {
			k, err := x.w.Write(x.in.buf[:n])
			x.sent += int64(k)
			if err != nil {
				if e := endedBy(x.ctx); e != nil {
					return e.Fault
				}
				return fault.Wrap(fault.BadRequest, CodeClientGone, "", err)
			}
		}
		flush = n < len(x.in.buf) // else there is more at once
		switch {
		case err == io.EOF:
			_ = x.rc.SetWriteDeadline(time.Time{})
			fields, err := fieldsOf(nil, s.res.Trailer)
			if err != nil {
				return x.blame(err)
			}
			x.putTrailers(fields)
			return nil
		case err != nil:
			return x.blame(err)
		}
	}
}

// blame returns what the client did, or why we cancelled, if either ended the
// stream.
func (s *stream) blame() (client, own error) {
	if s == nil {
		return nil, nil
	}
	var slow *slowError
	var bad malformed
	if cause := context.Cause(s.ctx); errors.As(cause, &slow) || errors.As(cause, &bad) {
		own = cause
	}
	return s.feed.blame(), own
}

// finished reports whether the request's body was read to its end.
func (s *stream) finished() bool { return s == nil || s.feed.finished() }

// end ends the stream. Afterwards no goroutine of it touches the request.
func (s *stream) end() {
	s.mu.Lock()
	s.heard = true
	s.timer.Stop()
	s.mu.Unlock()
	if s.res != nil {
		_ = s.res.Body.Close()
	}
	s.cancel(nil)
	s.feed.stop(s.x.w)
	s.relayed.Wait()
	s.m.settle()
}
