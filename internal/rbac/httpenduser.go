package rbac

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *Service) readEndUsers(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	out, err := s.EndUsers(ctx, c.Tenant)
	return answer(200, out, err)
}

func (s *Service) replaceEndUsers(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d, err := wholeDraft(c.Body)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.SetEndUsers(ctx, caller(c), c.Tenant, d)
	return answer(200, out, err)
}

// wholeDraft reads each role as strictly as one alone is read.
func wholeDraft(body []byte) (EndUsersDraft, error) {
	var b struct {
		Enabled     *bool             `json:"enabled"`
		DefaultRole *string           `json:"defaultRole"`
		Roles       []json.RawMessage `json:"roles"`
	}
	if err := input.JSON(body, &b); err != nil {
		return EndUsersDraft{}, err
	}
	d := EndUsersDraft{Enabled: b.Enabled, DefaultRole: b.DefaultRole}
	var f input.Fields
	for i, raw := range b.Roles {
		if i > maxRoles { // one more is enough to be refused
			break
		}
		at := "roles[" + strconv.Itoa(i) + "]"
		var one Draft
		if err := input.JSON(raw, &one); err != nil {
			wrong := fault.From(err)
			if len(wrong.Details) == 0 {
				f.Add(at, "must be an object")
			}
			for _, detail := range wrong.Details {
				f.Add(at+"."+detail.Field, detail.Issue)
			}
		}
		d.Roles = append(d.Roles, one)
	}
	return d, f.Err()
}

func (s *Service) clearEndUserRoles(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return gone(s.ClearEndUsers(ctx, caller(c), c.Tenant))
}

func (s *Service) listEndUserRoles(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	p, err := input.PageOf(c.View, standardPage, largestPage)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.EndUsers(ctx, c.Tenant)
	total := len(out.Roles)
	return pageOf(p, out.Roles[min(p.Offset, total):min(p.Offset+p.Limit, total)], total, err)
}

func (s *Service) createEndUserRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d, err := draft(c)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.AddEndUserRole(ctx, caller(c), c.Tenant, d)
	return answer(201, out, err)
}

func (s *Service) readEndUserRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	out, err := s.EndUserRole(ctx, c.Tenant, name(c))
	return answer(200, out, err)
}

func (s *Service) changeEndUserRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d, err := draft(c)
	if err != nil {
		return request.Reply{}, err
	}
	out, err := s.ChangeEndUserRole(ctx, caller(c), c.Tenant, name(c), d)
	return answer(200, out, err)
}

func (s *Service) deleteEndUserRole(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return gone(s.DeleteEndUserRole(ctx, caller(c), c.Tenant, name(c)))
}
