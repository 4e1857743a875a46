package app

import (
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/server/std"
	"github.com/portreeve/portreeve/internal/wire"
)

// Reload reads the configuration again and swaps it in whole, or changes
// nothing. The error is what check would print.
func (a *App) Reload() error { return a.reloadBy("signal") }

// reloadBy is Reload; how is what asked for it, for the audit trail.
func (a *App) reloadBy(how string) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	err := a.reload(how)
	if err != nil {
		text := err.Error()
		a.lastError.Store(&text)
		a.log.Error("configuration not reloaded; the one before stays in service", "problems", text)
		old := a.current.Load()
		a.kept.settle(old.Built, old.runtime)
		a.refusedReload(old.Built, how)
		return err
	}
	a.lastError.Store(nil)
	a.log.Info("configuration reloaded", "generation", a.current.Load().number)
	return nil
}

// reload prepares all that may fail, and only then swaps.
func (a *App) reload(how string) error {
	before := a.loaded().now()
	l, err := a.load()
	if err != nil {
		a.named.Store(&before)
		return err
	}
	old := a.current.Load()
	if err := a.useStore(l); err != nil {
		a.named.Store(&before)
		return err
	}
	b := build(l, a.deps())
	a.remember(b, before)
	if b.Doc.Has("") && (b.Env != old.Env || b.Written != old.Written) {
		// It decides which checks may be weakened: not in a running process.
		b.Doc.Report("").Errorf("environment", "is another than this process was started with (%s), which takes a restart", old.Env)
	}
	if b.Doc.Failed() {
		return &ConfigError{b.Doc.Problems()}
	}
	opened := &doors{}
	if a.server != nil {
		if opened, err = openDoors(b, a.server); err != nil {
			return err
		}
	}
	if err := a.takeUp(b, how); err != nil {
		opened.close()
		return err
	}
	if err := a.logFile.reopen(b.logPath()); err != nil {
		opened.close()
		return err
	}
	a.warn(b)
	if keys := restartKeys(old.Built, b); len(keys) > 0 {
		a.log.Warn("configuration", "problem", strings.Join(keys, ", ")+
			": changed, which takes effect at a restart; the rest of the new configuration is in service")
	}
	a.swap(b)
	if a.server != nil {
		opened.serve(a.server)
		a.kept.own.set(a.server)
		a.kept.opened(b, opened.addrs())
		a.watcher.set(b.File.Watch)
	}
	return nil
}

// warn logs what is odd about a configuration that goes into service.
func (a *App) warn(b *Built) {
	for _, p := range b.Doc.Problems() {
		a.log.Warn("configuration", "problem", p.String())
	}
}

// swap puts a built configuration into service. It cannot fail.
func (a *App) swap(b *Built) {
	g := &generation{Built: b.inService(), runtime: a.kept.runtime(b), conn: a.connOptions(b), number: 1, since: a.now()}
	if old := a.current.Load(); old != nil {
		g.number = old.number + 1
	}
	b.Snapshot.Generation = g.number
	s := a.storing.stored.Load()
	if s != nil {
		g.runtime.Catch = s.Feed.Catch
		g.runtime.Changes = func() uint64 { return uint64(s.Feed.Seq()) } //nolint:gosec // never negative
	}
	a.current.Store(g)
	if s != nil {
		s.live.Store(g.Built)
		s.Sessions.Use(b.signIns)
	}
	a.kept.settle(b, g.runtime)
	a.ship(b)
	if b.Size >= largeFile {
		time.AfterFunc(time.Second, debug.FreeOSMemory)
	}
}

// largeFile is from how many bytes on reading a configuration leaves so much
// behind that it is worth giving back to the system at once.
const largeFile = 256 << 10

// inService is what a generation keeps of its configuration: not the document,
// which holds every node of the file, and not the routes and sites as they were
// written, which the snapshot has compiled.
func (b *Built) inService() *Built {
	file, loaded, out := *b.File, *b.Loaded, *b
	file.SiteKeys, file.Sites = SiteKeys{}, nil
	loaded.File, loaded.Doc = &file, nil
	out.Loaded, out.told = &loaded, b.tells()
	out.Upstreams = make(map[string]gateway.UpstreamSettings, len(b.Upstreams))
	for key, u := range b.Upstreams {
		out.Upstreams[key] = gateway.UpstreamSettings{Label: u.Label}
	}
	return &out
}

// connOptions are the bounds of new connections.
func (a *App) connOptions(b *Built) *std.ConnOptions {
	c := b.limits()
	return &std.ConnOptions{
		Limits:      wire.Limits{HeadBytes: orInt(int(c.HeadBytes), 64<<10), Headers: orInt(c.Headers, 100)},
		HeadTimeout: c.HeadTimeout.Or(10 * time.Second), BodyIdle: c.BodyIdle.Or(30 * time.Second),
		PerIP: orInt(c.ConnectionsPerIP, 1000), Exempt: a.exempt, TLS: b.TLS,
		Proxied: b.trust.SpeaksProxy, Unproxied: a.unproxied,
	}
}

func (l *Loaded) limits() LimitsConfig {
	if l.File.Limits == nil {
		return LimitsConfig{}
	}
	return *l.File.Limits
}

func orInt(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}

// restartKeys lists the keys that changed and that only a start takes up.
func restartKeys(old, b *Built) (keys []string) {
	was, is := old.File, b.File
	add := func(key string, changed bool) {
		if changed {
			keys = append(keys, key)
		}
	}
	add("store", value(was.Store) != value(is.Store))
	wasAdmin, isAdmin := value(was.Admin), value(is.Admin)
	add("admin", wasAdmin.Listen != isAdmin.Listen || wasAdmin.Pprof != isAdmin.Pprof || !wasAdmin.Token.Equal(isAdmin.Token.Reveal()))
	add("masterKey", !was.MasterKey.Equal(is.MasterKey.Reveal()))
	add("masterKeys", !slices.EqualFunc(was.MasterKeys, is.MasterKeys, func(a, b MasterKeyConfig) bool {
		return a.ID == b.ID && a.Key.Equal(b.Key.Reveal())
	}))
	add("log.format", value(was.Log).Format != value(is.Log).Format)
	return keys
}

// value is what p points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
