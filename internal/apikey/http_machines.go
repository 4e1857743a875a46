package apikey

import (
	"context"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

// machineRoutes lists the operations of machine tokens:
//
//	GET, POST     /tenant/machine-tokens              apikeys:read; apikeys:write and machines:write
//	GET, DELETE   /tenant/machine-tokens/:id          apikeys:read, apikeys:write
//	POST          /tenant/machine-tokens/:id/rotate   apikeys:write
//
// A token of the format that engines send (tok_) is made by whoever holds
// machine:ingest too: nobody grants what they do not hold. The id of a key that is
// no machine token is 404 here, so that who means an engine ends no key.
func (s *Service) machineRoutes() []gateway.SurfaceRoute {
	const list, one, rotate = "/tenant/machine-tokens", "/tenant/machine-tokens/:id", "/tenant/machine-tokens/:id/rotate"
	made := route("POST", list, "apikeys:write", "create a machine token", smallBody, s.createToken)
	made.Require.RequiredPermissions = append(made.Require.RequiredPermissions, "machines:write")
	return []gateway.SurfaceRoute{
		route("GET", list, "apikeys:read", "list machine tokens", 0, s.listTokens),
		made,
		route("GET", one, "apikeys:read", "read a machine token", 0, s.readToken),
		route("DELETE", one, "apikeys:write", "revoke a machine token", 0, s.revokeToken),
		route("POST", rotate, "apikeys:write", "rotate a machine token", smallBody, s.rotateToken),
	}
}

func (s *Service) listTokens(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	return s.answerList(ctx, c, input.Optional[bool]{Set: true, Value: true})
}

// tokenOf is the machine token that the path names. What is one stays one: the
// look before a change needs no turn.
func (s *Service) tokenOf(ctx context.Context, c *gateway.Call) (Key, error) {
	id, err := idOf(c)
	if err != nil {
		return Key{}, ErrNoMachine
	}
	k, err := s.Get(ctx, c.Tenant, id)
	if errors.Is(err, ErrNoKey) || err == nil && !k.Machine {
		return Key{}, ErrNoMachine
	}
	return k, err
}

func (s *Service) readToken(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	k, err := s.tokenOf(ctx, c)
	if err != nil {
		return request.Reply{}, err
	}
	return tagged(k), nil
}

// CreatedToken is the answer that tells a new machine token, this once.
type CreatedToken struct {
	ID         string     `json:"id"`
	Token      string     `json:"token"`
	Prefix     string     `json:"prefix"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt"` // null: never
	AllowedIPs []string   `json:"allowedIPs"`
	RateLimit  *Rate      `json:"rateLimit"`
}

func (s *Service) createToken(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d := Draft{}
	if err := input.JSON(c.Body, &d); err != nil {
		return request.Reply{}, err
	}
	d.Machine = true
	m, err := s.Create(ctx, byOf(c), c.Tenant, d)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, CreatedToken{
		ID: m.ID, Token: m.Token.Reveal(), Prefix: m.Prefix, Name: m.Name, CreatedAt: m.CreatedAt,
		ExpiresAt: orNull(m.ExpiresAt), AllowedIPs: networksOf(m.Key), RateLimit: rateOf(m.Limit),
	}), nil
}

// RotatedToken is the answer that tells a machine token's new secret, this once.
type RotatedToken struct {
	ID                string    `json:"id"`
	Token             string    `json:"token"`
	Prefix            string    `json:"prefix"`
	Name              string    `json:"name"`
	PreviousExpiresAt time.Time `json:"previousExpiresAt"`
}

func (s *Service) rotateToken(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	grace, err := graceIn(c.Body)
	if err != nil {
		return request.Reply{}, err
	}
	k, err := s.tokenOf(ctx, c)
	if err != nil {
		return request.Reply{}, err
	}
	m, err := s.Rotate(ctx, byOf(c), c.Tenant, k.ID, grace)
	if err != nil {
		return request.Reply{}, asToken(err)
	}
	return gateway.JSON(200, RotatedToken{ID: m.ID, Token: m.Token.Reveal(), Prefix: m.Prefix, Name: m.Name, PreviousExpiresAt: m.PreviousExpiresAt}), nil
}

func (s *Service) revokeToken(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	k, err := s.tokenOf(ctx, c)
	if err != nil {
		return request.Reply{}, err
	}
	if err := s.Revoke(ctx, byOf(c), c.Tenant, k.ID); err != nil {
		return request.Reply{}, asToken(err)
	}
	return gone(), nil
}

// asToken says of a token that somebody else has just revoked what is said of one
// that was never there.
func asToken(err error) error {
	if errors.Is(err, ErrNoKey) {
		return ErrNoMachine
	}
	return err
}
