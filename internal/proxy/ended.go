package proxy

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
)

// The close codes of RFC 6455 section 7.4.1 that Portreeve says.
const (
	CloseGoingAway = 1001
	ClosePolicy    = 1008
)

// Ended is the cause with which the context of an exchange is cancelled whose
// time is over: its credential expired, its route allows it no more, the
// process stops.
type Ended struct {
	// Fault is the answer where none has begun, and what the log says.
	Fault *fault.Error
	// Close is what a WebSocket is closed with.
	Close uint16
}

// Error is the fault's text.
func (e *Ended) Error() string { return "ended by the gateway: " + e.Fault.Error() }

// endedBy returns the Ended that a context was cancelled with, or nil.
func endedBy(ctx context.Context) *Ended {
	var e *Ended
	if ctx.Err() != nil && errors.As(context.Cause(ctx), &e) {
		return e
	}
	return nil
}

// gone is the fault of an exchange whose context is over: we ended it, or the
// client left.
func gone(ctx context.Context) *fault.Error {
	if e := endedBy(ctx); e != nil {
		return e.Fault
	}
	return fault.Wrap(fault.BadRequest, CodeClientGone, "", context.Cause(ctx))
}

// streaming reports whether an answer is one without an end of its own.
func streaming(h http.Header) (events, grpc bool) {
	t := h.Get("Content-Type")
	const sse = "text/event-stream"
	return len(t) >= len(sse) && equalFold(t[:len(sse)], sse), gateway.IsGRPC(t)
}

// part ends an answer that has begun. One that we ended and that knows no end
// of its own ends properly: an event that is not whole is dropped by its reader
// (HTML standard, 9.2.6), and gRPC is told a status. Any other is cut off.
func (x *exchange) part() (whole bool) {
	if e := endedBy(x.ctx); e != nil && !x.sized {
		events, grpc := streaming(x.w.Header())
		if grpc {
			x.putTrailer("Grpc-Status", strconv.Itoa(grpcStatus(e.Fault)))
			x.putTrailer("Grpc-Message", e.Fault.Code)
		}
		if events || grpc {
			return true
		}
	}
	x.abort()
	return false
}

// grpcStatus is the status code that a gRPC client acts on.
func grpcStatus(f *fault.Error) int {
	switch f.Kind {
	case fault.Unauthenticated:
		return 16
	case fault.Unavailable, fault.GatewayTimeout:
		return 14
	}
	return 7 // PERMISSION_DENIED
}
