package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/server"
	"github.com/portreeve/portreeve/internal/server/std"
	"github.com/portreeve/portreeve/internal/wire"
)

// Options are what a serving process is started with.
type Options struct {
	Source Source
	Listen []string  // overrides the file's
	Stderr io.Writer // logs and what people read
	Now    func() time.Time
	// KeySets, where set, changes how a key set is fetched before it is made:
	// by another transport, at other intervals.
	KeySets func(*keyset.Config)
	// Started is called with the public addresses once they are open.
	Started func(addrs []net.Addr)
}

// App is a serving process: one runtime at a time, swapped whole.
type App struct {
	options Options
	log     *slog.Logger
	gate    *gateway.Gate
	ring    *explain.Ring
	kept    *kept
	metrics *server.Metrics
	access  server.AccessLog
	now     func() time.Time

	reloading sync.Mutex
	current   atomic.Pointer[generation]
	lastError atomic.Pointer[string] // why the last reload failed
}

// generation is one configuration in service.
type generation struct {
	*Built
	runtime *std.Runtime
	number  uint64
	since   time.Time
}

// ConfigError is a configuration with problems; its text is what check prints.
type ConfigError struct{ Problems []config.Problem }

func (e *ConfigError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// New loads the configuration and makes everything ready to serve it.
func New(o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	l, err := Load(o.Source)
	if err != nil {
		return nil, err
	}
	a := &App{options: o, now: o.Now, ring: explain.NewRing()}
	if a.log, err = openLog(l, o.Stderr); err != nil {
		return nil, err
	}
	if a.kept, err = newKept(a.log, o.Now, o.KeySets); err != nil {
		return nil, err
	}
	a.gate = &gateway.Gate{Limits: limit.NewTable(1 << 17), Now: o.Now,
		Lot: park.NewLot(park.Options{Workers: runtime.GOMAXPROCS(0), Queue: 4096, PerAddress: 256})}
	a.metrics = server.NewMetrics(a.gate.Lot.Stats, a.keyHealth)
	a.access = server.AccessLog{Log: a.log, Key: []byte(newID()), Mail: l.File.Log != nil && l.File.Log.User == "email"}
	b := build(l, a.deps())
	if b.Doc.Failed() {
		return nil, &ConfigError{b.Doc.Problems()}
	}
	for _, p := range b.Doc.Problems() {
		a.log.Warn("configuration", "problem", p.String())
	}
	a.swap(b)
	return a, nil
}

func (a *App) deps() Deps {
	return Deps{Keys: a.kept.keys, Memory: a.kept.memory, JWKS: a.kept.jwks}
}

// swap puts a built configuration into service. It cannot fail.
func (a *App) swap(b *Built) {
	g := &generation{Built: b, runtime: a.kept.runtime(b), number: 1, since: a.now()}
	if old := a.current.Load(); old != nil {
		g.number = old.number + 1
	}
	b.Snapshot.Generation = g.number
	a.current.Store(g)
	a.kept.settle(b, g.runtime)
}

var errEnvironment = errors.New("environment has changed, which takes a restart; nothing of the new configuration is in service")

// errRestart is said when a reload changes what only a start can.
var errRestart = errors.New("store, admin, masterKey and listeners take effect at a restart; the rest of the new configuration is in service")

// Reload reads the configuration again and swaps it in whole, or changes
// nothing. The error is what check would print.
func (a *App) Reload() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	l, err := Load(a.options.Source)
	if err == nil && l.Env != a.current.Load().Env {
		err = errEnvironment // it decides which checks may be weakened: not in a running process
	}
	if err == nil {
		b := build(l, a.deps())
		if b.Doc.Failed() {
			err = &ConfigError{b.Doc.Problems()}
		} else {
			old := a.current.Load()
			if needsRestart(old.Built, b) {
				a.log.Warn("configuration", "problem", errRestart.Error())
			}
			a.swap(b)
			a.log.Info("configuration reloaded", "generation", a.current.Load().number)
		}
	}
	if err != nil {
		text := err.Error()
		a.lastError.Store(&text)
		a.log.Error("configuration not reloaded; the one before stays in service", "problems", text)
		a.kept.settle(a.current.Load().Built, a.current.Load().runtime)
		return err
	}
	a.lastError.Store(nil)
	return nil
}

