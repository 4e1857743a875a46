package app

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/portal"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secrets"
	"github.com/portreeve/portreeve/internal/session"
	"github.com/portreeve/portreeve/internal/sms"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/internal/usage"
	"github.com/portreeve/portreeve/internal/vault"
)

// Stored is the store and all that lives in it. It outlives configurations.
type Stored struct {
	DB      *store.DB // nil where a configuration is only looked at
	Feed    *change.Feed
	Sealed  *seal.Keys
	Audit   *audit.Log
	Tenants *tenant.Service
	Roles   *rbac.Service
	APIKeys *apikey.Service
	Secrets *secrets.Service
	Usage   *usage.Service
	MFA     *mfa.Service
	Agents  *agents.Service
	Escrow  *escrow.Service
	Login   *login.Service
	SMS     *sms.Service
	// Sessions are those of browsers.
	Sessions *session.Service
	Pages    *pages.Pages
	Portal   *portal.Portal

	people *tenant.Directory
	live   atomic.Pointer[Built] // the configuration in service
	now    func() time.Time
	log    *slog.Logger
}

// storedDeps is what Stored is made of.
type storedDeps struct {
	DB     *store.DB
	Sealed *seal.Keys
	Audit  *audit.Log
	Pages  *pages.Pages
	Env    string
	// Written is Env where the file says so itself, else prod: what weakens a check
	// goes by it.
	Written string
	Stale   time.Duration // store.maxStale
	// Refuse reports addresses that services are never called at; nil: none.
	Refuse func(netip.AddrPort) bool
	Now    func() time.Time
	Log    *slog.Logger
}

// newStored makes every feature, and hands each what it needs of the others.
// This is the list: a feature that is not here does not exist.
func newStored(d storedDeps) *Stored {
	s := &Stored{DB: d.DB, Sealed: d.Sealed, Audit: d.Audit, Pages: d.Pages, now: d.Now, log: d.Log}
	s.Feed = change.NewFeed(d.DB, change.Options{MaxStale: d.Stale, Now: d.Now, Log: d.Log})
	s.Tenants = tenant.New(tenant.Deps{DB: d.DB, Audit: d.Audit, Now: d.Now, Log: d.Log, Keep: s.named,
		Shut:   func(tx *store.Tx, by tenant.By, was tenant.User) error { return s.Sessions.ShutIn(tx, by, was) },
		Grants: func(c *gateway.Call) tenant.Grants { return s.Roles.Grants(rbac.Of(c.Standing)) }})
	s.Roles = rbac.New(rbac.Deps{DB: d.DB, Audit: d.Audit, Users: s.Tenants, Book: s.book, Defaults: s.defaults, Issuer: issuerAt, Asked: s.asked,
		Known: func(tx *store.Tx, who *principal.Principal, of string) (*policy.Known, error) {
			return s.people.Now(tx, who, of)
		}})
	s.APIKeys = apikey.New(apikey.Deps{DB: d.DB, Audit: d.Audit, Rights: s.Roles, Env: d.Env, Feed: s.Feed, Now: d.Now, Log: d.Log})
	s.Secrets = secrets.New(secrets.Deps{DB: d.DB, Audit: d.Audit, Feed: s.Feed, Keys: d.Sealed, Log: d.Log})
	s.Usage = usage.New(usage.Deps{DB: d.DB, Touch: s.APIKeys, Keys: s.APIKeys, Also: []usage.Flusher{s.Secrets}, Now: d.Now, Log: d.Log})
	s.MFA = mfa.New(mfa.Deps{DB: d.DB, Audit: d.Audit, Feed: s.Feed, Keys: d.Sealed, Pages: d.Pages, Now: d.Now, Log: d.Log,
		SteppedUp: func(tx *store.Tx, p mfa.Person) (string, error) { return s.Sessions.StepUpIn(tx, p.Who) }})
	s.Sessions = session.New(session.Deps{DB: d.DB, Audit: d.Audit, Keys: d.Sealed, Pages: d.Pages, Users: s.Tenants, Env: d.Written, Ended: s.MFA.EndSession, Now: d.Now, Log: d.Log})
	s.Agents = agents.New(agents.Deps{DB: d.DB, Audit: d.Audit, Feed: s.Feed, Now: d.Now, Log: d.Log})
	s.Escrow = escrow.New(escrow.Deps{DB: d.DB, Audit: d.Audit, Roles: s.Roles, Factors: s.MFA, Version: version, Now: d.Now, Log: d.Log})
	s.Login = login.New(login.Deps{DB: d.DB, Keys: d.Sealed, Env: d.Written, Refuse: d.Refuse, Refused: s.loginRefused, Now: d.Now, Log: d.Log})
	s.SMS = sms.New(sms.Deps{DB: d.DB, Keys: d.Sealed, Refuse: d.Refuse, Now: d.Now, Log: d.Log})
	s.Portal = newPortal(d)
	s.people = tenant.NewDirectory(s.Tenants, tenant.DirectoryDeps{Feed: s.Feed, Keys: s.APIKeys, Sessions: s.Sessions, Roles: s.Roles, Refused: s.refused})
	return s
}

