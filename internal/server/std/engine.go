package std

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/assertion"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
	"github.com/portreeve/portreeve/internal/wire"
)

// Runtime is one generation of everything a request needs. It is immutable and
// taken once per request.
type Runtime struct {
	Snapshot   *gateway.Snapshot
	Upstreams  map[string]*proxy.Group
	Assertion  *assertion.Keys
	Concurrent int // requests at one time
	// MaxStreamAge is how long an exchange with an upstream may run; 0: for ever.
	MaxStreamAge time.Duration
	// BodyIdle bounds the wait between bytes of an HTTP/2 request's body; of
	// HTTP/1.1 the connection does. 0: nothing does.
	BodyIdle time.Duration
	// Changes counts what changed of what is stored about callers, as far as this
	// process knows; nil: nothing is stored. Running exchanges of callers who are
	// known are decided again when it has grown.
	Changes func() uint64
	// Catch waits a moment until what this process has just changed is known to its
	// decisions; nil: nothing is stored. Operations that write are answered after it.
	Catch func(context.Context)
}

// changes reads Changes.
func (rt *Runtime) changes() uint64 {
	if rt.Changes == nil {
		return 0
	}
	return rt.Changes()
}

// Outcome is what became of a request, for the log and the ring of refusals.
type Outcome struct {
	Exchange *gateway.Exchange
	Arrival  gateway.Arrival
	Status   int
	Bytes    int64
	Fault    *fault.Error
	Decision string
	Steps    []trace.Step // of a refusal
	// Led is the code of the fault that a browser was led elsewhere by instead of
	// being told, to sign in or to show a second factor; "": it was not.
	Led string
	End time.Time

	stored    uint64    // Runtime.changes before it was decided
	passedOn  bool      // an upstream may have some of the body
	websocket bool      // the head is a handshake
	body      *slowBody // of HTTP/2; nil: nothing bounds it here
	idle      time.Duration
}

// Engine answers requests by net/http. Its fields are set once.
type Engine struct {
	Gate    *gateway.Gate
	Runtime func() *Runtime
	Now     func() time.Time
	NewID   func() string // request and decision ids
	Record  func(*Outcome)

	running atomic.Int64 // requests that are being answered
	streams Places       // those of HTTP/2 by address
	life    life
}

// ServeHTTP answers one request whose head passed the check, or whose head was
// refused: the connection knows which.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt := e.Runtime()
	o := &Outcome{Exchange: &gateway.Exchange{}, idle: rt.BodyIdle}
	in, ok := incoming(r)
	if !ok { // not behind the head check: nothing is answered in doubt
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	o.Arrival = gateway.Arrival{ID: e.NewID(), Received: e.Now(), Peer: in.peer, Unix: in.unix, Spoken: in.spoken}
	w.Header().Set("X-Request-Id", o.Arrival.ID)
	defer e.finish(w, r, o)
	if in.conn != nil && r.Context().Err() != nil { // for net/http its client is gone, and stays gone for all that follow
		w.Header().Set("Connection", "close")
	}
	if in.refused != nil {
		if in.conn != nil {
			w.Header().Set("Connection", "close")
		}
		in.greet(rt, o)
		e.refuse(w, r, rt, o, headFault(in.refused))
		return
	}
	free, ok := e.streams.take(in.streamOf())
	if !ok {
		in.greet(rt, o)
		e.refuse(w, r, rt, o, fault.New(fault.Unavailable, "busy", "Too many requests at one time"))
		return
	}
	defer free()
	defer e.running.Add(-1)
	if e.running.Add(1) > int64(rt.Concurrent) {
		in.greet(rt, o)
		e.refuse(w, r, rt, o, fault.New(fault.Unavailable, "busy", "Too many requests at one time"))
		return
	}
	o.Arrival.Method, o.Arrival.Target, o.Arrival.Header = in.head.Method, in.head.Target, in.head.Header
	o.Arrival.Host = in.head.Header.Get("Host")
	o.Arrival.HasBody = in.body
	if in.tls != nil {
		o.Arrival.TLS, o.Arrival.ServerName, o.Arrival.ClientCert = true, in.tls.ServerName, len(in.tls.PeerCertificates) > 0
	}
	if in.conn == nil && in.body {
		o.body = boundBody(w, r, rt.BodyIdle)
	}
	o.websocket = in.head.Websocket
	e.answer(w, r, rt, o, in.conn)
}

