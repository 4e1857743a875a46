package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

var errAddress = errors.New("its address is one that is not called from here")

// transport is net/http's, without proxies of the environment, whose every
// connection goes to an address that was looked at.
func transport(o Options) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
		if o.Refuse != nil && o.Refuse(to) || !o.Private && !Public(to.Addr()) {
			return errAddress
		}
		return nil
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
		DisableCompression: true, // it would inflate without a bound
		MaxConnsPerHost:    maxConns, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: idleTime, MaxResponseHeaderBytes: maxHead,
	}
}

// special are the ranges that are no one place of the public internet, besides
// those that net/netip names (IANA IPv4 and IPv6 Special-Purpose Address
// Registries). Those that embed an IPv4 address are among them: it may be any.
var special = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
}

// unicast is all that IANA gives out of IPv6 as the public internet. Outside of it
// stand, besides what nobody has, more ranges that embed an IPv4 address: ::/96,
// 64:ff9b::/96, and ::ffff:0:0:0/96, which net/netip does not unmap.
var unicast = netip.MustParsePrefix("2000::/3")

// Public reports whether an address is one of the public internet, where nobody
// is trusted for being there.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !unicast.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
