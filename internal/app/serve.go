package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/insight"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/server"
	"github.com/portreeve/portreeve/internal/server/std"
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
	// SignInLink is called, before Started, with every one-time link that the
	// configuration asks for, and whom it signs in; nil: none is made.
	SignInLink func(who, url string)
}

// App is a serving process: one runtime at a time, swapped whole.
type App struct {
	options  Options
	log      *slog.Logger
	logFile  *logFile
	gate     *gateway.Gate
	ring     *explain.Ring
	insight  *insight.Service
	kept     *kept
	metrics  *server.Metrics
	storing  storing
	shipping shipping
	access   server.AccessLog
	now      func() time.Time

	reloading sync.Mutex
	server    *server.Server // once Run has opened it; under reloading
	current   atomic.Pointer[generation]
	lastError atomic.Pointer[string] // why the last reload failed
	named     atomic.Pointer[files]  // that the last load named, whether it came into service or not
	watcher   watcher

	complained atomic.Int64 // when unproxied last did
}

// generation is one configuration in service.
type generation struct {
	*Built
	runtime *std.Runtime
	conn    *std.ConnOptions
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
func New(o Options) (a *App, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	a = &App{options: o, now: o.Now, ring: explain.NewRing()}
	l, err := a.load()
	if err != nil {
		return nil, err
	}
	if a.log, a.logFile, err = openLog(l, o.Stderr); err != nil {
		return nil, err
	}
	made := a
	defer func() {
		if err != nil {
			_ = made.storing.stop()
			made.logFile.Close()
		}
	}()
	if a.kept, err = newKept(a.log, o.Now, o.KeySets); err != nil {
		return nil, err
	}
	a.gate = &gateway.Gate{Limits: limit.NewTable(1 << 17), Now: o.Now,
		Lot: park.NewLot(park.Options{Workers: runtime.GOMAXPROCS(0), Queue: 4096, PerAddress: 256})}
	a.metrics = server.NewMetrics(a.gate.Lot.Stats, a.keyHealth, a.upstreamHealth)
	a.insight = a.newInsight()
	a.access = server.AccessLog{Log: a.log, Key: []byte(explain.NewID())}
	if _, ok := a.log.Handler().(*slog.JSONHandler); ok {
		a.access.JSON = a.logFile
	}
	a.metrics.Registry.MustRegister(server.StoreFigures(a.storeHealth), server.TextFigures(a.textCounts), server.LoginFigures(a.loginHealth), server.ShippingFigures(a.shipping.figures))
	if err := a.useStore(l); err != nil {
		return nil, err
	}
	b := build(l, a.deps())
	a.remember(b, nil)
	if b.Doc.Failed() {
		return nil, &ConfigError{b.Doc.Problems()}
	}
	if err := a.takeUp(b, "start"); err != nil {
		return nil, err
	}
	a.warn(b)
	a.swap(b)
	return a, nil
}

func (a *App) deps() Deps {
	return Deps{Keys: a.kept.keys, Edges: a.kept.edge, Actions: a.kept.scripts, Links: a.metrics.Link, Automatic: a.kept.automatic, Memory: a.kept.memory, JWKS: a.kept.jwks, Insight: a.insight, Stored: a.storing.stored.Load(), Serves: true, Log: a.log, Now: a.now}
}

// load reads the configuration; addresses of the command line take the place of
// the file's, and are held to the same rules.
func (a *App) load() (*Loaded, error) {
	l, err := Load(a.options.Source)
	if err == nil && len(a.options.Listen) > 0 {
		l.File.Listen, l.ListenGiven = a.options.Listen, true
	}
	return l, err
}

// Run serves until ctx ends.
func (a *App) Run(ctx context.Context) (err error) {
	defer a.logFile.Close()
	defer func() { err = errors.Join(err, a.end()) }()
	a.storing.run()
	s, addrs, err := a.start()
	if err != nil {
		return err
	}
	if err := a.makeLinks(ctx, addrs); err != nil {
		a.log.Error("no sign-in link", "error", err.Error())
	}
	if a.options.Started != nil {
		a.options.Started(addrs)
	}
	stop, err := a.watch(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return s.Run(ctx)
}

// end has everything sent and written that is still in memory, all of it at once
// and within seconds, and then closes the store.
func (a *App) end() error {
	var wait sync.WaitGroup
	wait.Go(a.kept.close)
	wait.Go(a.shipping.close)
	wait.Go(a.storing.halt)
	wait.Wait()
	return a.storing.stop()
}

// start opens the listeners. A reload that comes in between waits, and finds
// them open.
func (a *App) start() (s *server.Server, addrs []net.Addr, err error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	g := a.current.Load()
	engine := &std.Engine{Gate: a.gate, Now: a.now, NewID: explain.NewID, Record: a.record,
		Runtime: func() *std.Runtime { return a.current.Load().runtime }}
	s = &server.Server{Engine: engine, Log: a.log, Drain: a.drain,
		Conn: func() *std.ConnOptions { return a.current.Load().conn }}
	s.ProbesMux = server.ProbesMux(a.metrics.Registry, a.notReady(s), a.degraded)
	opened, err := openDoors(g.Built, s)
	if err != nil {
		return nil, nil, err
	}
	if err := a.openAdmin(g, s); err != nil {
		opened.close()
		return nil, nil, err
	}
	opened.serve(s)
	a.server = s
	a.kept.own.set(s)
	a.kept.opened(g.Built, opened.addrs())
	return s, opened.addrs(), nil
}

// drain is how stopping goes by the configuration in service: how long requests
// are still taken, and how long those in flight may then take.
func (a *App) drain() (delay, bound time.Duration) {
	g := a.current.Load()
	switch {
	case g.File.DrainDelay != nil:
		delay = g.File.DrainDelay.Std()
	case g.Env == "prod":
		delay = 5 * time.Second
	}
	return delay, g.File.Drain.Or(30 * time.Second)
}

// exempt reports whether an address may open any number of connections:
// loopback and trusted proxies.
func (a *App) exempt(addr netip.Addr) bool {
	return addr.IsLoopback() || a.current.Load().Snapshot.Trusted.Trusted(addr)
}
