// Package gatewaytest asks a gateway as an engine does, without a socket. It is for
// tests of surfaces: what they see is what a client would.
package gatewaytest

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// Arrival is a request to api.example.com as it arrives, "POST /rbac/roles", with a
// bearer token unless that is "", and further fields, "Name: value".
func Arrival(token, line, body string, fields ...string) gateway.Arrival {
	method, target, _ := strings.Cut(line, " ")
	a := gateway.Arrival{ID: "req-1", Method: method, Target: target, Host: "api.example.com", Received: time.Now(), HasBody: body != "",
		Peer: netip.MustParseAddrPort("203.0.113.9:4711"), Header: request.Header{{Name: "Host", Value: "api.example.com"}}}
	if token != "" {
		a.Header = append(a.Header, request.Field{Name: "Authorization", Value: "Bearer " + token})
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		a.Header = append(a.Header, request.Field{Name: name, Value: value})
	}
	return a
}

// Ask decides and runs what answers. The error is a fault that no caller is to
// blame for: a test fails over it.
func Ask(ctx context.Context, g *gateway.Gate, s *gateway.Snapshot, a gateway.Arrival, body string) (request.Reply, error) {
	reply, x, f := Answer(ctx, g, s, a, body)
	switch {
	case f == nil:
		return reply, nil
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		return request.Reply{}, f
	}
	return x.Fault(f, a.ID, "decision-1"), nil
}

// Answer is Ask for those who look at the fault itself, and at the exchange. What
// answers is told the time at which the request arrived.
func Answer(ctx context.Context, g *gateway.Gate, s *gateway.Snapshot, a gateway.Arrival, body string) (request.Reply, *gateway.Exchange, *fault.Error) {
	x := &gateway.Exchange{}
	reply, f := answer(ctx, g, s, x, a, body)
	return reply, x, f
}

func answer(ctx context.Context, g *gateway.Gate, s *gateway.Snapshot, x *gateway.Exchange, a gateway.Arrival, body string) (request.Reply, *fault.Error) {
	v := g.Ask(ctx, s, x, a)
	op := x.Operation()
	switch {
	case v.Kind != gateway.Allow:
		return request.Reply{}, v.Fault
	case v.Reply != nil: // a preflight
		return *v.Reply, nil
	case op == nil:
		return x.Answer(nil, a.Received)
	case int64(len(body)) > op.BodyLimit() && op.BodyLimit() > 0:
		return request.Reply{}, fault.New(fault.TooLarge, "body_too_large", "")
	}
	c, f := x.Call([]byte(body), a.Received, "decision-1")
	if f != nil {
		return request.Reply{}, f
	}
	reply, err := op.Run(ctx, c)
	if err != nil {
		return request.Reply{}, gateway.OperationFault(err)
	}
	return reply, nil
}
