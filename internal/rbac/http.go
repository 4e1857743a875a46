package rbac

import (
	"context"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Bounds of the surface.
const (
	maxBody      = 64 << 10
	maxWholeBody = 4 << 20 // all end-user roles at once
	standardPage = 20
	largestPage  = 100
	// Permissions are listed whole, but for tenants that made up very many.
	permissionsPage = 1000
)

// Routes lists the operations of the surface. GET of a role answers an ETag; PUT and
// DELETE of it honour If-Match.
func (s *Service) Routes() []gateway.SurfaceRoute {
	const read, write = "rbac:read", "rbac:write"
	return []gateway.SurfaceRoute{
		route("GET", "/rbac/roles", read, "list the roles", 0, s.listRoles),
		route("POST", "/rbac/roles", write, "create a role", maxBody, s.createRole),
		route("GET", "/rbac/roles/:name", read, "read a role", 0, s.readRole),
		route("PUT", "/rbac/roles/:name", write, "change a role", maxBody, s.changeRole),
		route("DELETE", "/rbac/roles/:name", write, "remove a role", 0, s.deleteRole),
		route("GET", "/rbac/permissions", read, "list the permissions", 0, s.listPermissions),
		route("POST", "/rbac/assign", write, "assign a role", maxBody, s.assignRole),
		route("DELETE", "/rbac/assign", write, "take a role away", maxBody, s.unassignRole),

		route("GET", "/tenant/rbac", read, "read the roles of the end users", 0, s.readEndUsers),
		route("PUT", "/tenant/rbac", write, "replace the roles of the end users", maxWholeBody, s.replaceEndUsers),
		route("POST", "/tenant/rbac", write, "add a role of the end users", maxBody, s.createEndUserRole),
		route("DELETE", "/tenant/rbac", write, "clear the roles of the end users", 0, s.clearEndUserRoles),
		route("GET", "/tenant/rbac/roles", read, "list the roles of the end users", 0, s.listEndUserRoles),
		route("POST", "/tenant/rbac/roles", write, "create a role of the end users", maxBody, s.createEndUserRole),
		route("GET", "/tenant/rbac/roles/:name", read, "read a role of the end users", 0, s.readEndUserRole),
		route("PUT", "/tenant/rbac/roles/:name", write, "change a role of the end users", maxBody, s.changeEndUserRole),
		route("DELETE", "/tenant/rbac/roles/:name", write, "remove a role of the end users", 0, s.deleteEndUserRole),
	}
}

func route(method, path, permission, name string, body int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{
		Method: method, Path: path, Require: policy.Requirements{RequiredPermissions: config.List[string]{permission}},
		Op: gateway.Operation{Surface: "tenantApi", Name: name, MaxBody: body, Tenant: true, Run: run},
	}
}

// caller is who asks, by the right of what it holds.
func caller(c *gateway.Call) Caller {
	return Caller{Actor: c.Actor(), Right: Of(c.Standing), Request: c.View.ID, Decision: c.Decision, If: input.MatchOf(c.View)}
}

// answer renders what a rule returned.
func answer[T any](status int, v T, err error) (request.Reply, error) {
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(status, v), nil
}

// gone is the answer where something was removed.
func gone(err error) (request.Reply, error) {
	if err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}

func pageOf[T any](p input.Page, data []T, total int, err error) (request.Reply, error) {
	return answer(200, input.ListOf(data, p, total), err)
}

func draft(c *gateway.Call) (d Draft, err error) {
	err = input.JSON(c.Body, &d)
	return d, err
}

// name is the role that the path names. Here is no path without one.
func name(c *gateway.Call) string {
	s, _ := c.Params.Get("name")
	return s
}

func (s *Service) listRoles(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	p, err := input.PageOf(c.View, standardPage, largestPage)
	if err != nil {
		return request.Reply{}, err
	}
	data, total, err := s.List(ctx, c.Tenant, p)
	return pageOf(p, data, total, err)
}

func (s *Service) createRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d, err := draft(c)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.Create(ctx, caller(c), c.Tenant, d)
	return answer(201, out, err)
}

func (s *Service) readRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	out, err := s.Role(ctx, c.Tenant, name(c))
	if err != nil {
		return request.Reply{}, err
	}
	return input.WithTag(gateway.JSON(200, out), out.tag()), nil
}

func (s *Service) changeRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d, err := draft(c)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.Change(ctx, caller(c), c.Tenant, name(c), d)
	return answer(200, out, err)
}

func (s *Service) deleteRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return gone(s.Delete(ctx, caller(c), c.Tenant, name(c)))
}

func (s *Service) listPermissions(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	p, err := input.PageOf(c.View, permissionsPage, permissionsPage)
	if err != nil {
		return request.Reply{}, err
	}
	data, total, err := s.Permissions(ctx, c.Tenant, p)
	return pageOf(p, data, total, err)
}

func (s *Service) assignRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	a, err := s.assignment(c)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.Assign(ctx, caller(c), c.Tenant, a)
	return answer(200, out, err)
}

func (s *Service) unassignRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	a, err := s.assignment(c)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.Unassign(ctx, caller(c), c.Tenant, a)
	return answer(200, out, err)
}

// assignment reads what is to be assigned: from the body, and for DELETE, whose
// body not every client can send, what the body does not say from the query.
func (s *Service) assignment(c *gateway.Call) (Assignment, error) {
	var b struct {
		UserID   string `json:"userId"`
		Role     string `json:"role"`
		Provider string `json:"provider"`
	}
	if err := input.JSON(c.Body, &b); err != nil {
		return Assignment{}, err
	}
	if c.View.Method == "DELETE" {
		for _, x := range []struct {
			name string
			to   *string
		}{{"userId", &b.UserID}, {"role", &b.Role}, {"provider", &b.Provider}} {
			value, ok, err := input.Query(c.View, x.name)
			switch {
			case err != nil:
				return Assignment{}, err
			case !ok:
			case *x.to != "" && *x.to != value:
				return Assignment{}, input.Invalid(x.name, "says one thing in the body and another in the query")
			default:
				*x.to = value
			}
		}
	}
	a := Assignment{User: b.UserID, Role: b.Role, Named: b.Provider != ""}
	return a, s.provider(c, b.Provider, &a)
}

// provider settles whose subject is meant: the named provider's, else the
// caller's own.
func (s *Service) provider(c *gateway.Call, named string, a *Assignment) error {
	if who := c.Who; named == "" || named == who.Provider {
		switch who.ProviderKind {
		case "apiKey", "machine":
		default:
			a.Provider, a.Issuer = who.Provider, who.Authority()
			return nil
		}
	}
	if named == "" {
		return nil
	}
	if s.d.Issuer != nil {
		if issuer, ok := s.d.Issuer(c.Site, named); ok {
			a.Provider, a.Issuer = named, issuer
			return nil
		}
	}
	return input.Invalid("provider", "no provider here goes by this name, or it has no users of its own")
}
