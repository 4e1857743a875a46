package proxy

import (
	"io"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// slack is by how much of an idle time-out a deadline may be late, so that a
// busy stream does not set one for every read.
const slack = 16

// relayBody copies the answer's body to the client as it arrives. What was
// written is flushed before every wait for the upstream, so that nothing lies
// here while the other side is silent.
func (x *exchange) relayBody() *fault.Error {
	if x.two != nil {
		return x.two.relay()
	}
	x.ans.close = x.ans.close || lastUse(x.o.Method, x.frame) // whatever the upstream says
	if !x.ans.hasBody(x.o.Method) {
		return nil
	}
	b := x.body()
	var armed time.Time
	x.arm(&armed) // a client that takes nothing holds up the first write already
	for {
		p, err := b.take()
		if err != nil {
			return x.blame(err)
		}
		if len(p) > 0 {
			n, err := x.w.Write(p)
			x.sent += int64(n)
			if err != nil {
				return fault.Wrap(fault.BadRequest, CodeClientGone, "", err)
			}
		}
		switch {
		case b.done:
			if !armed.IsZero() {
				_ = x.rc.SetWriteDeadline(time.Time{})
			}
			x.putTrailers(b.fields)
			return nil
		case len(p) > 0 && x.in.r < x.in.w:
			continue
		}
		if f := x.wait(&b, &armed); f != nil {
			return f
		}
	}
}

func (x *exchange) body() body {
	b := body{in: &x.in}
	switch {
	case x.ans.chunked:
		b.kind = chunked
	case x.ans.length >= 0:
		b.left = x.ans.length
	default:
		b.kind, x.ans.close = untilClose, true
	}
	return b
}

// arm moves both sides' idle deadlines on.
func (x *exchange) arm(armed *time.Time) {
	idle := x.u.set.IdleTimeout
	if now := time.Now(); now.Sub(*armed) > idle/slack {
		*armed = now
		deadline := now.Add(idle + idle/slack)
		_ = x.c.SetReadDeadline(deadline)
		_ = x.rc.SetWriteDeadline(deadline)
	}
}

// wait flushes and reads more. Both sides' idle deadlines move on with it.
func (x *exchange) wait(b *body, armed *time.Time) *fault.Error {
	x.arm(armed)
	_ = x.rc.Flush()
	err := x.in.fill()
	switch {
	case err == nil:
		return nil
	case err == io.EOF && b.kind == untilClose:
		b.done = true
		return nil
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return x.blame(err)
}
