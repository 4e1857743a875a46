package app

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/server"
)

// doors are listeners that a configuration asks for: those that are open
// already, and fresh ones that nobody serves yet.
type doors struct {
	public, probes map[string]net.Listener
	order          []string // of public, as the file lists them
	fresh          []net.Listener
}

// openDoors opens what the server does not have yet. On an error nothing is
// left open.
func openDoors(b *Built, s *server.Server) (d *doors, err error) {
	d = &doors{public: map[string]net.Listener{}, probes: map[string]net.Listener{}}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	addrs := []string(b.File.Listen)
	if len(addrs) == 0 {
		addrs = []string{DefaultListen}
	}
	for _, addr := range addrs {
		key := addr
		for n := 2; d.public[key] != nil; n++ { // 127.0.0.1:0 may stand twice
			key = fmt.Sprintf("%s #%d", addr, n)
		}
		if d.public[key], err = d.open(b.Loaded, &s.Public, key, addr); err != nil {
			return d, err
		}
		d.order = append(d.order, key)
	}
	if p := b.File.Probes; p != nil {
		d.probes[p.Listen], err = d.open(b.Loaded, &s.Probes, p.Listen, p.Listen)
	}
	return d, err
}

func (d *doors) open(l *Loaded, there *server.Doors, key, addr string) (net.Listener, error) {
	if known := there.At(key); known != nil {
		return known, nil
	}
	ln, err := listen(l, addr, 0o660)
	if err == nil {
		d.fresh = append(d.fresh, ln)
	}
	return ln, err
}

// serve makes these the server's doors.
func (d *doors) serve(s *server.Server) {
	s.Public.Set(d.public)
	s.Probes.Set(d.probes)
}

// close closes the fresh ones.
func (d *doors) close() {
	for _, l := range d.fresh {
		_ = l.Close()
	}
}

// addrs are the public addresses in the order of the file.
func (d *doors) addrs() (out []net.Addr) {
	for _, key := range d.order {
		out = append(out, d.public[key].Addr())
	}
	return out
}

// openAdmin opens the admin listener. One that the file does not ask for is
// not worth a failed start: the folder may be read-only, the name too long for
// a socket, or a second process may serve the same file.
func (a *App) openAdmin(g *generation, s *server.Server) (err error) {
	o := server.AdminOptions{Ring: a.ring, Reload: func() error { return a.reloadBy("admin") }, State: a.state, Socket: true}
	at, c := "unix:"+g.AdminSocket(), g.File.Admin
	if c != nil {
		at, o.Token, o.Pprof = c.Listen, c.Token, c.Pprof
		o.Socket = strings.HasPrefix(at, "unix:")
	}
	if s.Admin, err = listen(g.Loaded, at, 0o600); err != nil {
		if s.Admin = nil; c != nil {
			return err
		}
		a.log.Warn("no admin listener, so explain --id finds nothing; admin: {listen: …} says where it can be", "error", err.Error())
		return nil
	}
	o.Hosts = server.AdminHosts(s.Admin.Addr())
	s.AdminMux = server.AdminMux(o)
	return nil
}

// startTimeout is how long a process that may serve a socket has to take a
// connection.
const startTimeout = 2 * time.Second

// listen opens an address or a unix socket, relative to the file. A socket that
// nobody answers on is left over from a process that died, and is replaced.
func listen(l *Loaded, addr string, mode os.FileMode) (net.Listener, error) {
	file, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
		}
		return ln, nil
	}
	file = l.abs(file)
	if c, err := net.DialTimeout("unix", file, startTimeout); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("cannot listen on unix:%s: another process serves there", file)
	}
	if info, err := os.Lstat(file); err == nil && info.Mode()&os.ModeSocket != 0 {
		_ = os.Remove(file)
	}
	return listenUnix(file, mode)
}
