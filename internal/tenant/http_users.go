package tenant

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *Service) listUsers(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	page, err := input.PageOf(c.View, 20, 100)
	if err != nil {
		return request.Reply{}, err
	}
	var w Wanted
	if w.like, err = input.Search(c.View, "search"); err != nil {
		return request.Reply{}, err
	}
	if w.state, err = input.OneOf(c.View, "state", "active", "disabled"); err != nil {
		return request.Reply{}, err
	}
	if w.role, _, err = input.Query(c.View, "role"); err != nil {
		return request.Reply{}, err
	}
	users, total, err := s.UsersWanted(ctx, c.Tenant, w, page)
	if err != nil {
		return request.Reply{}, err
	}
	views := make([]UserView, 0, len(users))
	for _, u := range users {
		views = append(views, View(u))
	}
	return gateway.JSON(200, input.ListOf(views, page, total)), nil
}

// userBody is what POST and PATCH take. role is one role, for callers of the
// older systems; roles wins.
type userBody struct {
	Email        *string   `json:"email"`
	ServiceToken *string   `json:"serviceToken"`
	Name         *string   `json:"name"`
	Role         *string   `json:"role"`
	Roles        *[]string `json:"roles"`
	Disabled     *bool     `json:"disabled"`
}

func (b userBody) roles() *[]string {
	if b.Roles != nil || b.Role == nil {
		return b.Roles
	}
	if *b.Role == "" {
		return &[]string{}
	}
	return &[]string{*b.Role}
}

func (s *Service) addUser(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var b userBody
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, err
	}
	var n NewUser
	set(&n.Email, b.Email)
	set(&n.ServiceToken, b.ServiceToken)
	set(&n.Name, b.Name)
	set(&n.Disabled, b.Disabled)
	set(&n.Roles, b.roles())
	u, err := s.AddUser(ctx, s.by(c), c.Tenant, n)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, View(u)), nil
}

func (s *Service) readUser(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	u, err := s.User(ctx, c.Tenant, id(c))
	if err != nil {
		return request.Reply{}, err
	}
	v := View(u)
	return input.WithTag(gateway.JSON(200, v), v.tag()), nil
}

func (s *Service) patchUser(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var b userBody
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, err
	}
	u, err := s.PatchUser(ctx, s.by(c), c.Tenant, id(c), Patch{Email: b.Email, ServiceToken: b.ServiceToken, Name: b.Name, Roles: b.roles(), Disabled: b.Disabled})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, View(u)), nil
}

func (s *Service) removeUser(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if err := s.DeleteUser(ctx, s.by(c), c.Tenant, id(c)); err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}

// id is the user that the path names.
func id(c *gateway.Call) string {
	v, _ := c.Params.Get("id")
	return v
}
