package apikey

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Routes lists the operations:
//
//	GET, POST           /tenant/api-keys              apikeys:read, apikeys:write
//	GET, PATCH, DELETE  /tenant/api-keys/:id          apikeys:read, apikeys:write
//	POST                /tenant/api-keys/:id/rotate   apikeys:write
//
// and those of machine tokens, of machineRoutes. All of them work on the caller's
// own tenant. Ids of another are 404. GET of a key answers an ETag; PATCH and DELETE
// of it honour If-Match. What a key was used for (:id/usage) is told by
// the feature usage. Lists take limit, offset, state (active, disabled, expired,
// revoked; any but revoked unless written) and search: a part of name, prefix or id,
// letters in either case.
func (s *Service) Routes() []gateway.SurfaceRoute {
	const list, one, rotate = "/tenant/api-keys", "/tenant/api-keys/:id", "/tenant/api-keys/:id/rotate"
	return append([]gateway.SurfaceRoute{
		route("GET", list, "apikeys:read", "list API keys", 0, s.list),
		route("POST", list, "apikeys:write", "create an API key", smallBody, s.create),
		route("GET", one, "apikeys:read", "read an API key", 0, s.read),
		route("PATCH", one, "apikeys:write", "change an API key", smallBody, s.change),
		route("DELETE", one, "apikeys:write", "revoke an API key", 0, s.revoke),
		route("POST", rotate, "apikeys:write", "rotate an API key", smallBody, s.rotate),
	}, s.machineRoutes()...)
}

// smallBody bounds the bodies of these operations: a name and two short lists.
const smallBody = 64 << 10

func route(method, path, permission, name string, maxBody int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{
		Method: method, Path: path,
		Require: policy.Requirements{RequiredPermissions: []string{permission}},
		Op:      gateway.Operation{Surface: "tenantApi", Name: name, MaxBody: maxBody, Tenant: true, Run: run},
	}
}

func byOf(c *gateway.Call) By {
	return By{Actor: c.Actor(), Standing: c.Standing, Request: c.View.ID, Decision: c.Decision, If: input.MatchOf(c.View)}
}

// idOf is the id that the path names. What cannot be one is nobody's.
func idOf(c *gateway.Call) (string, error) {
	id, ok := c.Params.Get("id")
	if !ok || len(id) > 128 || !printable(id) {
		return "", ErrNoKey
	}
	return id, nil
}

func (s *Service) list(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	machine, err := yesOrNo(c, "machine")
	if err != nil {
		return request.Reply{}, err
	}
	return s.answerList(ctx, c, machine)
}

// answerList answers a page of a tenant's keys, of its machine tokens, or of both.
func (s *Service) answerList(ctx context.Context, c *gateway.Call, machine input.Optional[bool]) (request.Reply, error) {
	page, err := input.PageOf(c.View, 20, 100)
	if err != nil {
		return request.Reply{}, err
	}
	revoked, err := yesOrNo(c, "revoked")
	if err != nil {
		return request.Reply{}, err
	}
	state, err := input.OneOf(c.View, "state", "active", "disabled", "expired", "revoked")
	if err != nil {
		return request.Reply{}, err
	}
	like, err := input.Search(c.View, "search")
	if err != nil {
		return request.Reply{}, err
	}
	keys, total, err := s.listOf(ctx, c.Tenant, which{revoked.Value, machine, state, like}, page.Limit, page.Offset)
	if err != nil {
		return request.Reply{}, err
	}
	views := make([]View, len(keys))
	for i, k := range keys {
		views[i] = ViewOf(k)
	}
	return gateway.JSON(200, input.ListOf(views, page, total)), nil
}

// yesOrNo reads a query parameter that is true, false, or not there.
func yesOrNo(c *gateway.Call, name string) (input.Optional[bool], error) {
	text, _, err := input.Query(c.View, name)
	switch {
	case err != nil || text == "":
		return input.Optional[bool]{}, err
	case text != "true" && text != "false":
		return input.Optional[bool]{}, input.Invalid(name, "must be true or false")
	}
	return input.Optional[bool]{Set: true, Value: text == "true"}, nil
}

func (s *Service) create(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var d Draft
	if err := input.JSON(c.Body, &d); err != nil {
		return request.Reply{}, err
	}
	made, err := s.Create(ctx, byOf(c), c.Tenant, d)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, createdOf(made)), nil
}

func (s *Service) read(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	id, err := idOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	k, err := s.Get(ctx, c.Tenant, id)
	if err != nil {
		return request.Reply{}, err
	}
	return tagged(k), nil
}

// tagged shows one key, with the tag that a change of it can name.
func tagged(k Key) request.Reply {
	v := ViewOf(k)
	return input.WithTag(gateway.JSON(200, v), v.tag())
}

func (s *Service) change(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	id, err := idOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	var d Draft
	if err := input.JSON(c.Body, &d); err != nil {
		return request.Reply{}, err
	}
	k, err := s.Change(ctx, byOf(c), c.Tenant, id, d)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, ViewOf(k)), nil
}

func (s *Service) rotate(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	id, err := idOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	grace, err := graceIn(c.Body)
	if err != nil {
		return request.Reply{}, err
	}
	made, err := s.Rotate(ctx, byOf(c), c.Tenant, id, grace)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, rotatedOf(made)), nil
}

func (s *Service) revoke(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	id, err := idOf(c)
	if err != nil {
		return request.Reply{}, err
	}
	if err := s.Revoke(ctx, byOf(c), c.Tenant, id); err != nil {
		return request.Reply{}, err
	}
	return gone(), nil
}

// gone answers that something is no more.
func gone() request.Reply {
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}
}

// graceIn reads how long the secret before a rotation lives on.
func graceIn(body []byte) (time.Duration, error) {
	var b struct {
		Grace input.Optional[int64] `json:"gracePeriodSeconds"`
	}
	if err := input.JSON(body, &b); err != nil {
		return 0, err
	}
	return graceOf(b.Grace)
}
