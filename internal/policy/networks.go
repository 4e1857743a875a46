package policy

import (
	"net/netip"
	"slices"
)

// networks is a set of IP networks: one look-up for each prefix length in use,
// however many networks there are.
type networks struct {
	set  map[netip.Prefix]bool
	bits [2][]int // lengths in use, for IPv4 and IPv6
}

// add takes an address or a network in CIDR form and says what is wrong with it.
func (n *networks) add(text string) (problem string) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return "not an address or network: write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
		}
		a = a.Unmap()
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return "this network mixes IPv4 and IPv6; write the IPv4 network itself"
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return "address bits are set behind the prefix; the network's own form is " + p.Masked().String()
	}
	if n.set == nil {
		n.set = map[netip.Prefix]bool{}
	}
	n.set[p] = true
	f := family(p.Addr())
	if !slices.Contains(n.bits[f], p.Bits()) {
		n.bits[f] = append(n.bits[f], p.Bits())
	}
	return ""
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// contain reports whether an address is in one of the networks. An IPv4 address
// in IPv6 clothes is the IPv4 address.
func (n *networks) contain(a netip.Addr) bool {
	if len(n.set) == 0 || !a.IsValid() {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, bits := range n.bits[family(a)] {
		if p, err := a.Prefix(bits); err == nil && n.set[p] {
			return true
		}
	}
	return false
}

// empty reports whether no network is listed.
func (n *networks) empty() bool { return len(n.set) == 0 }
