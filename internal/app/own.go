package app

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"

	"github.com/portreeve/portreeve/internal/server"
)

// ownDoors knows where this process listens: an upstream that resolves there
// is refused, since a request to it would go in circles, and one to the admin
// listener would come from somewhere else than it seems.
type ownDoors struct {
	at      atomic.Pointer[[]netip.AddrPort]
	sockets atomic.Pointer[[]string] // absolute
}

// set takes the addresses of a server's listeners.
func (o *ownDoors) set(s *server.Server) {
	addrs := slices.Concat(s.Public.Addrs(), s.Probes.Addrs())
	if s.Admin != nil {
		addrs = append(addrs, s.Admin.Addr())
	}
	var list []netip.AddrPort
	var sockets []string
	for _, a := range addrs {
		if u, ok := a.(*net.UnixAddr); ok {
			sockets = append(sockets, u.Name)
		}
		if t, ok := a.(*net.TCPAddr); ok {
			ap := t.AddrPort()
			list = append(list, netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()))
		}
	}
	o.at.Store(&list)
	o.sockets.Store(&sockets)
}

// isSocket reports whether that file is a socket of ours, by whatever name.
func (o *ownDoors) isSocket(file string) bool {
	list := o.sockets.Load()
	if list == nil {
		return false
	}
	to, err := os.Stat(file)
	return err == nil && slices.ContainsFunc(*list, func(own string) bool {
		info, err := os.Stat(own)
		return err == nil && os.SameFile(info, to)
	})
}

// is reports whether a connection to that address would arrive here.
func (o *ownDoors) is(to netip.AddrPort) bool {
	list := o.at.Load()
	if list == nil {
		return false
	}
	for _, own := range *list {
		if own.Port() == to.Port() && (own.Addr() == to.Addr() || own.Addr().IsUnspecified() && local(to.Addr()) ||
			to.Addr().IsUnspecified() && own.Addr().IsLoopback()) { // which is where the system takes that to
			return true
		}
	}
	return false
}

// local reports whether an address is one of this machine's.
func local(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true // in doubt it is
	}
	return slices.ContainsFunc(addrs, func(one net.Addr) bool {
		n, ok := one.(*net.IPNet)
		if !ok {
			return false
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		return ok && ip.Unmap() == a
	})
}
