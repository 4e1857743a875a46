package login

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/mailcheck"
	"github.com/portreeve/portreeve/internal/metric"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/userservice"
)

// Deps is what a Service works with.
type Deps struct {
	DB   *store.DB
	Keys *seal.Keys
	// Env is prod, test or dev as the file itself says it; prod where it says nothing.
	Env string
	// Refuse reports addresses that are never called: our own listeners. nil: none.
	Refuse func(netip.AddrPort) bool
	// Resolver answers /email/validate; nil: the system's.
	Resolver mailcheck.Resolver
	// Refused is told, for the audit trail, of each wrong password and each try while
	// locked out, with the address that was written, "" where it was none. It must not wait. nil: nobody is.
	Refused func(reason, email string, ip netip.Addr)
	Now     func() time.Time
	Log     *slog.Logger
}

// Service is what outlives configurations.
type Service struct {
	d     Deps
	tally tally
	board board
}

// New makes a Service.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{d: d}
}

// Site is what a surface needs to know of the site that it owns.
type Site struct {
	Name string
	// Hooks are the operator's scripts; nil: none.
	Hooks Hooks
	// Factors are our own second factors; nil: nobody asks for one.
	Factors Factors
	// Keys makes a key set that whoever made the site keeps fresh, as
	// identity.Deps.Keys; nil: the surface keeps its own.
	Keys func(keyset.Config) *keyset.Set
}

// Surface is the login edge of one site under one configuration.
type Surface struct {
	s         *Service
	site      Site
	c         *ProviderConfig
	login     *Config // nil on backoffice
	provider  provider
	auth0     *auth0 // nil with another provider
	risk      scorer
	onError   string // the verdict where risk cannot be asked
	users     people
	lock      locks
	hooks     Hooks
	qa        *listed
	mails     *mails // nil where nobody asks for mails
	addresses *mailcheck.Checker
	metrics   *metric.Forwarder
	layer     *layer        // nil where access tokens cannot be verified
	pace      time.Duration // of answers that must not tell how long they took

	background []func(context.Context)
}

// Backoffice makes the surface of a site with the key backoffice. The configuration
// is valid.
func (s *Service) Backoffice(site Site, c *BackofficeConfig) (*Surface, error) {
	return s.surface(site, &c.ProviderConfig, nil)
}

// Login makes the surface of a site with the key login. The configuration is valid.
func (s *Service) Login(site Site, c *Config) (*Surface, error) {
	u, err := s.surface(site, &c.ProviderConfig, c)
	if err != nil {
		return nil, err
	}
	u.login, u.qa = c, newListed(c.QA, s.d.Env)
	u.addresses = mailcheck.New(mailcheck.Options{Resolver: s.d.Resolver, Now: s.d.Now})
	if c.Risk != nil {
		client, err := castle.New(castle.Deps{DB: s.d.DB, Now: s.d.Now, Log: s.d.Log, Refuse: s.d.Refuse, Plain: relaxed(s.d.Env)}, c.Risk.Castle)
		if err != nil {
			return nil, fmt.Errorf("risk.castle.baseURL %w", err)
		}
		u.risk, u.onError = client, c.Risk.Castle.OnError
		u.background = append(u.background, client.Run)
	}
	if c.UserService != nil {
		client, err := userservice.New(userservice.Deps{Now: s.d.Now, Log: s.d.Log, Refuse: s.d.Refuse, Plain: relaxed(s.d.Env)}, c.UserService)
		if err != nil {
			return nil, fmt.Errorf("userService.url %w", err)
		}
		u.users = client
	}
	if c.Metrics != nil {
		if u.metrics, err = metric.New(metric.Deps{Now: s.d.Now, Log: s.d.Log, Refuse: s.d.Refuse, Plain: relaxed(s.d.Env)}, c.Metrics); err != nil {
			return nil, fmt.Errorf("metrics.url %w", err)
		}
		u.background = append(u.background, u.metrics.Run)
	}
	if u.layer, err = newLayer(u, c.Session); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if u.social() != nil {
		u.background = append(u.background, s.prune, u.endCodes)
	}
	if u.site.Factors != nil {
		u.background = append(u.background, u.endHeld)
	}
	if c.Management != nil && u.auth0 != nil {
		u.mails = newMails(u, c.Management)
		u.background = append(u.background, u.mails.run)
	}
	return u, nil
}

// surface is what both have.
func (s *Service) surface(site Site, c *ProviderConfig, login *Config) (*Surface, error) {
	u := &Surface{s: s, site: site, c: c, hooks: site.Hooks, pace: answerPace}
	locks := lockout.New(lockout.Deps{DB: s.d.DB, Keys: s.d.Keys, Now: s.d.Now, Log: s.d.Log}, c.Lockout)
	u.lock = locks
	u.background = append(u.background, locks.Run)
	if !c.auth0() {
		p, err := s.newOIDC(c)
		u.provider = p
		return u, err
	}
	call, err := s.caller(c.BaseURL.String(), c.timeout())
	if err != nil {
		return nil, fmt.Errorf("baseURL %w", err)
	}
	var m *MFAConfig
	if login != nil {
		m = login.MFA
	}
	u.auth0 = newAuth0(c, m, call)
	u.provider = u.auth0
	return u, nil
}

// caller makes a client of a service that the configuration names.
func (s *Service) caller(url string, timeout time.Duration) (*outbound.Client, error) {
	return outbound.New(outbound.Options{BaseURL: url, Plain: relaxed(s.d.Env), Timeout: timeout, Refuse: s.d.Refuse, Private: true})
}

// KeySets are those that Site.Keys made.
func (u *Surface) KeySets() []*keyset.Set {
	if u.layer == nil || u.site.Keys == nil {
		return nil
	}
	return u.layer.accept.KeySets()
}

// Run does the surface's background work until ctx is done, and what is left then.
func (u *Surface) Run(ctx context.Context) {
	u.s.board.begin(u)
	defer u.s.board.end(u)
	done := make(chan struct{}, len(u.background))
	for _, f := range u.background {
		go func() { f(ctx); done <- struct{}{} }()
	}
	for range u.background {
		<-done
	}
}