// headFault is the answer to a head that the check refused. The reason never
// quotes the request.
func headFault(r *wire.Refusal) *fault.Error {
	kind, ok := map[int]fault.Kind{405: fault.MethodNotAllowed, 408: fault.RequestTimeout, 413: fault.TooLarge,
		431: fault.HeadTooLarge, 501: fault.NotImplemented, 505: fault.VersionNotSupported}[r.Status]
	if !ok {
		kind = fault.BadRequest
	}
	return fault.New(kind, "bad_head", "The request is malformed: "+r.Reason)
}

// answer takes a request through the gate and serves what it may have.
func (e *Engine) answer(w http.ResponseWriter, r *http.Request, rt *Runtime, o *Outcome, conn *Conn) {
	x := o.Exchange
	o.stored = rt.changes()
	v := e.Gate.Ask(r.Context(), rt.Snapshot, x, o.Arrival)
	w.Header().Set("X-Request-Id", x.View.ID)
	addAll(w.Header(), x.AnswerHeaders())
	switch {
	case v.Kind != gateway.Allow:
		e.refuse(w, r, rt, o, v.Fault)
	case v.Reply != nil:
		e.reply(w, r, o, *v.Reply)
	default:
		e.serve(w, r, rt, o, conn)
	}
}

func (e *Engine) serve(w http.ResponseWriter, r *http.Request, rt *Runtime, o *Outcome, conn *Conn) {
	x := o.Exchange
	if to, ok := x.Route.Answer.(*gateway.Forwarding); ok {
		e.forward(w, r, rt, o, to, conn)
		return
	}
	if op, ok := x.Route.Answer.(*gateway.Operation); ok {
		e.operate(w, r, rt, o, op, conn)
		return
	}
	var body []byte
	if x.WantsBody() {
		var err error
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, gateway.MaxTemplateBody))
		if err != nil {
			e.fail(w, r, o, bodyFault(conn.Fault(), err))
			return
		}
	}
	reply, f := x.Answer(body, e.Now())
	if f != nil {
		e.fail(w, r, o, f)
		return
	}
	e.reply(w, r, o, reply)
}

// bodyFault says why a body could not be read: seen is what the connection saw,
// err what net/http made of it.
func bodyFault(seen, err error) *fault.Error {
	var tooLarge *http.MaxBytesError
	var refused *wire.Refusal
	switch {
	case errors.As(seen, &refused):
		return headFault(refused)
	case errors.Is(seen, ErrBodyIdle):
		return fault.Wrap(fault.RequestTimeout, "slow_body", "", seen)
	case errors.Is(err, ErrBodyIdle):
		return fault.Wrap(fault.RequestTimeout, "slow_body", "", ErrBodyIdle)
	case errors.As(err, &tooLarge):
		return fault.Wrap(fault.TooLarge, "body_too_large", "", err)
	}
	return fault.Wrap(fault.BadRequest, "bad_body", "The request body broke off", err)
}

func (e *Engine) forward(w http.ResponseWriter, r *http.Request, rt *Runtime, o *Outcome, to *gateway.Forwarding, conn *Conn) {
	out, f := o.Exchange.Forward(to, rt.Assertion, e.Now())
	if f != nil {
		e.refuse(w, r, rt, o, f)
		return
	}
	up := rt.Upstreams[to.Upstream]
	if up == nil {
		e.fail(w, r, o, fault.New(fault.Internal, "no_upstream", ""))
		return
	}
	if gateway.IsGRPC(r.Header.Get("Content-Type")) && up.TakesGRPC() {
		o.body.free()
	}
	a, ctx := e.life.begin(e, rt, o, w, r, o.websocket)
	defer a.done() // a panic too
	out.Websocket, out.Begun = o.websocket, func(endless bool) { a.stream.Store(endless); o.body.free() }
	o.passedOn = true
	status, n, f := up.Serve(w, r.WithContext(ctx), out)
	o.Status, o.Bytes = status, n
	if ended := a.done(); ended != nil && f == nil {
		o.Fault = ended.Fault
	}
	if f != nil {
		if status == 0 {
			if f.Code == proxy.CodeRequestCut || f.Code == proxy.CodeRequestSlow {
				f = bodyFault(conn.Fault(), f) // the connection may know better why
			}
			e.fail(w, r, o, f)
			return
		}
		o.Fault = f // the answer had begun: the connection is cut, not ended
		panic(http.ErrAbortHandler)
	}
}

