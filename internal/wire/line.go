package wire

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// requestLine reads "METHOD SP target SP HTTP/1.x" (RFC 9112 section 3): one
// blank each, nothing before or after.
func (h *Head) requestLine(line string) *Refusal {
	method, rest, ok1 := strings.Cut(line, " ")
	target, proto, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 || !token(method) || target == "" {
		return bad("the request line is malformed")
	}
	switch {
	case proto == "HTTP/1.1" || proto == "HTTP/1.0":
	case len(proto) == 8 && proto[:5] == "HTTP/" && digit(proto[5]) && proto[6] == '.' && digit(proto[7]):
		return &Refusal{Status: 505, Reason: "this HTTP version is not spoken here"}
	default:
		return bad("the request line is malformed")
	}
	if !all(target, targetByte) {
		return bad("the request target holds a control character")
	}
	if method == "CONNECT" { // its body has no length that readers agree on
		return &Refusal{Status: 405, Reason: "CONNECT is not answered here"}
	}
	h.Method, h.Target, h.Proto = method, target, proto
	return nil
}

// target checks the form of the target, once Host is known. Where the path is
// no good, request.ParseTarget says so: a site may have a say in that.
func (h *Head) target() *Refusal {
	if h.Target[0] == '/' {
		return nil
	}
	scheme, rest, ok := strings.Cut(h.Target, "://")
	if !ok || !same(scheme, "http") && !same(scheme, "https") {
		return bad("the request target is neither a path nor a URL")
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if !same(authority, strings.ToLower(h.Host)) {
		return bad("the request target names another host than the Host field")
	}
	if strings.HasPrefix(tail, "#") {
		return bad("the request target is neither a path nor a URL")
	}
	return nil
}

// hostOK reports whether a Host value is one that every reader takes for the
// same host.
func hostOK(v string) bool {
	if _, ok := request.CanonicalHost(v); !ok {
		return false
	}
	if v[0] == '[' { // an IPv4 address in brackets is none to net/url
		return strings.IndexByte(v[:strings.IndexByte(v, ']')], ':') >= 0
	}
	return true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
