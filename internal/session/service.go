package session

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	Keys  *seal.Keys
	Pages *pages.Pages
	// Users makes the rows of people whom a link is for; nil: they exist already.
	Users *tenant.Service
	// Env is prod, test or dev: in prod providers are talked to by https alone, and
	// there are no links.
	Env string
	// Client's Transport reaches the providers; nil: http.DefaultTransport.
	Client *http.Client
	// Ended is told, in the same transaction, of every session that ends before its
	// time: what hangs on it ends too. nil: nothing does.
	Ended func(tx *store.Tx, tenant, session string) error
	Now   func() time.Time
	Log   *slog.Logger
}

// Service is the rules of sessions. It outlives reloads: Use and Routes take what
// a configuration says.
type Service struct {
	d         Deps
	http      *http.Client
	providers atomic.Pointer[map[string]*identity.Provider]
	touched   touches
	remotes   remotes
	// complained is when a refused logout token was last logged.
	complained atomic.Int64

	mu      sync.Mutex
	flights map[string]*flight // refreshes under way on this node, by session
}

// New makes a Service.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{d: d, http: newClient(d.Client, relaxed(d.Env)), flights: map[string]*flight{}}
	s.Use(nil)
	return s
}

// Use says which providers there are from now on: sessions that they signed in are
// refreshed as they say.
func (s *Service) Use(list []*identity.Provider) {
	byName := make(map[string]*identity.Provider, len(list))
	for _, p := range list {
		byName[p.Name] = p
	}
	s.providers.Store(&byName)
}

// provider is the one of a name that people can sign in by; nil: there is none.
func (s *Service) provider(name string) *identity.Provider {
	p := (*s.providers.Load())[name]
	if p.Client() == nil {
		return nil
	}
	return p
}

// relaxed reports whether what weakens checks may be used.
func relaxed(env string) bool { return env == "test" || env == "dev" }

// By is who does something.
type By struct {
	Actor    audit.Actor
	Request  string
	Decision string
}

func (by By) event(r *row, action string, detail map[string]string) audit.Event {
	d := map[string]string{"site": r.site, "provider": r.provider}
	if r.user != "" {
		d["user"] = r.user
	}
	for k, v := range detail {
		d[k] = v
	}
	return audit.Event{Tenant: r.tenant, Action: "session." + action, Target: r.id, Actor: by.Actor, Request: by.Request, Decision: by.Decision, Detail: d}
}

// system is the actor of what nobody asked for.
func system() By { return By{Actor: audit.Actor{Kind: audit.System, ID: "portreeve"}} }

// note tells every node that a session changed.
func note(tx *store.Tx, id string) { change.Note(tx, "", change.Session, id) }

// endIn ends a session within a transaction; gone is false where it had ended.
func (s *Service) endIn(tx *store.Tx, by By, r *row, action, reason string) (gone bool, err error) {
	if gone, err = deleteRow(tx, r.id); err != nil || !gone {
		return gone, err
	}
	note(tx, r.id)
	if s.d.Ended != nil {
		if err := s.d.Ended(tx, r.tenant, r.id); err != nil {
			return true, err
		}
	}
	return true, s.d.Audit.Append(tx, by.event(r, action, map[string]string{"reason": reason}))
}

// Standing is what is known of somebody who signs in.
type Standing struct{ Tenant, UserID, Stood string }

// Site is what sign-in needs to know of a site under one configuration.
type Site struct {
	Name string
	// Providers are the site's; those with a client are offered.
	Providers []*identity.Provider
	Config    *Config // nil: as if nothing were written
	// Directory and Tenants say who may come in; a nil Directory: whoever its
	// provider lets through.
	Directory policy.Directory
	Tenants   *policy.Tenants
}

// offered are the providers that people can sign in by.
func (t *Site) offered() []*identity.Provider {
	var out []*identity.Provider
	for _, p := range t.Providers {
		if p.Client() != nil {
			out = append(out, p)
		}
	}
	return out
}

func (t *Site) provider(name string) *identity.Provider {
	for _, p := range t.offered() {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// read runs a reading transaction that comes to a value.
func read[T any](ctx context.Context, s *Service, fn func(tx *store.Tx) (T, error)) (v T, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error { v, err = fn(tx); return err })
	return v, err
}
