package app

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/insight"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/sms"
	"github.com/portreeve/portreeve/internal/store"
)

// told is what a configuration in service still tells of its file.
type told struct {
	text     string // without comments and secrets
	warnings []string
	links    []insight.LinkSite
	texts    []insight.TextSite
}

// tells makes the text of a configuration that goes into service. Where no site
// has the portal nobody could read it, and it is not kept.
func (b *Built) tells() told {
	out := b.told
	if !b.File.Portal.On() && !slices.ContainsFunc(b.File.Sites, func(s SiteConfig) bool { return s.Portal.On() }) {
		return out
	}
	out.text = b.Doc.Redacted()
	for _, p := range b.Doc.Problems() {
		out.warnings = append(out.warnings, p.String())
	}
	return out
}

// insightNode is what the process tells about itself.
func (a *App) insightNode() insight.Node {
	return insight.Node{
		File: func() insight.File {
			g := a.current.Load()
			if g == nil {
				return insight.File{Version: version}
			}
			return insight.File{LoadedAt: g.since, Generation: g.number, Path: g.Path, Environment: g.Env, Version: version,
				Text: g.told.text, Warnings: g.told.warnings}
		},
		Keys: func() *seal.Keys {
			if s := a.storing.stored.Load(); s != nil {
				return s.Sealed
			}
			return nil
		},
		Store: func() *insight.Store {
			if h := a.storeHealth(); h != nil {
				return &insight.Store{Engine: h.Engine, Fresh: h.Fresh, Read: h.Read}
			}
			return nil
		},
		Upstreams: func() (out []insight.Upstream) {
			if a.current.Load() == nil {
				return nil
			}
			for _, u := range a.upstreamHealth() {
				out = append(out, insight.Upstream{Upstream: u.Upstream, GroupHealth: u.GroupHealth})
			}
			return out
		},
		Degraded: func() []string {
			if a.current.Load() == nil {
				return nil
			}
			return a.degraded()
		},
		Links: func() []insight.LinkSite { return a.told().links },
		Texts: func() []insight.TextSite { return a.told().texts },
		SMS: func() *sms.Service {
			if s := a.storing.stored.Load(); s != nil {
				return s.SMS
			}
			return nil
		},
	}
}

func (a *App) told() told {
	if g := a.current.Load(); g != nil {
		return g.told
	}
	return told{}
}

// insightEvents is where what happened is recorded.
func (a *App) insightEvents() insight.Events {
	return insight.Events{
		Trail: func() (*store.DB, *audit.Log) {
			if s := a.storing.stored.Load(); s != nil {
				return s.DB, s.Audit
			}
			return nil, nil
		},
		Checkpoints: a.checkpoints,
	}
}

// checkpoints opens the file of signed checkpoints; nil where there is none yet.
func (a *App) checkpoints() (io.ReadCloser, error) {
	g := a.current.Load()
	if g == nil || value(g.File.Audit).Checkpoint == "" {
		return nil, nil
	}
	f, err := os.Open(g.abs(g.File.Audit.Checkpoint))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing was signed so far
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// newInsight is what the portal's pages are told of this process.
func (a *App) newInsight() *insight.Service {
	return insight.New(insight.Deps{
		Now: a.now,
		Snapshot: func() *gateway.Snapshot {
			if g := a.current.Load(); g != nil {
				return g.Snapshot
			}
			return nil
		},
		Refusals: a.ring, People: a.insightPeople,
		Node: a.insightNode(), Events: a.insightEvents(),
	})
}

// insightPeople is what is stored about who may call.
func (a *App) insightPeople() *insight.People {
	s := a.storing.stored.Load()
	if s == nil {
		return nil
	}
	return &insight.People{DB: s.DB, Users: s.Tenants, Keys: s.APIKeys, Roles: s.Roles, Known: s.people.Now}
}
