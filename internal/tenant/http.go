package tenant

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Routes lists the operations:
//
//	GET, POST           /tenant/users        users:read, users:write
//	GET, PATCH, DELETE  /tenant/users/{id}   users:read, users:write
//	GET, POST           /tenant/config       users:read, users:write
//
// All of them work on the caller's own tenant. Ids of another are 404. GET of a user
// answers an ETag; PATCH and DELETE of it honour If-Match. The list
// takes limit, offset, role (one that they have), state (active, disabled) and
// search: a part of e-mail, name, service token, subject or id, letters in either
// case.
func (s *Service) Routes() []gateway.SurfaceRoute {
	const users, user, config = "/tenant/users", "/tenant/users/:id", "/tenant/config"
	return []gateway.SurfaceRoute{
		s.route("GET", users, "users:read", "list users", 0, s.listUsers),
		s.route("POST", users, "users:write", "add a user", smallBody, s.addUser),
		s.route("GET", user, "users:read", "read a user", 0, s.readUser),
		s.route("PATCH", user, "users:write", "change a user", smallBody, s.patchUser),
		s.route("DELETE", user, "users:write", "delete a user", 0, s.removeUser),
		s.route("GET", config, "users:read", "read the tenant's settings", 0, s.readConfig),
		s.route("POST", config, "users:write", "change the tenant's settings", smallBody, s.writeConfig),
	}
}

// smallBody bounds the bodies of these operations: names and lists of roles.
const smallBody = 64 << 10

func (s *Service) route(method, path, permission, name string, maxBody int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{
		Method: method, Path: path,
		Require: policy.Requirements{RequiredPermissions: []string{permission}},
		Op:      gateway.Operation{Surface: "tenantApi", Name: name, MaxBody: maxBody, Tenant: true, Run: run},
	}
}

// by is who calls.
func (s *Service) by(c *gateway.Call) By {
	b := By{Actor: c.Actor(), Host: c.Tenant != c.Standing.Tenant, Request: c.View.ID, Decision: c.Decision, If: input.MatchOf(c.View)}
	if s.d.Grants != nil {
		b.Grants = s.d.Grants(c)
	}
	return b
}
