package outbound

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/portreeve/portreeve/internal/request"
)

// Why is what a call failed by.
type Why string

// The reasons.
const (
	Unreachable Why = "unreachable" // no connection, or it broke before an answer
	Late        Why = "late"        // not within its time
	TooLarge    Why = "too_large"   // more than is read of an answer
	Garbled     Why = "garbled"     // no HTTP, or a body that broke off or cannot be unpacked
	Refused     Why = "refused"     // not sent: to no such address, or not such a call
)

// Error is a call that came to no answer. Its text names the host, and no path,
// query, header or body.
type Error struct {
	Why  Why
	Host string
	Err  error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Host, e.Why)
	}
	return fmt.Sprintf("%s: %s: %v", e.Host, e.Why, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// broken sorts what net/http says of an exchange that failed; begun says that the
// answer's head had come.
func (c *Client) broken(ctx context.Context, err error, begun bool) *Error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) { // its text holds the URL
		err = wrapped.Err
	}
	out := &Error{Why: Garbled, Host: c.base.Host, Err: err}
	var network net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, errAddress):
		out.Why, out.Err = Refused, errAddress
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout():
		out.Why = Late
	case errors.Is(err, context.Canceled):
		out.Why = Unreachable
	case begun: // what breaks off cannot be told from what is broken
	case errors.As(err, &op), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		out.Why = Unreachable
	case isTLS(err):
		out.Why = Unreachable
	default:
		out.Err = errors.New("the answer is no HTTP") // net/http quotes what it could not read
	}
	return out
}

// Unreadable reports whether an answer came and cannot be read: it is too large, or
// packed in a way that nobody asked for or that is wrong. One that broke off is not
// among them.
func Unreadable(err error) bool {
	var o *Error
	var corrupt flate.CorruptInputError
	return errors.As(err, &o) && o.Why == TooLarge || errors.Is(err, errCoding) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)
}

func fields(h http.Header) request.Header {
	var out request.Header
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			out = append(out, request.Field{Name: name, Value: value})
		}
	}
	return out
}
