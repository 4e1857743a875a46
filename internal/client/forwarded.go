package client

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// plainAddress reads one IP address and nothing around it. Zones are refused:
// they mean something on the proxy alone.
func plainAddress(s string) (netip.Addr, bool) {
	if len(s) > 45 { // the longest text of an IPv6 address
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.IsUnspecified() {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// forwardedFor reads a place of X-Forwarded-For: an address; some proxies add
// the port, or put brackets around IPv6.
func forwardedFor(s string) (netip.Addr, bool) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, port, closed := strings.Cut(rest, "]")
		if !closed || port != "" && !portOK(port) || !strings.Contains(host, ":") {
			return netip.Addr{}, false
		}
		return plainAddress(host)
	}
	if i := strings.IndexByte(s, ':'); i >= 0 && i == strings.LastIndexByte(s, ':') {
		if !portOK(s[i:]) {
			return netip.Addr{}, false
		}
		s = s[:i]
	}
	return plainAddress(s)
}

// portOK reports whether s is a colon and a port number.
func portOK(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0] != ':' || s[1] == '+' {
		return false
	}
	_, err := strconv.ParseUint(s[1:], 10, 16)
	return err == nil
}

// forwardedElement reads the for parameter of a place of Forwarded (RFC 7239
// section 4): IPv6 stands in quotes and brackets. "unknown" and obfuscated
// names are no address.
func forwardedElement(element string) (netip.Addr, bool) {
	node, ok := parameter(element, "for")
	if !ok {
		return netip.Addr{}, false
	}
	if strings.Contains(node, ":") && !strings.HasPrefix(node, "[") && strings.Count(node, ":") > 1 {
		return netip.Addr{}, false
	}
	return forwardedFor(node)
}

// parameter reads one parameter of a Forwarded element. Twice, or anything that
// is not of the form, makes the element unreadable.
func parameter(element, name string) (value string, ok bool) {
	for pair := range strings.SplitSeq(element, ";") {
		k, v, has := strings.Cut(strings.TrimSpace(pair), "=")
		if !has || k == "" {
			return "", false
		}
		if len(k) != len(name) || !strings.EqualFold(k, name) {
			continue
		}
		if ok {
			return "", false
		}
		if strings.HasPrefix(v, `"`) {
			if len(v) < 2 || v[len(v)-1] != '"' {
				return "", false
			}
			v = v[1 : len(v)-1]
		}
		if v == "" || strings.ContainsAny(v, "\"\\ \t") {
			return "", false
		}
		value, ok = v, true
	}
	return value, ok
}

// scheme reads what a trusted proxy says about the client's scheme: the proto
// of the nearest element where its header is Forwarded, else one
// X-Forwarded-Proto.
func scheme(header, value string, h request.Header) string {
	proto := ""
	if header == "Forwarded" {
		proto, _ = parameter(strings.TrimSpace(value[lastComma(value)+1:]), "proto")
	} else if h.Count("X-Forwarded-Proto") == 1 {
		proto = strings.TrimSpace(h.Get("X-Forwarded-Proto"))
	}
	switch {
	case len(proto) == 5 && strings.EqualFold(proto, "https"):
		return "https"
	case len(proto) == 4 && strings.EqualFold(proto, "http"):
		return "http"
	}
	return ""
}
