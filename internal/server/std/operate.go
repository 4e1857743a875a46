package std

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// operate runs an operation of one of Portreeve's own surfaces for a caller who
// may. Whatever goes wrong is answered in the surface's shape.
func (e *Engine) operate(w http.ResponseWriter, r *http.Request, rt *Runtime, o *Outcome, op *gateway.Operation, conn *Conn) {
	x := o.Exchange
	var body []byte
	if most := op.BodyLimit(); most > 0 {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, most)); err != nil {
			e.fail(w, r, o, bodyFault(conn.Fault(), err))
			return
		}
	}
	decision := e.NewID()
	call, f := x.Call(body, e.Now(), decision)
	if f != nil {
		e.fail(w, r, o, f)
		return
	}
	call.Through(e.Gate)
	reply, err := run(r.Context(), op, call)
	if rt.Catch != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		rt.Catch(r.Context())
	}
	addAll(w.Header(), call.Cookies())
	if err == nil {
		if call.Refused != nil { // by a page of its own
			o.Decision, o.Fault = decision, call.Refused
			o.Steps = append(append(x.Explain(o.Arrival, e.Now()), call.Why...), refusedBy(op, call.Refused))
			w.Header().Set("X-Portreeve-Decision", decision)
		}
		e.reply(w, r, o, reply)
		return
	}
	if f = gateway.OperationFault(err); f.Kind != fault.Unauthenticated && f.Kind != fault.Forbidden {
		e.fail(w, r, o, f)
		return
	}
	o.Decision = decision
	if e.refuse(w, r, rt, o, f); o.Decision == "" {
		return // led elsewhere
	}
	o.Steps = append(append(o.Steps, call.Why...), refusedBy(op, f))
}

// refusedBy is the last step of a request that was let through to an operation
// whose own rules refused it.
func refusedBy(op *gateway.Operation, f *fault.Error) trace.Step {
	step := trace.Step{Stage: "operation", Check: op.Surface + ": " + op.Name, Wanted: "a caller whom its rules let through",
		Found: f.Code + ": " + f.Text()}
	if f.Code == policy.CodeMFA { // which the gate left to the operation
		step.Enough = "a step-up token in " + identity.HeaderMFA + ", in the body where the operation takes one there, or a session's step-up"
	}
	return step
}

// run runs an operation within its time. A panic is an error like others: the
// connection is sound, and the answer has not begun.
func run(ctx context.Context, op *gateway.Operation, call *gateway.Call) (reply request.Reply, err error) {
	ctx, cancel := context.WithTimeout(ctx, gateway.OperationTime)
	defer func() {
		cancel()
		if cause := recover(); cause != nil {
			err = fault.Wrap(fault.Internal, "panic", "", fmt.Errorf("%s %s: panic: %v\n%s", op.Surface, op.Name, cause, debug.Stack()))
		}
	}()
	reply, err = op.Run(ctx, call)
	if err == nil && (reply.Status < 200 || reply.Status > 599) {
		err = fault.Wrap(fault.Internal, "no_answer", "", errors.New(op.Surface+" "+op.Name+": no status"))
	}
	return reply, err
}