// sealedColumns are all that master keys seal.
func sealedColumns() []vault.Column {
	return slices.Concat(audit.SealedColumns(), secrets.Sealed(), mfa.Sealed(), session.Sealed(), login.Sealed(), lockout.Sealed())
}

// routes are the operations of tenantApi.
func (s *Stored) routes() []gateway.SurfaceRoute {
	return s.Tenants.Guard(slices.Concat(s.Tenants.Routes(), s.Sessions.UserRoutes(), s.Roles.Routes(), s.APIKeys.Routes(), s.Secrets.Routes(), s.Usage.Routes()))
}

// parts are what features add to the export of a tenant.
func (s *Stored) parts() []tenant.Part {
	return []tenant.Part{tenant.Profiles{}, s.Roles, s.APIKeys, s.Secrets, s.Agents, s.Escrow}
}

// verifier knows the keys; nobody's where no store is open.
func (s *Stored) verifier() identity.KeyVerifier {
	if s.DB == nil {
		return noKeys{s.APIKeys}
	}
	return s.APIKeys
}

// sessions knows the sessions; nobody's where no store is open.
func (s *Stored) sessions() identity.SessionVerifier {
	if s.DB == nil {
		return noSessions{}
	}
	return s.Sessions
}

// directory is what a configuration asks about its callers.
func (s *Stored) directory(t *policy.TenantsConfig) policy.Directory {
	return s.people.With(tenant.AutoCreate{On: value(t).AutoCreate, Max: value(t).AutoCreateMax})
}

// book are the roles of the configuration in service.
func (s *Stored) book() *policy.Book {
	if b := s.live.Load(); b != nil {
		return b.Book
	}
	return policy.NewBook(nil, nil)
}

// defaults are the default roles of all sites of the configuration in service:
// whose last role is taken away has one of them on some site.
func (s *Stored) defaults() []string {
	if b := s.live.Load(); b != nil {
		return b.defaults
	}
	return nil
}

// named are the tenants that the configuration in service names.
func (s *Stored) named() []string {
	if b := s.live.Load(); b != nil {
		return b.Tenants
	}
	return nil
}

// Issuer is the issuer of a provider of any site whose subjects can be users; ok
// is false where there is none of that name.
func (s *Stored) Issuer(provider string) (issuer string, ok bool) {
	if b := s.live.Load(); b != nil {
		b.Snapshot.Sites(func(site *gateway.Site) {
			if found, is := issuerAt(site, provider); is && !ok {
				issuer, ok = found, true
			}
		})
	}
	return issuer, ok
}

// issuerAt is the issuer that the subjects of a site's provider are bound under,
// "" where it is configured without one. Keys and machines are no users.
func issuerAt(site *gateway.Site, provider string) (issuer string, ok bool) {
	for _, p := range site.Identity.Providers() {
		if p.Name != provider || p.Kind == identity.KindAPIKey || p.Kind == identity.KindMachine {
			continue
		}
		for _, issuer := range p.Issuers() {
			return issuer, true
		}
		return "", true
	}
	return "", false
}

// asked are the permissions that the routes of the configuration ask for.
func (s *Stored) asked() []rbac.Asked {
	if b := s.live.Load(); b != nil {
		return b.asked
	}
	return nil
}

// loginRefused counts what a login edge turned away. Its accounts are a provider's,
// no tenant's: the host's own trail has them.
func (s *Stored) loginRefused(reason, account string, ip netip.Addr) {
	if s.Audit != nil {
		s.Audit.Refused("", reason, account, ip)
	}
}

// refused counts a refusal that the audit trail names.
func (s *Stored) refused(p *principal.Principal, of, reason string) {
	account := p.ID()
	if p.EmailVerified {
		account = p.EmailFolded
	}
	s.Audit.Refused(of, reason, account, netip.Addr{})
}

// stored are the features of a configuration that is looked at or served.
func (b *builder) stored() *Stored {
	if b.deps.Stored == nil {
		b.deps.Stored = newStored(storedDeps{Env: b.Env, Pages: onlyPages(), Written: b.Written, Now: b.deps.now(), Log: b.deps.log()})
	}
	return b.deps.Stored
}

// noKeys stands where a configuration is looked at and no store is open: keys
// have their shape, and no key is known.
type noKeys struct{ *apikey.Service }

// Verify implements identity.KeyVerifier.
func (noKeys) Verify(context.Context, string) (*principal.Principal, error) {
	return nil, fault.New(fault.Unavailable, "store_unavailable", "The store is not open")
}

// noSessions stands where no store is open: no cookie is known.
type noSessions struct{}

// Verify implements identity.SessionVerifier.
func (noSessions) Verify(context.Context, string, string) (*principal.Principal, error) {
	return nil, fault.New(fault.Unavailable, "store_unavailable", "The store is not open")
}
