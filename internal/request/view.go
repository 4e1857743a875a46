// Package request is the one form in which Portreeve sees a request, whichever
// engine read it: a read-only View, and the Reply that answers it. It knows no
// sockets and no net/http.
package request

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// View is a read-only window on one request, valid until its access-log line
// is written. Whoever needs it longer calls Detach.
type View struct {
	ID       string // request id, ours or a trusted proxy's
	Method   string // as sent, case-sensitive
	Target   string // request-target as sent, for logs and differential tests only
	Host     string // lower case, without port and trailing dot
	Scheme   string // "https" when known to have come by TLS, else "http"
	Path     Path   // canonical
	Query    string // raw, without '?', byte for byte
	HasQuery bool   // a '?' was there, if only an empty query behind it
	Header   Header
	Peer     netip.AddrPort // TCP peer; zero for a unix socket
	Client   netip.Addr     // the client's address after trustedProxies
	// ClientUnsure reports that a trusted proxy's header about the client was
	// there and could not be used: Client is then the proxy's own address, which
	// proves nothing about who is behind it.
	ClientUnsure bool
	Received     time.Time
	// HasBody reports whether the head announces a body.
	HasBody bool
}

// Origin is the request's own origin: scheme and authority as the browser that
// sent it would write them.
func (v *View) Origin() string {
	host := v.Header.Get("Host")
	if host == "" {
		host = v.Host
	}
	return v.Scheme + "://" + strings.ToLower(host)
}

// Detach copies what must outlive the request.
func (v *View) Detach() *View {
	c := *v
	c.Header = slices.Clone(v.Header)
	c.Path.Segments = slices.Clone(v.Path.Segments)
	return &c
}

// QueryValues returns the decoded values of the query parameter name, in
// order. '+' is a space; a value that does not decode is taken as written.
func (v *View) QueryValues(name string) []string {
	var out []string
	rest := v.Query
	for rest != "" {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		k, val, _ := strings.Cut(pair, "=")
		if unescapeQuery(k) == name {
			out = append(out, unescapeQuery(val))
		}
	}
	return out
}

// Reply is an answer that Portreeve gives itself.
type Reply struct {
	Status int
	Header Header
	Body   []byte
}

// CanonicalHost folds a Host field or :authority: lower case, without port and
// one trailing dot. ok is false when it is no host at all.
func CanonicalHost(authority string) (host string, ok bool) {
	h := authority
	if strings.HasPrefix(h, "[") {
		end := strings.IndexByte(h, ']')
		if end < 0 {
			return "", false
		}
		rest := h[end+1:]
		if rest != "" && !portOK(rest) {
			return "", false
		}
		addr, err := netip.ParseAddr(h[1:end])
		if err != nil || addr.Zone() != "" {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	if i := strings.IndexByte(h, ':'); i >= 0 {
		if !portOK(h[i:]) {
			return "", false
		}
		h = h[:i]
	}
	h = strings.TrimSuffix(h, ".")
	if h == "" || len(h) > 253 || strings.HasSuffix(h, ".") {
		return "", false
	}
	for i := 0; i < len(h); i++ {
		c := h[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && h[i-1] != '.':
		default:
			return "", false
		}
	}
	return strings.ToLower(h), true
}

// portOK reports whether s is ":" followed by a port number (or nothing, which
// RFC 3986 allows).
func portOK(s string) bool {
	if len(s) > 6 || s[0] != ':' {
		return false
	}
	n := 0
	for _, c := range []byte(s[1:]) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}
