package session

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// UserRoutes lists what tenantApi has of sessions:
//
//	GET     /tenant/users/{id}/sessions               users:read    those of a user that have not ended
//	DELETE  /tenant/users/{id}/sessions               users:write   ends all of them
//	DELETE  /tenant/users/{id}/sessions/{session}     users:write   ends one
//
// The permissions are those by which a user is seen and disabled, which ends the
// sessions too. Whoever is signed out may sign in again.
func (s *Service) UserRoutes() []gateway.SurfaceRoute {
	const sessions = "/tenant/users/:id/sessions"
	route := func(method, path, permission, name string, run run) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: method, Path: path, Require: policy.Requirements{RequiredPermissions: []string{permission}},
			Op: gateway.Operation{Surface: "tenantApi", Name: name, Tenant: true, Run: run}}
	}
	return []gateway.SurfaceRoute{
		route("GET", sessions, "users:read", "list a user's sessions", s.listOfUser),
		route("DELETE", sessions, "users:write", "end a user's sessions", s.endOfUser),
		route("DELETE", sessions+"/:session", "users:write", "end a session of a user", s.endOfUser),
	}
}

func (s *Service) listOfUser(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	page, err := input.PageOf(c.View, 20, mostPerUser)
	if err != nil {
		return request.Reply{}, err
	}
	all, err := s.UserSessions(ctx, c.Tenant, param(c, "id"))
	if err != nil {
		return request.Reply{}, err
	}
	from := min(page.Offset, len(all))
	views := []View{}
	for _, one := range all[from:min(from+page.Limit, len(all))] {
		views = append(views, ViewOf(one, c.Who.SessionID))
	}
	return gateway.JSON(200, input.ListOf(views, page, len(all))), nil
}

// endOfUser ends the session that the path names, or all.
func (s *Service) endOfUser(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if _, err := s.RevokeOfUser(ctx, byOf(c), c.Tenant, param(c, "id"), param(c, "session")); err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}
