package std

import (
	"net/netip"
	"testing"
)

// Whoever has a whole IPv6 network does not take the place for all handshakes.
func TestOneNetworkDoesNotTakeAllGreetings(t *testing.T) {
	t.Parallel()
	p := &pump{greetings: make(chan struct{}, maxGreetings)}
	begin := func(a netip.Addr) bool {
		return (&greeting{pump: p, o: &ConnOptions{}, peer: netip.AddrPortFrom(a, 1)}).take()
	}
	a := netip.MustParseAddr("2001:db8:1::1").As16()
	for net := range 100 {
		a[7] = byte(net)
		for range 100 {
			begin(netip.AddrFrom16(a))
		}
	}
	if n := len(p.greetings); n > maxGreetings/4 {
		t.Errorf("%d of %d are one network's", n, maxGreetings)
	}
	for _, other := range []string{"203.0.113.7", "2001:db8:2::1"} {
		if !begin(netip.MustParseAddr(other)) {
			t.Errorf("%s is not let begin", other)
		}
	}
}
