package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/server"
	"github.com/portreeve/portreeve/internal/server/std"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/usage"
)

// storing is the store in the life of a serving process: opened by the first
// configuration that uses it, at start or at a reload, and closed at the end.
type storing struct {
	stored atomic.Pointer[Stored] // nil: nothing is stored; set once, before the first generation that uses it, while others look

	later    later
	patience time.Duration // how long a reload waits for the store; awayAfter where it is 0

	mu     sync.Mutex
	ctx    context.Context //nolint:containedctx // of what runs beside serving; nil before Run and after
	cancel context.CancelFunc
	runs   sync.WaitGroup
}

// useStore opens the store where a configuration uses one that is not open yet. A
// reload opens it only for what cannot do without: the key store by itself takes
// effect at a restart.
func (a *App) useStore(l *Loaded) error {
	uses := l.File.usesStore
	if a.current.Load() != nil {
		uses = func() bool { return l.File.storesThings(l.File.implied()) }
	}
	if a.storing.stored.Load() != nil || l.Doc.Failed() || !uses() {
		return nil
	}
	if l.newStore() || len(l.File.written()) == 0 {
		// A first look by itself: a file with problems leaves no store behind.
		again, err := a.load()
		if err != nil {
			return err
		}
		if b := build(again, Deps{Serves: true, Log: a.log, Now: a.now}); b.Doc.Failed() {
			return &ConfigError{b.Doc.Problems()}
		}
	}
	s, err := openStored(context.Background(), l, openWith{Now: a.now, Log: a.log, Refuse: a.kept.own.is})
	if err != nil {
		return err
	}
	a.storing.stored.Store(s)
	a.storing.start()
	return nil
}

// run starts what runs beside serving, now or once there is a store.
func (g *storing) run() {
	g.mu.Lock()
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.mu.Unlock()
	g.start()
}

func (g *storing) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx == nil || g.stored.Load() == nil {
		return
	}
	ctx := g.ctx
	for _, run := range append(g.stored.Load().runs(), g.later.run(g.stored.Load())) {
		g.runs.Go(func() { run(ctx) })
	}
}

// runs are what goes on beside serving.
func (s *Stored) runs() []func(context.Context) {
	return []func(context.Context){s.Feed.Run, s.Audit.Run, s.Usage.Run, s.Sessions.Run, s.sweeping("step-ups", s.MFA.Sweep), s.sweeping("challenges of escrow", s.Escrow.Sweep), s.sweeping("texts that were sent", s.SMS.Sweep)}
}

// sweepEvery is how often what has ended is removed. Nothing that has ended
// counts, whether or not it is there still.
const sweepEvery = 10 * time.Minute

// sweeping removes what has ended, now and then.
func (s *Stored) sweeping(what string, sweep func(context.Context) error) func(context.Context) {
	return func(ctx context.Context) {
		t := time.NewTicker(sweepEvery)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if err := sweep(ctx); err != nil && ctx.Err() == nil {
					s.log.Warn("what has ended is not removed, and will be later", "of", what, "error", plainly(err).Error())
				}
			}
		}
	}
}

// halt has everything written that is still in memory, which takes at most five
// seconds.
func (g *storing) halt() {
	g.mu.Lock()
	if g.cancel != nil {
		g.cancel()
	}
	g.ctx = nil
	g.mu.Unlock()
	g.runs.Wait()
}

// stop halts, and closes the store.
func (g *storing) stop() error {
	g.halt()
	return g.stored.Load().close()
}

