package client

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
)

// TrustedProxyConfig is a group of proxies, and the header by which they say
// whom they speak for. A CIDR alone means X-Forwarded-For.
type TrustedProxyConfig struct {
	// From are the proxies' networks (CIDR), single addresses, or cloudflare.
	From config.List[string] `json:"from" conf:"required"`
	// Header is CF-Connecting-IP, X-Real-IP, X-Forwarded-For or Forwarded: the one that these proxies set or extend. X-Forwarded-For unless set, which cloudflare must. proxyProtocol is a PROXY header (version 1 or 2) at the start of every connection.
	Header config.List[string] `json:"header"`
	// Hops is how many proxies stand in a row, for X-Forwarded-For and Forwarded: the address is the one that many places from the right. Unless set, it is the first from the right that no entry trusts.
	Hops int `json:"hops"`
}

// DecodeConfig takes a CIDR or {from, header, hops}.
func (c *TrustedProxyConfig) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		if v.Decode(&c.From) && len(c.From) == 0 { // a variable that is set to nothing
			v.Errorf("names no proxy; give a CIDR, an address or cloudflare, or remove the key")
		}
		return
	}
	type plain TrustedProxyConfig
	v.Decode((*plain)(c))
}

// Shapes are a CIDR or the mapping.
func (TrustedProxyConfig) Shapes() []any { return []any{"", TrustedProxyConfig{}} }

// The headers, as the configuration writes them (any case).
var headers = []string{"CF-Connecting-IP", "X-Real-IP", "X-Forwarded-For", "Forwarded"}

// Compile makes Trust of the configuration and reports what is wrong with it. r
// stands at the key trustedProxies.
func Compile(list config.List[TrustedProxyConfig], r *config.Reporter) *Trust {
	t := &Trust{}
	for i := range list {
		t.entries = append(t.entries, list[i].compile(r.At(config.Index(i))))
	}
	return t
}

func (c *TrustedProxyConfig) compile(r *config.Reporter) entry {
	e := entry{hops: c.Hops}
	cf := false
	for i, from := range c.From {
		if from == "cloudflare" {
			cf = true
			e.from = append(e.from, cloudflare...)
			continue
		}
		p, ok := network(from)
		if !ok {
			problem := "is neither a CIDR nor an address nor cloudflare"
			if p, err := netip.ParsePrefix(from); err == nil && p.Masked() != p {
				problem = "has address bits set behind the prefix; 10.0.0.0/8 is a network and 10.0.0.1/8 is not"
			}
			r.Errorf("from"+config.Index(i), "%s", problem)
			continue
		}
		if p.Bits() == 0 {
			r.Warnf("from"+config.Index(i), "trusts the word of everybody about where they come from")
		}
		e.from = append(e.from, p)
	}
	if e.proxyProtocol = slices.Contains(c.Header, proxyProtocol); e.proxyProtocol {
		c.connection(r, cf)
		return e
	}
	e.headers = c.headerNames(r, cf)
	if c.Hops < 0 || c.Hops > 20 {
		r.Errorf("hops", "is not between 1 and 20")
	}
	if c.Hops > 0 && !listHeader(e.headers) {
		r.Errorf("hops", "is for X-Forwarded-For and Forwarded, which list every proxy on the way")
	}
	return e
}

func (c *TrustedProxyConfig) headerNames(r *config.Reporter, cf bool) (out []string) {
	if len(c.Header) == 0 {
		if cf {
			r.Errorf("header", "is missing: cloudflare sets CF-Connecting-IP and extends X-Forwarded-For; say which counts")
		}
		return []string{"X-Forwarded-For"}
	}
	for i, name := range c.Header {
		known := ""
		for _, h := range headers {
			if len(h) == len(name) && strings.EqualFold(h, name) {
				known = h
			}
		}
		switch {
		case known == "":
			r.Errorf("header"+config.Index(i), "is none of %s, %s", strings.Join(headers, ", "), proxyProtocol)
		default:
			out = append(out, known)
		}
	}
	if len(c.Header) > 1 {
		r.Warnf("header", "is a list: a proxy that sets only a later one lets its clients send the earlier one; name the one that it sets")
	}
	return out
}

// proxyProtocol stands in the place of a header's name.
const proxyProtocol = "proxyProtocol"

// connection checks an entry whose proxies speak the PROXY protocol.
func (c *TrustedProxyConfig) connection(r *config.Reporter, cf bool) {
	if len(c.Header) > 1 {
		r.Errorf("header", "proxyProtocol stands alone: such a proxy hands on bytes, so every header is its client's own word")
	}
	if c.Hops != 0 {
		r.Errorf("hops", "is for X-Forwarded-For and Forwarded; a PROXY header names one client")
	}
	if cf {
		r.Errorf("header", "Cloudflare's proxy speaks HTTP: it sets CF-Connecting-IP")
	}
}

func listHeader(names []string) bool {
	for _, n := range names {
		if n == "X-Forwarded-For" || n == "Forwarded" {
			return true
		}
	}
	return false
}

// network reads a CIDR or an address. Bits behind the prefix must be zero:
// what was meant is not clear otherwise.
func network(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, ok := plainAddress(s)
		if !ok {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Masked() != p || p.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return p, true
}
