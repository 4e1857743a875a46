package gateway

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// stripNames and stripPrefixes are the folded names of the headers by which
// upstreams of this field learn who called, from where or what for. A client's
// own never pass: every proxy that let one alias of one of them through has had
// a bypass published.
var stripNames = map[string]bool{
	"remote-user": true, "remote-email": true, "remote-groups": true, "remote-name": true,
	"x-original-url": true, "x-original-uri": true, "x-original-method": true, "x-original-host": true,
	"x-rewrite-url": true, "x-http-method": true, "x-http-method-override": true, "x-method-override": true,
	"proxy": true, "forwarded": true,
	// The client's address, in the spellings that upstreams look for.
	"x-real-ip": true, "x-client-ip": true, "x-cluster-client-ip": true, "true-client-ip": true, "cf-connecting-ip": true,
	"cf-connecting-ipv6": true, "fastly-client-ip": true, "x-envoy-external-address": true, "x-azure-clientip": true,
	"proxy-client-ip": true, "wl-proxy-client-ip": true, "x-original-for": true, "x-forwarded": true,
	// The client's scheme and host, likewise.
	"x-scheme": true, "x-url-scheme": true, "x-original-proto": true, "front-end-https": true, "cf-visitor": true, "x-host": true,
	// Ours is set anew.
	"x-request-id": true,
}

var stripPrefixes = [...]string{"x-portreeve-", "x-auth-request-", "x-forwarded-", "cf-access-"}

// hopByHop are the fields that concern one connection (RFC 9110 section 7.6.1).
var hopByHop = map[string]bool{
	"connection": true, "keep-alive": true, "proxy-connection": true, "proxy-authenticate": true,
	"proxy-authorization": true, "te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
	"http2-settings": true, "expect": true, "content-length": true, "host": true,
}

// Strip is what one route takes off a client's request before it is forwarded.
type Strip struct {
	names   map[string]bool // folded; of the site on top of stripNames
	cookies map[string]bool // by exact name
}

// NewStrip makes a list from header names (any spelling) and cookie names.
func NewStrip(headers, cookies []string) *Strip {
	s := &Strip{names: map[string]bool{}, cookies: map[string]bool{}}
	for _, h := range headers {
		s.names[request.Fold(h)] = true
	}
	for _, c := range cookies {
		s.cookies[c] = true
	}
	return s
}

// Drops reports whether a client's header of that name stays behind, however it
// is spelt.
func (s *Strip) Drops(name string) bool {
	folded := request.Fold(name)
	if hopByHop[folded] || stripNames[folded] || s.names[folded] {
		return true
	}
	for _, p := range stripPrefixes {
		if strings.HasPrefix(folded, p) {
			return true
		}
	}
	return false
}

// Apply appends to dst the fields of h that may be forwarded, in their order.
// extra are further names to drop, folded.
func (s *Strip) Apply(dst, h request.Header, extra map[string]bool) request.Header {
	named := connectionNames(h)
	for _, f := range h {
		if s.Drops(f.Name) || extra[request.Fold(f.Name)] || containsFold(named, f.Name) {
			continue
		}
		if len(s.cookies) > 0 && strings.EqualFold(f.Name, "Cookie") {
			if f.Value = s.withoutCookies(f.Value); f.Value == "" {
				continue
			}
		}
		dst = append(dst, f)
	}
	return dst
}

// connectionNames lists the fields that Connection names: they concern this hop
// alone. What we set is added afterwards, so none of it can be removed that way.
func connectionNames(h request.Header) []string {
	var out []string
	for _, f := range h {
		if strings.EqualFold(f.Name, "Connection") {
			for name := range strings.SplitSeq(f.Value, ",") {
				out = append(out, strings.TrimSpace(name))
			}
		}
	}
	return out
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// withoutCookies drops the listed cookies from a Cookie field and leaves the
// others byte for byte.
func (s *Strip) withoutCookies(value string) string {
	found := false
	for pair := range strings.SplitSeq(value, ";") {
		if s.cookies[cookieName(pair)] {
			found = true
		}
	}
	if !found {
		return value
	}
	var kept []string
	for pair := range strings.SplitSeq(value, ";") {
		if p := strings.TrimSpace(pair); p != "" && !s.cookies[cookieName(pair)] {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "; ")
}

func cookieName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return strings.TrimSpace(name)
}