// takeUp prepares the store for a configuration: its tenants are made, and the
// trail says that it was loaded, before anybody is served by it. A reload that
// names no new tenant is not held up by a store that is away.
func (a *App) takeUp(b *Built, how string) error {
	s := a.storing.stored.Load()
	if s == nil {
		return nil
	}
	again := a.current.Load() != nil
	bound := openTimeout
	if again {
		bound = a.storing.waits()
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	switch err := s.Tenants.Ensure(ctx, b.Tenants...); {
	case err == nil:
		a.storing.later.made(b.Tenants)
	case !again || !away(ctx, err) || !a.storing.later.known(b.Tenants):
		return fmt.Errorf("the tenants of the configuration: %w", plainly(err))
	}
	return a.tell(ctx, b, how, "ok")
}

// tell writes the event of a configuration: of a reload when the store is back,
// where it is away.
func (a *App) tell(ctx context.Context, b *Built, how, result string) error {
	s := a.storing.stored.Load()
	e := audit.Event{Action: "config.loaded", Target: filepath.Base(b.Path), Result: result, Actor: audit.Actor{Kind: audit.System, ID: "portreeve"},
		Detail: map[string]string{"by": how, "environment": b.Env, "version": version, "sha256": fmt.Sprintf("%x", contentOf(b.Path))}}
	if g := a.current.Load(); g != nil {
		e.Detail["generation"] = strconv.FormatUint(g.number+1, 10)
	}
	err := ctx.Err()
	if err == nil {
		err = s.DB.Tx(ctx, func(tx *store.Tx) error { return s.Audit.Append(tx, e) })
	}
	if away(ctx, err) && a.current.Load() != nil {
		a.storing.later.keep(e, a.now())
		a.log.Warn("the store is away: what the trail is to say of this configuration is kept until it is back", "result", result, "error", plainly(err).Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("the audit trail: %w", plainly(err))
	}
	return nil
}

// refusedReload tells the trail of a configuration that did not come into
// service; where even that fails, the log has said it.
func (a *App) refusedReload(old *Built, how string) {
	if a.storing.stored.Load() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.storing.waits())
	defer cancel()
	if err := a.tell(ctx, old, how, "refused"); err != nil {
		a.log.Warn("a refused reload is not in the audit trail", "error", err.Error())
	}
}

// waits is how long a reload waits for the store.
func (g *storing) waits() time.Duration {
	if g.patience > 0 {
		return g.patience
	}
	return awayAfter
}

// count counts an answered request for its tenant, and a refusal for the trail.
func (a *App) count(o *std.Outcome) {
	s := a.storing.stored.Load()
	if s == nil {
		return
	}
	x := o.Exchange
	who, of, key := x.Stand.Who, x.Stand.Tenant, ""
	if x.Stand.Key != nil {
		key = x.Stand.Key.ID
	}
	if who.Authenticated() && of != "" {
		s.Usage.Count(usage.Call{Tenant: of, Key: key, Machine: x.Stand.Key != nil && x.Stand.Key.Machine, Status: o.Status, Bytes: o.Bytes, At: o.End})
	}
	if o.Fault == nil || o.Fault.Kind != fault.Unauthenticated && o.Fault.Kind != fault.Forbidden {
		return
	}
	if x.Known != nil && of == "" {
		of = x.Known.Tenant
	}
	account := ""
	if who.Authenticated() {
		if account = who.ID(); who.EmailVerified {
			account = who.EmailFolded
		}
	}
	client := x.View.Client
	if !client.IsValid() {
		client = o.Arrival.Peer.Addr()
	}
	s.Audit.Refused(of, o.Fault.Code, account, client)
}

// storeHealth is the state of the store, nil where there is none.
func (a *App) storeHealth() *server.StoreHealth {
	s := a.storing.stored.Load()
	if s == nil {
		return nil
	}
	return &server.StoreHealth{Engine: s.DB.Engine(), Seq: s.Feed.Seq(), Read: s.Feed.Read(), Fresh: s.Feed.Fresh(a.now()), Lost: s.Usage.Lost()}
}

// storeProblem says what does not work while the store cannot be read.
func (a *App) storeProblem() []string {
	h := a.storeHealth()
	if h == nil || h.Fresh {
		return nil
	}
	since := "yet"
	if !h.Read.IsZero() {
		since = "for " + a.now().Sub(h.Read).Truncate(time.Second).String()
	}
	return []string{"the store was not read " + since + ": decisions that need it are refused"}
}
