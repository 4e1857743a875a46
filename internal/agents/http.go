package agents

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Place is the site that the surface stands on.
type Place struct {
	// NoAuth says that nobody is identified there (auth: none).
	NoAuth bool
	// Tenant is whose row the default thing of a site without authentication is:
	// the site's tenant, else tenants.default. Otherwise it is not looked at.
	Tenant string
}

// Routes lists the operations, for each collection:
//
//	GET     /api/agents                       anybody: the public ones, and one's own; role=owner, admin, viewer
//	                                          or any: those on which the caller is that
//	POST    /api/agents                       agents:create
//	GET     /api/agents/:id                   viewer
//	PUT     /api/agents/:id                   admin
//	DELETE  /api/agents/:id                   owner
//	GET     /api/agents/:id/admins            admin
//	POST    /api/agents/:id/admins            owner
//	GET     /api/agents/:id/admins/:adminId   admin
//	PATCH   /api/agents/:id/admins/:adminId   owner
//	DELETE  /api/agents/:id/admins/:adminId   owner
//
// GET of a thing or of one of its admins answers an ETag; PUT, PATCH and DELETE
// honour If-Match. The roles are looked up where the rows are, in the transaction that uses them:
// what was given or taken a moment ago counts.
func (s *Service) Routes(c *Config, at Place) []gateway.SurfaceRoute {
	var out []gateway.SurfaceRoute
	for _, name := range c.names() {
		out = append(out, s.collection(surface{s, name, at})...)
	}
	return out
}

// surface is one collection on one site.
type surface struct {
	s          *Service
	collection string
	at         Place
}

const (
	smallBody = 4 << 10
	wholeBody = 256 << 10 // settings, and what is around them
)

// standard is how often one address may call, where the site says nothing: all
// operations of all collections count together.
func standard() *limit.RuleConfig { return &limit.RuleConfig{WindowMs: 60_000, Max: 100, By: "ip"} }

func (s *Service) collection(u surface) []gateway.SurfaceRoute {
	all := "/api/" + u.collection
	one, members, member := all+"/:id", all+"/:id/admins", all+"/:id/admins/:adminId"
	route := func(method, path, name string, maxBody int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: method, Path: path, Public: u.at.NoAuth, Limit: standard(),
			Op: gateway.Operation{Surface: "agents", Name: name + u.collection, MaxBody: maxBody, Shape: Shape, Run: run}}
	}
	list := route("GET", all, "list ", 0, u.list)
	list.Public = true
	create := route("POST", all, "create one of ", wholeBody, u.create)
	if !u.at.NoAuth {
		create.Require = policy.Requirements{RequiredPermissions: []string{"agents:create"}}
	}
	return []gateway.SurfaceRoute{
		list, create,
		route("GET", one, "read one of ", 0, u.read),
		route("PUT", one, "change one of ", wholeBody, u.change),
		route("DELETE", one, "delete one of ", 0, u.remove),
		route("GET", members, "list the admins of one of ", 0, u.members),
		route("POST", members, "add an admin to one of ", smallBody, u.addMember),
		route("GET", member, "read an admin of one of ", 0, u.readMember),
		route("PATCH", member, "change an admin of one of ", smallBody, u.changeMember),
		route("DELETE", member, "remove an admin of one of ", 0, u.removeMember),
	}
}

func byOf(c *gateway.Call) By {
	return By{Actor: c.Actor(), Who: c.Who, Tenant: c.Standing.Tenant, Request: c.View.ID, Decision: c.Decision, If: input.MatchOf(c.View)}
}

// param is a part of the path. What cannot be an id is nobody's.
func param(c *gateway.Call, name string) string {
	v, _ := c.Params.Get(name)
	return v
}

// open reports whether a call is about the one thing of a site without
// authentication.
func (u surface) open(c *gateway.Call) bool { return u.at.NoAuth && param(c, "id") == DefaultName }

func (u surface) list(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	l, err := listing(c.View, orders, "name")
	if err == nil {
		l, err = l.ofRole(c.View)
	}
	if err != nil {
		return request.Reply{}, err
	}
	var list []Agent
	var total int
	if u.at.NoAuth {
		list, total, err = u.s.ListOpen(ctx, u.at.Tenant, c.Tenant, u.collection, l)
	} else {
		list, total, err = u.s.List(ctx, byOf(c), c.Tenant, u.collection, l)
	}
	if err != nil {
		return request.Reply{}, err
	}
	return many(list, ViewOf, l, total), nil
}

func (u surface) create(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	by := byOf(c)
	if _, ok := by.caller(c.Tenant); !ok {
		_, err := u.s.Create(ctx, by, c.Tenant, u.collection, Draft{})
		return request.Reply{}, err
	}
	var d Draft
	if err := input.JSON(c.Body, &d); err != nil {
		return request.Reply{}, err
	}
	a, err := u.s.Create(ctx, by, c.Tenant, u.collection, d)
	if err != nil {
		return request.Reply{}, err
	}
	return one(201, ViewOf(a)), nil
}

func (u surface) read(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var a Agent
	var err error
	if u.open(c) {
		a, err = u.s.Open(ctx, u.at.Tenant, u.collection)
	} else {
		a, err = u.s.Get(ctx, byOf(c), c.Tenant, u.collection, param(c, "id"))
	}
	if err != nil {
		return request.Reply{}, err
	}
	v := ViewOf(a)
	return input.WithTag(one(200, v), v.tag()), nil
}

func (u surface) change(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var d Draft
	var a Agent
	by, err := byOf(c), error(nil)
	if !u.open(c) { // whoever may not is told so, whatever they sent
		if a, err = u.s.Get(ctx, by, c.Tenant, u.collection, param(c, "id")); err != nil {
			return request.Reply{}, err
		}
		if rank(a.Role) < rank(Admin) {
			return request.Reply{}, ErrDenied
		}
	}
	if err := input.JSON(c.Body, &d); err != nil {
		return request.Reply{}, err
	}
	if u.open(c) {
		a, err = u.s.ChangeOpen(ctx, by, u.at.Tenant, u.collection, d)
	} else {
		a, err = u.s.Change(ctx, by, c.Tenant, u.collection, a.ID, d)
	}
	if err != nil {
		return request.Reply{}, err
	}
	return one(200, ViewOf(a)), nil
}

func (u surface) remove(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if u.open(c) {
		return request.Reply{}, ErrDenied
	}
	if err := u.s.Delete(ctx, byOf(c), c.Tenant, u.collection, param(c, "id")); err != nil {
		return request.Reply{}, err
	}
	return gone(), nil
}

// gone is the answer to whoever removed something.
func gone() request.Reply {
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}
}
