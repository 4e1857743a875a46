package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"

	"github.com/portreeve/portreeve/internal/fault"
)

// The codes of the faults that Serve returns. Their texts never name an
// upstream's address; the cause, for the log, may.
const (
	CodeUnreachable    = "upstream_unreachable"     // 502: no connection
	CodeConnectTimeout = "upstream_connect_timeout" // 504: no connection in time
	CodeTimeout        = "upstream_timeout"         // 504: no head, or nothing more, in time
	CodeBroke          = "upstream_broke"           // 502: reset or closed before its answer was whole
	CodeMalformed      = "upstream_malformed"       // 502: what it said is not certainly one answer
	CodeOwnListener    = "upstream_is_ourselves"    // 502: the name leads back to a listener of ours
	CodeClientGone     = "client_gone"              // the client left; nobody reads the answer
	CodeRequestCut     = "request_cut"              // 400: the client's body broke off
	CodeRequestSlow    = "request_slow"             // 408: the client's body stood still
	CodeTooLarge       = "body_too_large"           // 413: above maxBody
)

// errOwnListener is what the dialler says of an address that is ours.
var errOwnListener = errors.New("the upstream resolves to a listener of this process")

// upstreamFault classifies an error of the upstream's side. ctx is the
// request's: when it ended, the client is gone whatever err says.
func upstreamFault(ctx context.Context, err error) *fault.Error {
	var bad malformed
	switch {
	case ctx.Err() != nil:
		return gone(ctx)
	case errors.As(err, &bad):
		return fault.Wrap(fault.BadGateway, CodeMalformed, "", err)
	case timedOut(err):
		return fault.Wrap(fault.GatewayTimeout, CodeTimeout, "", err)
	}
	return fault.Wrap(fault.BadGateway, CodeBroke, "", err)
}

// dialFault classifies a failed connection attempt.
func dialFault(ctx context.Context, err error) *fault.Error {
	switch {
	case ctx.Err() != nil:
		return gone(ctx)
	case errors.Is(err, errOwnListener):
		return fault.Wrap(fault.BadGateway, CodeOwnListener, "", err)
	case timedOut(err):
		return fault.Wrap(fault.GatewayTimeout, CodeConnectTimeout, "", err)
	}
	return fault.Wrap(fault.BadGateway, CodeUnreachable, "", err)
}

// clientFault classifies an error that reading the client's body gave.
func clientFault(ctx context.Context, err error) *fault.Error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), errors.Is(err, errTooLarge):
		return fault.Wrap(fault.TooLarge, CodeTooLarge, "", err)
	case ctx.Err() != nil:
		return gone(ctx)
	case timedOut(err):
		return fault.Wrap(fault.RequestTimeout, CodeRequestSlow, "", err)
	}
	return fault.Wrap(fault.BadRequest, CodeRequestCut, "The request body broke off", err)
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &n) && n.Timeout()
}