// needsRestart reports whether something changed that only a start can take up.
func needsRestart(old, b *Built) bool {
	was, is := old.File, b.File
	same := func(a, b any) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }
	store := func(f *File) string {
		if f.Store == nil {
			return ""
		}
		return string(f.Store.URL)
	}
	admin := func(f *File) string {
		if f.Admin == nil {
			return ""
		}
		return f.Admin.Listen + " " + f.Admin.Token.Reveal()
	}
	return store(was) != store(is) || admin(was) != admin(is) || !was.MasterKey.Equal(is.MasterKey.Reveal()) ||
		!same(was.Listen, is.Listen) || !same(was.Probes == nil, is.Probes == nil)
}

// Run serves until ctx ends.
func (a *App) Run(ctx context.Context) error {
	g := a.current.Load()
	defer a.kept.close()
	s, err := a.server(g)
	if err != nil {
		return err
	}
	if a.options.Started != nil {
		var addrs []net.Addr
		for _, l := range s.Public {
			addrs = append(addrs, l.Addr())
		}
		a.options.Started(addrs)
	}
	if g.File.Watch {
		stop, err := a.watch(ctx)
		if err != nil {
			return err
		}
		defer stop()
	}
	return s.Run(ctx)
}

// server opens the listeners.
func (a *App) server(g *generation) (s *server.Server, err error) {
	f := g.File
	limits := f.Limits
	if limits == nil {
		limits = &LimitsConfig{}
	}
	engine := &std.Engine{Gate: a.gate, Now: a.now, NewID: newID, Record: a.record,
		Runtime:    func() *std.Runtime { return a.current.Load().runtime },
		Concurrent: make(chan struct{}, orInt(limits.Concurrent, 10000))}
	s = &server.Server{Engine: engine, Log: a.log, Drain: f.Drain.Or(30 * time.Second),
		Conn: std.ConnOptions{
			Limits:      wire.Limits{HeadBytes: orInt(int(limits.HeadBytes), 64<<10), Headers: orInt(limits.Headers, 100)},
			HeadTimeout: limits.HeadTimeout.Or(10 * time.Second), BodyIdle: limits.BodyIdle.Or(30 * time.Second),
			PerIP: orInt(limits.ConnectionsPerIP, 1000), Exempt: a.exempt,
		}}
	if g.Env == "prod" {
		s.DrainDelay = 5 * time.Second
	}
	if f.DrainDelay != nil {
		s.DrainDelay = f.DrainDelay.Std()
	}
	defer func() {
		if err != nil {
			closeAll(s)
		}
	}()
	addrs := a.options.Listen
	if len(addrs) == 0 {
		addrs = f.Listen
	}
	if len(addrs) == 0 {
		addrs = []string{DefaultListen}
	}
	for _, addr := range addrs {
		l, err := listen(g.Loaded, addr, 0o660)
		if err != nil {
			return nil, err
		}
		s.Public = append(s.Public, l)
	}
	if f.Probes != nil {
		if s.Probes, err = listen(g.Loaded, f.Probes.Listen, 0o660); err != nil {
			return nil, err
		}
		s.ProbesMux = server.ProbesMux(a.metrics.Registry, a.notReady(s), a.degraded)
	}
	return s, a.openAdmin(g, s)
}

func (a *App) openAdmin(g *generation, s *server.Server) (err error) {
	o := server.AdminOptions{Ring: a.ring, Reload: a.Reload, State: a.state, Socket: true}
	at := "unix:" + g.AdminSocket()
	if c := g.File.Admin; c != nil {
		at, o.Token, o.Pprof = c.Listen, c.Token, c.Pprof
		o.Socket = strings.HasPrefix(at, "unix:")
	}
	if s.Admin, err = listen(g.Loaded, at, 0o600); err != nil {
		return err
	}
	o.Hosts = server.AdminHosts(s.Admin.Addr())
	s.AdminMux = server.AdminMux(o)
	return nil
}

func orInt(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}

// exempt reports whether an address may open any number of connections:
// loopback and trusted proxies.
func (a *App) exempt(addr netip.Addr) bool {
	return addr.IsLoopback() || a.current.Load().Snapshot.Trusted.Trusted(addr)
}

func closeAll(s *server.Server) {
	for _, l := range s.Public {
		_ = l.Close()
	}
	for _, l := range []net.Listener{s.Probes, s.Admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

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
