package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// inside is the exchange of a page's question: the page's own with another method,
// target and body. Host, site, address and scheme stay as they were found.
func (x *Exchange) inside(q Question) *Exchange {
	in := &Exchange{
		View: x.View, Snap: x.Snap, Site: x.Site, ByProxy: x.ByProxy, AddressProblem: x.AddressProblem,
		proxySaid: x.proxySaid, clientCert: x.clientCert, within: x, settled: slices.Clip(x.settled),
	}
	in.View.Method, in.View.Target, in.View.HasBody = q.Method, q.Target, len(q.Body) > 0
	in.View.Header = headerInside(x.View.Header, q)
	return in
}

// headerInside is the page's header for a question. What tells of the page's own
// body, or of a copy of the page that the browser has, does not hold for it.
func headerInside(h request.Header, q Question) request.Header {
	out := make(request.Header, 0, len(h)+3)
	for _, f := range h {
		name := strings.ToLower(f.Name)
		switch {
		case strings.HasPrefix(name, "content-"), strings.HasPrefix(name, "if-"):
			continue
		case name == "range", name == "transfer-encoding", name == "trailer", name == "expect":
			continue
		case q.StepUp != "" && strings.EqualFold(name, identity.HeaderMFA):
			continue
		}
		out = append(out, f)
	}
	if len(q.Body) > 0 {
		out = append(out, request.Field{Name: "Content-Type", Value: "application/json"})
	}
	if q.StepUp != "" {
		out = append(out, request.Field{Name: identity.HeaderMFA, Value: q.StepUp})
	}
	if q.Match != "" {
		out = append(out, request.Field{Name: "If-Match", Value: q.Match})
	}
	return out
}

// fromOurForm is the header as a browser sends it with a form of the page.
func fromOurForm(h request.Header) request.Header {
	return append(withoutField(withoutField(h, "Origin"), "Sec-Fetch-Site"), request.Field{Name: "Sec-Fetch-Site", Value: "same-origin"})
}

// placeInside finds the route of a question.
func (x *Exchange) placeInside(rec *trace.Recorder) *fault.Error {
	if !plainTarget(x.View.Target) {
		rec.Fail("path", "target", "a path of this site", "something else", "a target that begins with / and holds no blank or control character")
		return fault.New(fault.BadRequest, "bad_path", "The request path is not acceptable")
	}
	if f := x.path(rec); f != nil {
		return f
	}
	_, f := x.match(rec)
	return f
}

// plainTarget reports whether a target could have come in a request line.
func plainTarget(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return strings.HasPrefix(s, "/")
}

// askable is the operation that a question leads to, nil where it leads to
// anything that pages may not ask.
func (x *Exchange) askable() *Operation {
	if x.Route == nil || x.preflight != nil {
		return nil
	}
	if op, ok := x.Route.Answer.(*Operation); ok && !op.HTML {
		return op
	}
	return nil
}

// why is how a question was decided: once more, with a recorder.
func (x *Exchange) why(now time.Time) []trace.Step {
	rec, again := &trace.Recorder{}, x.within.inside(Question{})
	again.View, again.settled, again.before = x.View, x.settled, x.Known
	f := again.placeInside(rec)
	switch {
	case f != nil:
	case again.askable() == nil:
		rec.Fail("route", "operation", "an operation that pages may ask", "something else", "the method and path of one")
	case x.Limits.Refused && !x.Limits.Caller:
		x.Limits.record(rec)
	default:
		Decide(again, now, again.settled, rec)
		if x.Limits.Refused {
			x.Limits.record(rec)
		}
	}
	return again.shown(rec.Steps)
}

// refused is a decision against a question.
func (c *Call) refused(in *Exchange, f *fault.Error) *Refused {
	r := ownRefusal(in, f)
	r.Steps = in.why(c.gate.Now())
	if in.Stand.Who.Authenticated() && in.Route.Requirement.Any() {
		r.Lacks = in.Stand.HoldsAll(in.Route.Requirement.Permissions())
	}
	return r
}

// ownRefusal is what an operation's own rules say against a question.
func ownRefusal(in *Exchange, f *fault.Error) *Refused {
	if f == nil {
		f = fault.New(fault.Internal, "no_reason", "")
	}
	return &Refused{Fault: f, Factor: f.Code == policy.CodeMFA && policy.Person(in.Stand.Who)}
}

// toldBy is the fault that a reply tells by itself.
func toldBy(reply request.Reply) *fault.Error {
	f := fault.New(fault.Internal, "operation_answer", "")
	if reply.Status < 500 {
		f.Kind = fault.BadRequest
	}
	for k := fault.Internal; k <= fault.VersionNotSupported; k++ {
		if k.Status() == reply.Status {
			f.Kind = k
			break
		}
	}
	var told struct {
		Message string         `json:"message"`
		Details []fault.Detail `json:"details"`
	}
	if f.Kind != fault.Internal && json.Unmarshal(reply.Body, &told) == nil {
		f.Message, f.Details = told.Message, told.Details
	}
	return f
}
