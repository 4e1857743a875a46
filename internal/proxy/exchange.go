package proxy

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// exchange is one request and its answer. It is pooled; reset empties it.
type exchange struct {
	u   *Upstream
	w   http.ResponseWriter
	rc  *http.ResponseController
	r   *http.Request
	o   *gateway.Forward
	ctx context.Context
	way way // through a group

	two     *stream // over HTTP/2, instead of c
	c       *conn
	in      inflow
	scan    headScan
	ans     answer
	up      *upload
	pending *upload  // put off until the upstream asks for the body
	trailer []string // of the request, that go on
	sized   bool     // the client was told the body's length
	clock   headClock
	head    []byte // outgoing
	length  int64
	frame   framing
	sent    int64 // body bytes to the client
	guard   func() bool
}

func (x *exchange) reset() {
	fields := x.ans.fields
	clear(fields)
	*x = exchange{}
	x.ans.fields = fields[:0]
}

// run does the whole exchange. status is 0 as long as nothing went to the
// client.
func (x *exchange) run() (status int, f *fault.Error) {
	var err error
	x.trailer = requestTrailers(x.r, x.o)
	x.frame, x.length = bodyOf(x.r, len(x.trailer) > 0)
	if max := x.o.MaxBody; max > 0 && x.length > max {
		return 0, fault.Wrap(fault.TooLarge, CodeTooLarge, "", errTooLarge)
	}
	if x.expects() {
		x.o.Header = append(x.o.Header, request.Field{Name: "Expect", Value: "100-continue"})
	}
	if x.o.Websocket {
		if f := checkHandshake(x.o.Header); f != nil {
			return 0, f
		}
	}
	if x.head, err = appendHead(x.head, x.o, x.frame, x.length, x.trailer...); err != nil {
		return 0, fault.Wrap(fault.Internal, "outgoing_head", "", err)
	}
	if f := x.ask(); f != nil {
		return 0, f
	}
	relayHead(x.w.Header(), &x.ans, x.o, x.o.Method == http.MethodHead)
	if x.ans.status == http.StatusSwitchingProtocols {
		return x.tunnel()
	}
	x.answerHead()
	f = x.relayBody()
	x.release(f == nil)
	if f != nil && x.part() {
		return x.ans.status, nil // who ended it knows why
	}
	return x.ans.status, f
}

// answerHead sends the answer's head on.
func (x *exchange) answerHead() {
	h := x.w.Header()
	x.sized = len(h["Content-Length"]) > 0
	if !x.up.finished() || x.pending != nil || !x.two.finished() {
		x.closeAfter()
	}
	if x.ans.chunked && x.ans.hasBody(x.o.Method) && x.r.ProtoAtLeast(1, 1) {
		x.announce(x.ans.announced())
	}
	if x.o.Begun != nil {
		events, grpc := streaming(h)
		x.o.Begun(events || grpc)
	}
	x.w.WriteHeader(x.ans.status)
}

// fate is how an attempt at one upstream ended.
type fate uint8

const (
	final      fate = iota // an answer, or a failure that another upstream does not mend
	unreached              // no connection: nothing was sent
	unanswered             // reset or closed before any byte of an answer
)

// askOne sends the request to x.u and reads the answer's final head, once more
// on a new connection when a pooled one turned out to be dead.
func (x *exchange) askOne(limit time.Duration) (f *fault.Error, how fate) {
	if x.u.multi.speaks() && !x.o.Websocket {
		if f, how, ok := x.askMultiplexed(limit); ok {
			return f, how
		}
	}
	x.c = x.u.pool.take()
	for {
		if x.c == nil {
			c, err := x.u.pool.dial(x.ctx, limit)
			if err != nil {
				return dialFault(x.ctx, err), unreached
			}
			x.c = c
		}
		x.guard = context.AfterFunc(x.ctx, x.c.hangUp)
		err := x.try()
		if err == nil {
			return nil, final
		}
		lost := !x.in.seen && x.frame == noBody && idempotent(x.o.Method) && x.ctx.Err() == nil && !timedOut(err)
		again := lost && x.c.reused
		if !again {
			if f = x.blame(err); !x.up.finished() || x.pending != nil {
				x.closeAfter()
			}
			if lost {
				how = unanswered
			}
		}
		x.release(false)
		if !again {
			return f, how
		}
	}
}

