package gateway

import (
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// Question is one call of a page of ours to an operation of its own site, as the
// page's reader.
type Question struct {
	Method, Target string // "POST", "/tenant/api-keys?limit=20": as a client would write it
	Body           []byte // JSON; its Content-Type is set
	// StepUp is a step-up token, sent as X-Portreeve-MFA; "": what the request
	// itself carries.
	StepUp string
	// Match is the entity tag that a change is made from, sent as If-Match; "": none.
	Match string
}

// Refused is why an operation did not do what a page asked of it.
type Refused struct {
	Fault *fault.Error
	// Lacks are the permissions that the route asks for and the caller does not
	// hold.
	Lacks []string
	// Factor says that a second factor would be enough.
	Factor bool
	// Steps are those of the decision; nil where the operation's own rules refused.
	Steps []trace.Step
	// Unknown says that no operation stands there: another method or path, or a
	// page.
	Unknown bool
}

// Error codes of questions that are the page's own mistake.
const (
	codeNoGate   = "no_gate"
	codePageSafe = "page_changes_nothing"
)

// Through lets the operation ask others of its site, at that gate. Those that it
// asks ask nobody.
func (c *Call) Through(g *Gate) { c.gate = g }

// Ask asks an operation of the site as the caller: placed, decided, counted and
// run as if the caller had called it, but for the limits of the site, the tenant
// and the key, which counted the page. The alternative, a page that calls the
// feature behind the operation, would have to decide by itself who may.
//
// A nil *Refused says that the reply is the operation's own, below 400. A page
// that was asked for by GET or HEAD may ask GET alone: a link, or an image on
// somebody's page, leads to it with the caller's cookies. Questions of one call
// are asked one at a time; a panic of the operation is the page's.
func (c *Call) Ask(ctx context.Context, q Question) (request.Reply, *Refused) {
	if c.gate == nil || c.x == nil {
		return request.Reply{}, &Refused{Fault: fault.New(fault.Internal, codeNoGate, "")}
	}
	if q.Method != "GET" && safe(c.x.View.Method) {
		return request.Reply{}, &Refused{Fault: fault.Wrap(fault.Internal, codePageSafe, "", errors.New("a page that was asked for by "+c.x.View.Method+" asks "+clip(q.Method)))}
	}
	in := c.x.inside(q)
	refused := c.decide(ctx, in, true)
	if refused != nil {
		return request.Reply{}, refused
	}
	return c.run(ctx, in, q.Body)
}

// May reports why the caller may not have what Ask would, nil where it may.
// Nothing is run or counted. It is decided as if a form of the page had sent it,
// whoever led the caller to the page.
func (c *Call) May(ctx context.Context, q Question) *Refused {
	if c.gate == nil || c.x == nil {
		return &Refused{Fault: fault.New(fault.Internal, codeNoGate, "")}
	}
	in := c.x.inside(q)
	in.View.Header = fromOurForm(in.View.Header)
	return c.decide(ctx, in, false)
}

// safe reports whether a method promises to change nothing.
func safe(method string) bool { return method == "GET" || method == "HEAD" || method == "OPTIONS" }

// decide places a question and decides it.
func (c *Call) decide(ctx context.Context, in *Exchange, count bool) *Refused {
	f := in.placeInside(nil)
	if f == nil && in.askable() == nil {
		f = fault.New(fault.NotFound, "no_route", "")
	}
	if f != nil {
		return &Refused{Fault: f, Unknown: true, Steps: in.why(c.gate.Now())}
	}
	if count {
		if over := in.addressLimits(c.gate.Limits, c.gate.Now()); over != nil {
			return c.refused(in, over)
		}
	}
	v := c.gate.judge(ctx, in, Decide)
	c.learn(in)
	if v.Kind != Allow {
		return c.refused(in, v.Fault)
	}
	if count {
		if over := in.callerLimits(c.gate.Limits, c.gate.Now()); over != nil {
			return c.refused(in, over)
		}
	}
	return nil
}

// run runs the operation of a question that was let through.
func (c *Call) run(ctx context.Context, in *Exchange, body []byte) (request.Reply, *Refused) {
	op := in.askable()
	switch most := op.BodyLimit(); {
	case most == 0:
		body = nil
	case int64(len(body)) > most:
		return request.Reply{}, ownRefusal(in, fault.New(fault.TooLarge, "body_too_large", ""))
	}
	call, f := in.Call(body, c.gate.Now(), c.Decision)
	if f != nil {
		return request.Reply{}, ownRefusal(in, f)
	}
	reply, err := op.Run(ctx, call)
	switch {
	case err != nil:
		return request.Reply{}, ownRefusal(in, OperationFault(err))
	case call.Refused != nil:
		return request.Reply{}, ownRefusal(in, call.Refused)
	case reply.Status < 200 || reply.Status > 599:
		return request.Reply{}, ownRefusal(in, fault.Wrap(fault.Internal, "no_answer", "", errors.New(op.Surface+" "+op.Name+": no status")))
	case reply.Status >= 400:
		return request.Reply{}, ownRefusal(in, toldBy(reply))
	}
	return reply, nil
}

// Cookies are what the answer has to tell a browser about its session, as far as
// only the call's questions brought it up.
func (c *Call) Cookies() request.Header { return c.cookies }

// maxLearnt bounds what questions leave behind for the next ones.
const maxLearnt = 64

// learn keeps what a question found out: what its jobs came to, so that the next
// one need not wait for them, and what becomes of the session's cookie.
func (c *Call) learn(in *Exchange) {
	if len(in.settled) <= maxLearnt {
		c.x.settled = in.settled
	}
	switch {
	case in.ended && !c.x.ended, in.renews() && !(c.x.renews() && c.x.Known.Renew == in.Known.Renew):
		c.cookies = in.cookies(nil) // behind the page's own, so that it counts
	}
}
