package usage

import (
	"context"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Routes lists the operations:
//
//	GET /usage/summary                                           this month's calls and bytes
//	GET /usage/history?period=YYYY-MM                            the same for every day of a month
//	GET /tenant/api-keys/{id}/usage?from=&to=&bucket=hour|day    a key's calls by status class
func (s *Service) Routes() []gateway.SurfaceRoute {
	may := func(permission string) policy.Requirements {
		return policy.Requirements{RequiredPermissions: config.List[string]{permission}}
	}
	op := func(name string, run func(context.Context, *gateway.Call) (request.Reply, error)) gateway.Operation {
		return gateway.Operation{Surface: "tenantApi", Name: name, Tenant: true, Run: run}
	}
	return []gateway.SurfaceRoute{
		{Method: "GET", Path: "/usage/summary", Require: may("usage:read"), Op: op("sum up usage", s.summary)},
		{Method: "GET", Path: "/usage/history", Require: may("usage:read"), Op: op("list usage by day", s.history)},
		{Method: "GET", Path: "/tenant/api-keys/:id/usage", Require: may("apikeys:read"), Op: op("list usage of an API key", s.ofKey)},
	}
}

func (s *Service) summary(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	sum, err := s.Month(ctx, c.Tenant, c.Now)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, sum), nil
}

func (s *Service) history(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	period, given, err := input.Query(c.View, "period")
	if err != nil {
		return request.Reply{}, err
	}
	if given && period == "" {
		return request.Reply{}, input.Invalid("period", "must be a month like 2026-01")
	}
	days, err := s.History(ctx, c.Tenant, period, c.Now)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, map[string]any{"data": days}), nil
}

func (s *Service) ofKey(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	id, ok := c.Params.Get("id")
	if !ok {
		return request.Reply{}, fault.New(fault.NotFound, "no_key", "")
	}
	var q Span
	for name, to := range map[string]*string{"from": &q.From, "to": &q.To, "bucket": &q.Bucket} {
		v, _, err := input.Query(c.View, name)
		if err != nil {
			return request.Reply{}, err
		}
		*to = v
	}
	buckets, err := s.OfKey(ctx, c.Tenant, id, q, c.Now)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, map[string]any{"data": buckets}), nil
}