// refuse answers a decision against the caller: it gets an id under which the
// trace can be found.
// A browser that can be led somewhere instead is, which is no refusal.
func (e *Engine) refuse(w http.ResponseWriter, r *http.Request, rt *Runtime, o *Outcome, f *fault.Error) {
	if reply, leads := o.Exchange.Lead(f); leads {
		o.Decision, o.Led = "", f.Code
		e.reply(w, r, o, reply)
		return
	}
	if o.Decision == "" { // an operation's own has one already
		o.Decision = e.NewID()
	}
	if o.Exchange.Snap != nil {
		o.Steps = o.Exchange.Explain(o.Arrival, e.Now())
	}
	if f == nil {
		f = fault.New(fault.Internal, "no_reason", "")
	}
	e.fault(w, r, o, f)
}

// fail answers trouble of our own or of an upstream's.
func (e *Engine) fail(w http.ResponseWriter, r *http.Request, o *Outcome, f *fault.Error) {
	e.fault(w, r, o, f)
}

func (e *Engine) fault(w http.ResponseWriter, r *http.Request, o *Outcome, f *fault.Error) {
	o.Fault = f
	if f.Code == gateway.CodeNewConnection {
		w.Header().Set("Connection", "close") // by HTTP/2 this is a GOAWAY
	}
	id := o.Exchange.View.ID
	if id == "" {
		id = o.Arrival.ID
	}
	e.reply(w, r, o, o.Exchange.Fault(f, id, o.Decision))
}

// reply writes an answer of our own.
func (e *Engine) reply(w http.ResponseWriter, r *http.Request, o *Outcome, reply request.Reply) {
	h := w.Header()
	addAll(h, reply.Header)
	if reply.Status != http.StatusNoContent && reply.Status != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.Itoa(len(reply.Body))} // HEAD's too, and whatever the size
	}
	o.Status = reply.Status
	boundAnswer(w, r, o.idle)
	if o.Arrival.HasBody && r.ProtoMajor == 1 && (o.passedOn || !bodyIsHere(w, r)) {
		// Or net/http reads the body first: whoever withholds it would get no
		// answer, and keep a place.
		_ = http.NewResponseController(w).EnableFullDuplex()
		// Where the body is not read to its end the connection ends too; a client
		// that was not told would send its next request into the void.
		h["Connection"] = []string{"close"}
	}
	w.WriteHeader(reply.Status)
	if r.Method != http.MethodHead && len(reply.Body) > 0 {
		n, _ := w.Write(reply.Body) // a client that is gone needs no answer
		o.Bytes = int64(n)
	}
}

// addAll adds fields in the spelling that the documents print (X-RateLimit-…,
// WWW-Authenticate), which is not always net/http's.
func addAll(h http.Header, fields request.Header) {
	for _, f := range fields {
		h[f.Name] = append(h[f.Name], f.Value)
	}
}

// finish records the outcome. A panic becomes a 500 where no answer has begun,
// and cuts the connection where one has.
func (e *Engine) finish(w http.ResponseWriter, r *http.Request, o *Outcome) {
	cause := recover()
	if cause != nil && cause != http.ErrAbortHandler {
		begun := o.Status != 0
		f := fault.Wrap(fault.Internal, "panic", "", fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		if !begun {
			w.Header().Set("Connection", "close")
			e.fault(w, r, o, f)
			cause = nil
		}
		o.Fault = f
	}
	o.End = e.Now()
	e.Record(o)
	boundAnswer(w, r, o.idle) // what is left of it
	if cause != nil {
		if conn := ConnFrom(r.Context()); conn != nil && !r.ProtoAtLeast(1, 1) {
			conn.Reset()
		}
		panic(http.ErrAbortHandler)
	}
}
