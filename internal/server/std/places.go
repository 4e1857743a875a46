package std

import (
	"net/netip"
	"sync"

	"github.com/portreeve/portreeve/internal/request"
)

// Places counts open connections by address. Listeners of one server share it,
// so that a client gains nothing by spreading over them. The zero Places is
// empty and ready.
type Places struct {
	mu   sync.Mutex
	open map[netip.Addr]int
}

// take takes one of the most places that an address may have, an IPv4 address
// or an IPv6 /64; free gives it back.
func (p *Places) take(a netip.Addr, most int, exempt func(netip.Addr) bool) (free func(), ok bool) {
	if most <= 0 || !a.IsValid() || exempt != nil && exempt(a) {
		return func() {}, true
	}
	key := request.Network(a)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[key] >= most {
		return nil, false
	}
	if p.open == nil {
		p.open = map[netip.Addr]int{}
	}
	p.open[key]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.open[key]--; p.open[key] == 0 {
			delete(p.open, key)
		}
	}, true
}
