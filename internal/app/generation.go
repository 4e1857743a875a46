package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/assertion"
	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/server"
	"github.com/portreeve/portreeve/internal/server/std"
)

// kept is what reloads carry over where its own settings did not change: key
// sets with their refreshers, upstreams with their connections and their health.
type kept struct {
	log       *slog.Logger
	now       func() time.Time
	memory    *identity.Memory
	assertion *assertion.Keys
	adjust    func(*keyset.Config) // Options.KeySets
	own       ownDoors

	mu        sync.Mutex
	sets      map[string]*runningSet
	upstreams map[string]*proxy.Group // by proxy.GroupSettings.ID
	auto      map[server.ACME]*server.Automatic
	edges     []*edge
	engine    *actions.Engine // nil until a configuration has scripts
	doors     []net.Addr      // once they are open
}

type runningSet struct {
	set  *keyset.Set
	stop context.CancelFunc // nil until it runs
}

func newKept(log *slog.Logger, now func() time.Time, adjust func(*keyset.Config)) (*kept, error) {
	keys, err := assertion.New(now())
	if err != nil {
		return nil, err
	}
	return &kept{log: log, now: now, adjust: adjust, assertion: keys, memory: identity.NewMemory(0), sets: map[string]*runningSet{}, upstreams: map[string]*proxy.Group{},
		auto: map[server.ACME]*server.Automatic{}}, nil
}

// jwks are the public keys of assertions.
func (k *kept) jwks() ([]byte, error) { return k.assertion.JWKS(k.now()) }

// keys hands out the set that an equal configuration got before, or a new one.
// A new one does not run until its generation is swapped in. A file is read
// anew each time: a reload takes up what it says now, or refuses it.
func (k *kept) keys(c keyset.Config) *keyset.Set {
	c.Log, c.Now = k.log, k.now
	if k.adjust != nil {
		k.adjust(&c)
	}
	name := setName(c)
	if c.File != "" {
		name += " " + explain.NewID()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.sets[name]; r != nil {
		return r.set
	}
	r := &runningSet{set: keyset.New(c)}
	k.sets[name] = r
	return r.set
}

// setName is all that a key set depends on.
func setName(c keyset.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q %t %s %s", c.Name, c.Issuer, c.URL, c.File, c.AllowHTTP, c.Refresh, c.MaxAge)
	for _, key := range c.Static {
		fmt.Fprintf(&b, " %q %q", key.ID, key.Thumbprint())
	}
	return b.String()
}

// runtime makes the runtime of a built configuration. It cannot fail.
func (k *kept) runtime(b *Built) *std.Runtime {
	k.mu.Lock()
	defer k.mu.Unlock()
	rt := &std.Runtime{Snapshot: b.Snapshot, Upstreams: map[string]*proxy.Group{}, Assertion: k.assertion,
		Concurrent: orInt(b.limits().Concurrent, 10000), MaxStreamAge: b.limits().MaxStreamAge.Or(24 * time.Hour),
		BodyIdle: b.limits().BodyIdle.Or(30 * time.Second)}
	for key, set := range b.groups {
		id := set.ID()
		if k.upstreams[id] == nil {
			k.upstreams[id] = proxy.NewGroup(set, proxy.Deps{Own: k.own.is, OwnSocket: k.own.isSocket, Log: k.log})
		}
		rt.Upstreams[key] = k.upstreams[id]
	}
	return rt
}

// settle starts what the new generation needs and retires what it does not.
func (k *kept) settle(b *Built, rt *std.Runtime) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, r := range k.sets {
		switch used := slices.Contains(b.KeySets, r.set); {
		case used && r.stop == nil:
			ctx, stop := context.WithCancel(context.Background())
			r.stop = stop
			go r.set.Run(ctx)
		case !used:
			if r.stop != nil {
				r.stop()
			}
			delete(k.sets, name)
		}
	}
	used := map[*proxy.Group]bool{}
	for _, g := range rt.Upstreams {
		g.Start()
		used[g] = true
	}
	for id, g := range k.upstreams {
		if !used[g] {
			g.Close()
			delete(k.upstreams, id)
		}
	}
	k.settleEdges(b.edges)
	for set, a := range k.auto {
		if a != b.auto {
			a.Close()
			delete(k.auto, set)
		}
	}
	k.certify(b)
}

// close stops everything.
func (k *kept) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.sets {
		if r.stop != nil {
			r.stop()
		}
	}
	for _, g := range k.upstreams {
		g.Close()
	}
	for _, a := range k.auto {
		a.Close()
	}
	k.closeEdges()
	if k.engine != nil {
		k.engine.Close()
	}
}
