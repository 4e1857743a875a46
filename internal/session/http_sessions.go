package session

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// View is a session as callers see it.
type View struct {
	ID        string    `json:"id"`
	Site      string    `json:"site"`
	Provider  string    `json:"provider"`
	CreatedAt time.Time `json:"createdAt"`
	SeenAt    time.Time `json:"lastSeenAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Current   bool      `json:"current"`
}

// ViewOf is a session as its owner sees it by the session current.
func ViewOf(s Session, current string) View {
	return View{ID: s.ID, Site: s.Site, Provider: s.Provider, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.EndsAt, Current: s.ID == current}
}

func (h *handlers) list(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	views := []View{}
	if c.Who.Kind == principal.User {
		all, err := h.s.Own(ctx, c.Who)
		if err != nil {
			return request.Reply{}, err
		}
		for _, one := range all {
			views = append(views, ViewOf(one, c.Who.SessionID))
		}
	}
	return gateway.JSON(200, map[string]any{"data": views}), nil
}

func (h *handlers) revoke(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if c.Who.Kind != principal.User {
		return request.Reply{}, ErrNoSession
	}
	if err := h.s.RevokeOwn(ctx, byOf(c), c.Who, param(c, "id")); err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 204, Header: request.Header{{Name: "Cache-Control", Value: "no-store"}}}, nil
}
