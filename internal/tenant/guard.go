package tenant

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Guard makes operations of others heed the tenant that they are about, where it
// is not the caller's own, which the directory has seen to: one that does not exist
// is 404 (X-Tenant-ID), and a site's that is disabled refuses the anonymous too.
func (s *Service) Guard(routes []gateway.SurfaceRoute) []gateway.SurfaceRoute {
	out := make([]gateway.SurfaceRoute, len(routes))
	for i, r := range routes {
		run := r.Op.Run
		r.Op.Run = func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
			if err := s.heed(ctx, c); err != nil {
				return request.Reply{}, err
			}
			return run(ctx, c)
		}
		out[i] = r
	}
	return out
}

func (s *Service) heed(ctx context.Context, c *gateway.Call) error {
	if c.Tenant == "" || c.Tenant == c.Standing.Tenant {
		return nil
	}
	return s.d.DB.Read(ctx, func(tx *store.Tx) error {
		t, err := Get(tx, c.Tenant)
		if err == nil && t.Disabled && !c.Who.Authenticated() {
			return ErrTenantDisabled
		}
		return err
	})
}
