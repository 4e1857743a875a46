//go:build unix

package proxy

import (
	"errors"
	"syscall"
)

// probe looks at a socket without taking anything from it. The callback is
// made once per connection, so that a look allocates nothing.
type probe struct {
	raw   syscall.RawConn
	calm  bool
	look  func(fd uintptr)
	space [1]byte
}

func newProbe(raw syscall.RawConn) *probe {
	p := &probe{raw: raw}
	p.look = func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), p.space[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.calm = errors.Is(err, syscall.EAGAIN)
	}
	return p
}

// quiet reports whether there is nothing to read, not even an end.
func (p *probe) quiet() bool {
	p.calm = false
	// Control and not Read: a past deadline must not make the answer.
	return p.raw.Control(p.look) == nil && p.calm
}
