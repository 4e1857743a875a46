package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// framing says how the request's body is delimited.
type framing uint8

const (
	noBody framing = iota
	byLength
	byChunks
)

// bodyOf tells the framing from what net/http made of the client's head.
// Trailers go on only behind a chunked body.
func bodyOf(r *http.Request, trailers bool) (framing, int64) {
	switch {
	case r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0:
		return noBody, 0
	case r.ContentLength < 0 || trailers:
		return byChunks, -1
	}
	return byLength, r.ContentLength
}

var errOutbound = errors.New("the outgoing head holds what no HTTP/1.1 head may hold")

// appendHead writes o as it goes to the wire. A head that would not be read
// back as one head is an error: nothing is forwarded in doubt.
func appendHead(b []byte, o *gateway.Forward, f framing, length int64, trailers ...string) ([]byte, error) {
	if !isToken(o.Method) || !targetOK(o.Path, true) || !targetOK(o.Query, false) ||
		o.Host == "" || !valueOK(o.Host) {
		return b, errOutbound
	}
	b = append(b, o.Method...)
	b = append(b, ' ')
	b = append(b, o.Path...)
	if o.HasQuery || o.Query != "" {
		b = append(b, '?')
		b = append(b, o.Query...)
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, o.Host...)
	b = append(b, '\r', '\n')
	hadLength := false
	for i := range o.Header {
		h := &o.Header[i]
		if connectionField(h.Name) {
			hadLength = hadLength || len(h.Name) == len("content-length")
			continue
		}
		if !isToken(h.Name) || !valueOK(h.Value) {
			return b, errOutbound
		}
		b = append(b, h.Name...)
		b = append(b, ':', ' ')
		b = append(b, h.Value...)
		b = append(b, '\r', '\n')
	}
	switch {
	case f == byChunks:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case f == byLength:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, length, 10)
		b = append(b, '\r', '\n')
	case hadLength || expectsBody(o.Method):
		// RFC 9110 section 8.6: say that there is none where one is expected.
		b = append(b, "Content-Length: 0\r\n"...)
	}
	if f == byChunks && len(trailers) > 0 {
		b = append(b, "Trailer: "...)
		b = append(b, strings.Join(trailers, ", ")...)
		b = append(b, '\r', '\n')
	}
	return append(appendHop(b, o, f), '\r', '\n'), nil
}

// appendHop writes what concerns this connection alone.
func appendHop(b []byte, o *gateway.Forward, f framing) []byte {
	options := make([]string, 0, 3)
	if o.Websocket {
		b = append(b, "Upgrade: websocket\r\n"...)
		options = append(options, "Upgrade")
	}
	if o.TakesTrailers {
		b = append(b, "TE: trailers\r\n"...)
		options = append(options, "TE")
	}
	if lastUse(o.Method, f) {
		options = append(options, "close")
	}
	if len(options) == 0 {
		return b
	}
	b = append(b, "Connection: "...)
	b = append(b, strings.Join(options, ", ")...)
	return append(b, '\r', '\n')
}

// lastUse reports whether the connection must not serve another request: many
// upstreams never read the body of a GET and take its bytes for the next
// request, whose identity headers the client then has written (RFC 9110 section
// 9.3.1 warns of it). Told to close, they throw them away.
func lastUse(method string, f framing) bool { return f != noBody && !expectsBody(method) }

func expectsBody(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

// idempotent reports whether the method may be sent again (RFC 9110 section
// 9.2.2), in the list of spec "Retries".
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	}
	return false
}

// connectionField reports whether name belongs to one connection or frames a
// body (RFC 9110 section 7.6.1), also in spellings that CGI-style readers take
// for it.
func connectionField(name string) bool {
	switch len(name) {
	case 2, 4, 7, 10, 14, 16, 17:
	default:
		return false
	}
	switch request.Fold(name) {
	case "te", "host", "trailer", "upgrade", "connection", "keep-alive",
		"content-length", "proxy-connection", "transfer-encoding", "http2-settings":
		return true
	}
	return false
}
