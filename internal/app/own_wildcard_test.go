package app

import (
	"net/netip"
	"testing"
)

// A connection to the unspecified address arrives at the loopback one.
func TestTheUnspecifiedAddressIsOurs(t *testing.T) {
	t.Parallel()
	var o ownDoors
	o.at.Store(&[]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9090"), netip.MustParseAddrPort("[::1]:9091"), netip.MustParseAddrPort("192.0.2.1:9092")})
	for to, want := range map[string]bool{
		"0.0.0.0:9090": true, "[::]:9091": true, "0.0.0.0:9092": false, "0.0.0.0:9093": false, "127.0.0.1:9090": true, "127.0.0.2:9090": false,
	} {
		if got := o.is(netip.MustParseAddrPort(to)); got != want {
			t.Errorf("%s: %t", to, got)
		}
	}
}
