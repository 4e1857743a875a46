package wire

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// Head is a request head that passed the check. Its strings share one copy of
// the bytes and stay valid when the caller's buffer is used again.
type Head struct {
	Method string // as sent; never CONNECT
	Target string // as sent: origin form, or absolute form whose authority is Host
	Proto  string // HTTP/1.1 or HTTP/1.0
	Host   string // the value of the one Host field; request.CanonicalHost takes it
	// Header holds the fields in wire order. Upgrade fields other than a
	// websocket handshake's, and HTTP2-Settings, are not in it.
	Header        request.Header
	ContentLength int64 // -1 when there is none
	Chunked       bool  // a chunked body follows; never together with a length
	Close         bool  // the client wants no further request on the connection
	Websocket     bool  // a GET that asks to become a WebSocket
}

// HasBody reports whether the head announces a body of at least one byte, or
// one of unknown length.
func (h *Head) HasBody() bool { return h.Chunked || h.ContentLength > 0 }

// ParseHead reads the request head at the start of b. n is its length, the
// empty line included; n == 0 without an error means that more bytes are
// needed. The error is a *Refusal. Callers whose buffer grows in small steps
// look with a Finder first.
func ParseHead(b []byte, l Limits) (head *Head, n int, err error) {
	var f Finder
	n, err = f.Find(b, l)
	if n == 0 || err != nil {
		return nil, 0, err
	}
	head, refusal := parse(string(b[:n]), l)
	if refusal != nil {
		return nil, 0, refusal
	}
	return head, n, nil
}

// parse reads a whole head. Finder has seen that every LF follows a CR.
func parse(s string, l Limits) (*Head, *Refusal) {
	count := strings.Count(s, "\n") - 2
	if count > l.headers() {
		return nil, &Refusal{Status: 431, Reason: "the request head has too many fields"}
	}
	line, rest := nextLine(s)
	h := &Head{ContentLength: -1}
	if r := h.requestLine(line); r != nil {
		return nil, r
	}
	h.Header = make(request.Header, 0, count)
	for range count {
		line, rest = nextLine(rest)
		f, r := parseField(line)
		if r != nil {
			return nil, r
		}
		h.Header = append(h.Header, f)
	}
	if r := h.rules(); r != nil {
		return nil, r
	}
	if r := h.target(); r != nil {
		return nil, r
	}
	return h, nil
}

func nextLine(s string) (line, rest string) {
	i := strings.IndexByte(s, '\n')
	return s[:i-1], s[i+1:]
}

// parseField reads one field line of a head or of a trailer section.
func parseField(line string) (request.Field, *Refusal) {
	if line == "" || line[0] == ' ' || line[0] == '\t' {
		return request.Field{}, bad("a header field is folded over several lines")
	}
	i := strings.IndexByte(line, ':')
	if i < 0 {
		return request.Field{}, bad("a header line has no colon")
	}
	name, value := line[:i], line[i+1:]
	if !token(name) {
		return request.Field{}, bad("a header field name holds characters that are not allowed")
	}
	if !all(value, valueByte) {
		return request.Field{}, bad("a header field value holds a control character")
	}
	return request.Field{Name: name, Value: trim(value)}, nil
}
