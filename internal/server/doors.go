package server

import (
	"net"
	"sync"
)

// Doors are the listeners of one purpose, by the address that the configuration
// gives them. They change while the server runs: one that stays is not touched,
// so that nobody who waits there to be let in is turned away.
type Doors struct {
	mu    sync.Mutex
	open  map[string]net.Listener
	serve func(net.Listener) // set while the server runs
	ended bool
}

// At returns the listener of an address, nil when there is none.
func (d *Doors) At(address string) net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open[address]
}

// Addrs are where the doors really are.
func (d *Doors) Addrs() []net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []net.Addr
	for _, l := range d.open {
		out = append(out, l.Addr())
	}
	return out
}

// Set makes these the doors: new ones are served from now on, those that are
// gone take no new connections. After the end of the server all are closed.
func (d *Doors) Set(to map[string]net.Listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, l := range d.open {
		if to[at] != l {
			_ = l.Close()
		}
	}
	for at, l := range to {
		switch {
		case d.ended:
			_ = l.Close()
		case d.serve != nil && d.open[at] != l:
			d.serve(l)
		}
	}
	d.open = to
}

// begin serves what is open, and what Set brings.
func (d *Doors) begin(serve func(net.Listener)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serve = serve
	for _, l := range d.open {
		serve(l)
	}
}

// Close closes all doors, for good.
func (d *Doors) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended, d.serve = true, nil
	for _, l := range d.open {
		_ = l.Close() // may be closed already, by its http.Server
	}
}