// closeAfter ends the client's connection with this answer: what remains of
// the request's body must not be read as the next request. It also keeps
// net/http from waiting for that rest before it writes the head.
func (x *exchange) closeAfter() {
	if x.r.ProtoMajor == 1 { // HTTP/2 would end the whole connection
		x.w.Header().Set("Connection", "close")
	}
}

// blame finds whose fault a failed exchange is.
func (x *exchange) blame(err error) *fault.Error {
	client, own := x.two.blame()
	switch {
	case client != nil:
		return clientFault(x.ctx, client)
	case own != nil:
		err = own
	}
	if err := x.up.blame(); err != nil {
		return clientFault(x.ctx, err)
	}
	return upstreamFault(x.ctx, err)
}

// try sends the request over x.c and reads the answer's final head.
func (x *exchange) try() error {
	x.in.src, x.in.r, x.in.w, x.in.seen = x.c, 0, 0, false
	_ = x.c.SetDeadline(time.Now().Add(x.u.set.Timeout))
	if _, err := x.c.Write(x.head); err != nil && x.frame == noBody {
		return err
	}
	if x.frame != noBody {
		// The wait for the head begins when the body is sent.
		_ = x.c.SetReadDeadline(time.Time{})
		r, names := x.r, x.trailer
		x.pending = &upload{
			src: x.r.Body, dst: x.c, framing: x.frame, length: x.length, max: x.o.MaxBody,
			idle: x.u.set.IdleTimeout, clock: &x.clock, done: make(chan struct{}),
			last: func() []byte { return appendTrailers([]byte("0\r\n"), r, names) },
		}
		if x.expects() {
			_ = x.c.SetReadDeadline(time.Now().Add(continueWait))
		} else {
			x.begin()
		}
	}
	err := x.readHead()
	x.clock.stop()
	return err
}

// readHead reads up to the final head, passing over 1xx ones.
func (x *exchange) readHead() error {
	total := 0
	for interim := 0; ; interim++ {
		n, err := x.nextHead(maxHeadBytes - total)
		if err != nil && x.impatient(err) {
			n, err = x.nextHead(maxHeadBytes - total)
		}
		if err != nil {
			return err
		}
		total += n
		err = x.ans.parse(string(x.in.buf[x.in.r : x.in.r+n]))
		x.in.r += n
		switch {
		case err != nil:
			return err
		case x.ans.status == http.StatusSwitchingProtocols:
			return x.upgraded()
		case x.ans.status >= 200:
			// A body that was announced and not sent, or a handshake that was not
			// taken up: the connection is good for nothing else.
			x.ans.close = x.ans.close || x.pending != nil || x.asksUpgrade()
			return nil
		case interim == maxInterim:
			return manyInterims
		}
		if x.o != nil { // a health check has nobody to tell
			x.interim(x.ans.status, x.ans.fields, x.ans.options)
		}
	}
}

// nextHead waits for a whole head of at most limit bytes and returns its
// length.
func (x *exchange) nextHead(limit int) (int, error) {
	x.scan = headScan{}
	for {
		b := x.in.ready()
		n, err := x.scan.end(b)
		switch {
		case err != nil:
			return 0, err
		case n > limit || n == 0 && len(b) >= limit:
			return 0, headTooLong
		case n > 0:
			return n, nil
		}
		if err := x.in.fill(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
}

// release ends this exchange's hold on its connection: back to the pool after
// a whole exchange, closed otherwise. Afterwards no goroutine of this exchange
// runs.
func (x *exchange) release(whole bool) {
	if x.two != nil {
		x.two.end()
		x.two = nil
		return
	}
	if x.pending != nil { // nobody asked for the body: it need not be waited for
		_ = x.rc.SetReadDeadline(time.Now().Add(lingering))
	}
	calm := x.guard() // false: hangUp has begun
	if whole && calm && !x.ans.close && x.in.r == x.in.w && x.up.finished() {
		x.u.pool.put(x.c)
	} else {
		_ = x.c.Close()
	}
	x.up.stop(x.w)
	x.c = nil
}

// hangUp is what happens to the upstream when the client is gone.
func (c *conn) hangUp() { _ = c.Close() }

// abort makes it certain that the client does not take a cut answer for a
// whole one: what was relayed goes out, then nothing can be written any more,
// not even the end of a chunked body.
func (x *exchange) abort() {
	_ = x.rc.Flush()
	if x.rc.SetWriteDeadline(time.Unix(1, 0)) != nil {
		panic(http.ErrAbortHandler)
	}
	// net/http sees no failed write when the head announced a length; it
	// compares that with what was written instead, and closes.
}
