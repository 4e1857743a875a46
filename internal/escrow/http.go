package escrow

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Place is the site that the surface stands on.
type Place struct {
	// Identity are the site's providers.
	Identity *identity.Site
	// Health says that nobody else answers /health there.
	Health bool
}

// people are those of a site's providers that count on the portal side: whatever
// counts where nothing is said, but keys and machines. portal is false where the
// site has no provider for people at all; one that is off at present is one.
func people(site *identity.Site) (names []string, portal bool) {
	counts := site.Any().Names()
	for _, p := range site.Providers() {
		if p.Kind == identity.KindAPIKey || p.Kind == identity.KindMachine {
			continue
		}
		if portal = true; slices.Contains(counts, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names, portal
}

// nobody is the name of no provider.
const nobody = "no provider"

const (
	smallBody  = 16 << 10
	keyBodyMax = 96 << 10 // two keys, a wrapping, a copy for recovery, two signatures
	reportBody = 1 << 20
	secretBody = 64 << 10
	configMax  = maxConfig + 16<<10
)

// Routes lists the operations. Machines, by token:
//
//	GET   /v1/tenant/pubkey                            the key that they seal to
//	POST  /v1/report                                   {machine, run} → {id, machineId}
//	POST  /v1/secret                                   {machine, kind, label?, kid?, ciphertext} → {id}
//	GET   /v1/config?machine=&group=                   {name, version, config}
//
// People, by a users row and what its roles hold, where the site has a provider
// for people:
//
//	POST  /v1/tenant/key/challenge                     escrow:admin   {publicKey}
//	GET   /v1/tenant/key                               anybody; what opens the keys: escrow:reveal
//	POST  /v1/tenant/key                               escrow:admin
//	POST  /v1/tenant/key/:kid/wrapping                 escrow:admin
//	POST  /v1/tenant/key/:kid/wrapping/:version/remove escrow:admin
//	GET   /v1/fleet                                    anybody: counts, runs by day
//	GET   /v1/machines, /v1/machines/:id, /v1/runs     anybody
//	GET   /v1/secrets                                  escrow:read
//	POST  /v1/secrets/:id/reveal                       escrow:reveal  {reason, stepUp?}
//	GET   /v1/audit                                    audit:read
//	GET   /v1/configs, /v1/configs/:name               escrow:write
//	GET   /v1/configs/:name/versions                   escrow:write
//	POST  /v1/configs, /v1/configs/:name               escrow:write
//
// and GET /health, where nobody else answers it.
func (s *Service) Routes(c *Config, at Place) []gateway.SurfaceRoute {
	u := &surface{s: s}
	if c != nil && c.PortalOrigin != "" {
		u.origins = []string{c.PortalOrigin}
	}
	if c != nil {
		u.perDay = int64(c.PerDay)
	}
	out := u.machines()
	if names, portal := people(at.Identity); portal {
		out = append(out, u.people(names)...)
	}
	if at.Health {
		out = append(out, gateway.SurfaceRoute{Method: "GET", Path: "/health", Anonymous: true, OtherSites: true,
			Op: gateway.Operation{Surface: "escrow", Name: "say that it is there", Run: u.health}})
	}
	return out
}

// surface is the operations of one site.
type surface struct {
	s       *Service
	origins []string // of the portal's pages on another host
	perDay  int64    // Config.PerDay
}

// machines are the operations of the machine side. No browser holds a machine
// token, so that no page can use one.
func (u *surface) machines() []gateway.SurfaceRoute {
	route := func(method, path, name string, body int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: method, Path: path, OtherSites: true,
			Require: policy.Requirements{AuthProvider: []string{identity.KindMachine}, RequiredPermissions: []string{"machine:ingest"}},
			Limit:   &limit.RuleConfig{WindowMs: 60_000, Max: 6000, By: "key"}, LimitOf: "escrow, machines",
			Op: gateway.Operation{Surface: "escrow", Name: name, MaxBody: body, Tenant: true, Run: run}}
	}
	return []gateway.SurfaceRoute{
		route("GET", "/v1/tenant/pubkey", "read the tenant's public key", 0, u.pubkey),
		route("POST", "/v1/report", "report a run", reportBody, u.report),
		route("POST", "/v1/secret", "hand over a sealed secret", secretBody, u.secret),
		route("GET", "/v1/config", "read a machine's configuration", 0, u.config),
	}
}

// people are the operations of the portal side.
func (u *surface) people(providers []string) []gateway.SurfaceRoute {
	if len(providers) == 0 {
		providers = []string{nobody}
	}
	route := func(method, path, name, permission string, body int64, run func(context.Context, *gateway.Call, Person) (request.Reply, error)) gateway.SurfaceRoute {
		need := policy.Requirements{AuthProvider: providers}
		if permission != seeMachines { // a users row is enough: an unknown role counts as viewer
			need.RequiredPermissions = []string{permission}
		}
		return gateway.SurfaceRoute{Method: method, Path: path, Require: need,
			Limit: &limit.RuleConfig{WindowMs: 60_000, Max: 600, By: "principal"}, LimitOf: "escrow, people",
			Op: gateway.Operation{Surface: "escrow", Name: name, MaxBody: body, Tenant: true, Run: u.person(run)}}
	}
	byScript := func(r gateway.SurfaceRoute) gateway.SurfaceRoute { r.Factor = u.demanded; return r }
	return []gateway.SurfaceRoute{
		byScript(route("POST", "/v1/tenant/key/challenge", "ask for a challenge", setKeys, smallBody, u.challenge)),
		route("GET", "/v1/tenant/key", "list the tenant's keys", seeMachines, 0, u.keys),
		byScript(route("POST", "/v1/tenant/key", "set or replace the tenant's key", setKeys, keyBodyMax, u.onboard)),
		byScript(route("POST", "/v1/tenant/key/:kid/wrapping", "wrap a key by another passphrase", setKeys, keyBodyMax, u.rewrap)),
		byScript(route("POST", "/v1/tenant/key/:kid/wrapping/:version/remove", "remove an old wrapping", setKeys, smallBody, u.unwrap)),
		route("GET", "/v1/fleet", "count machines and runs", seeMachines, 0, u.fleet),
		route("GET", "/v1/machines", "list machines", seeMachines, 0, u.listMachines),
		route("GET", "/v1/machines/:id", "read a machine", seeMachines, 0, u.machine),
		route("GET", "/v1/runs", "list runs", seeMachines, 0, u.listRuns),
		route("GET", "/v1/secrets", "list secrets, without them", seeSecrets, 0, u.listSecrets),
		byScript(route("POST", "/v1/secrets/:id/reveal", "reveal a sealed secret", reveal, smallBody, u.reveal)),
		route("GET", "/v1/audit", "read the audit trail", seeAudit, 0, u.audit),
		route("GET", "/v1/configs", "list configurations of machines", setConfigs, 0, u.listConfigs),
		route("POST", "/v1/configs", "create a configuration of machines", setConfigs, configMax, u.createConfig),
		route("GET", "/v1/configs/:name", "read a configuration of machines", setConfigs, 0, u.readConfig),
		route("GET", "/v1/configs/:name/versions", "list the versions of a configuration", setConfigs, 0, u.configVersions),
		route("POST", "/v1/configs/:name", "change a configuration of machines", setConfigs, configMax, u.changeConfig),
	}
}

// demanded asks for the second factor that the site's requireMfa wants. Browsers call
// these operations from the portal's host, whose origin Access's CORS rules let send
// no header for it, so that the step-up stands in the body.
func (u *surface) demanded(ctx context.Context, c *gateway.Call) error {
	var b struct {
		StepUp string `json:"stepUp"`
	}
	_ = json.Unmarshal(c.Body, &b) // the operation says what is wrong with a body
	if u.s.d.Factors == nil {
		return fault.New(fault.Forbidden, policy.CodeMFA, "Second factor required")
	}
	return u.s.d.Factors.Demanded(ctx, c, b.StepUp)
}

// person refuses whoever has no users row in the tenant, and posts that a page of
// somewhere else may have caused, by whatever credential.
func (u *surface) person(run func(context.Context, *gateway.Call, Person) (request.Reply, error)) func(context.Context, *gateway.Call) (request.Reply, error) {
	return func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
		p, err := personOf(c)
		if err != nil {
			return request.Reply{}, err
		}
		if identity.CrossSite(c.View, false, u.origins) {
			return request.Reply{}, ErrCrossSite
		}
		return run(ctx, c, p)
	}
}

// param is a part of the path.
func param(c *gateway.Call, name string) string {
	v, _ := c.Params.Get(name)
	return v
}

// health is what the older system's probes ask for.
func (u *surface) health(context.Context, *gateway.Call) (request.Reply, error) {
	return gateway.JSON(200, struct {
		OK      bool   `json:"ok"`
		Version string `json:"version"`
	}{true, u.s.d.Version}), nil
}
