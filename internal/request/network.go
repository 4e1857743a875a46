package request

import "net/netip"

// Network is what clients are counted by: an IPv4 address, or the /64 of an
// IPv6 one, which is what one customer line holds.
func Network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
