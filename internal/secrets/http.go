package secrets

import (
	"context"
	"encoding/json"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Routes lists the operations:
//
//	GET    /tenant/secrets          names, dates and use; never values
//	POST   /tenant/secrets          {key, value, metadata?}
//	POST   /tenant/secrets/rotate   {key, newValue, gracePeriodDays?}
//	DELETE /tenant/secrets/{key}
func (s *Service) Routes() []gateway.SurfaceRoute {
	read := policy.Requirements{RequiredPermissions: config.List[string]{"secrets:read"}}
	write := policy.Requirements{RequiredPermissions: config.List[string]{"secrets:write"}}
	op := func(name string, body int64, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.Operation {
		return gateway.Operation{Surface: "tenantApi", Name: name, MaxBody: body, Tenant: true, Run: run}
	}
	return []gateway.SurfaceRoute{
		{Method: "GET", Path: "/tenant/secrets", Require: read, Op: op("list secrets", 0, s.list)},
		{Method: "POST", Path: "/tenant/secrets", Require: write, Op: op("create a secret", maxBody, s.create)},
		{Method: "POST", Path: "/tenant/secrets/rotate", Require: write, Op: op("rotate a secret", maxBody, s.rotate)},
		// A literal path is chosen before a parameter whatever the method: without
		// this one a secret that is called rotate could not be deleted.
		{Method: "DELETE", Path: "/tenant/secrets/rotate", Require: write, Op: op("delete a secret", 0, s.removeRotate)},
		{Method: "DELETE", Path: "/tenant/secrets/:key", Require: write, Op: op("delete a secret", 0, s.remove)},
	}
}

// maxBody holds the longest value with every byte of it escaped.
const maxBody = 6*MaxValue + 4*maxMetadata

func by(c *gateway.Call) tenant.By {
	return tenant.By{Actor: c.Actor(), Request: c.View.ID, Decision: c.Decision}
}

func (s *Service) list(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	page, err := input.PageOf(c.View, 20, 100)
	if err != nil {
		return request.Reply{}, err
	}
	all, total, err := s.List(ctx, c.Tenant, page)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, input.ListOf(all, page, total)), nil
}

func (s *Service) create(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var b struct {
		Key      string          `json:"key"`
		Value    string          `json:"value"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, err
	}
	made, err := s.Create(ctx, by(c), c.Tenant, Fresh{Key: b.Key, Value: secret.New(b.Value), Metadata: b.Metadata})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, made), nil
}

func (s *Service) rotate(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var b struct {
		Key      string `json:"key"`
		NewValue string `json:"newValue"`
		Days     int    `json:"gracePeriodDays"`
	}
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, err
	}
	made, err := s.Rotate(ctx, by(c), c.Tenant, b.Key, secret.New(b.NewValue), b.Days)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, made), nil
}

func (s *Service) remove(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	key, _ := c.Params.Get("key")
	return s.removed(ctx, c, key)
}

func (s *Service) removeRotate(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return s.removed(ctx, c, "rotate")
}

func (s *Service) removed(ctx context.Context, c *gateway.Call, key string) (request.Reply, error) {
	if err := s.Delete(ctx, by(c), c.Tenant, key); err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}
