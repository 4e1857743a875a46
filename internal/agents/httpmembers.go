package agents

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

func (u surface) members(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	l, err := listing(c.View, memberOrders, "createdAt")
	if u.open(c) { // it has no members: everybody is its admin
		if err != nil {
			return request.Reply{}, err
		}
		return many(nil, MemberViewOf, l, 0), nil
	}
	id := param(c, "id")
	if err != nil {
		return request.Reply{}, u.unless(ctx, c, Admin, err)
	}
	list, total, err := u.s.Members(ctx, byOf(c), c.Tenant, u.collection, id, l)
	if err != nil {
		return request.Reply{}, err
	}
	return many(list, MemberViewOf, l, total), nil
}

// unless is what a caller is told of a request that is wrong: that they may not,
// where they have less than a role.
func (u surface) unless(ctx context.Context, c *gateway.Call, least string, wrong error) error {
	if u.open(c) {
		return ErrDenied
	}
	a, err := u.s.Get(ctx, byOf(c), c.Tenant, u.collection, param(c, "id"))
	if err == nil && rank(a.Role) < rank(least) {
		err = ErrDenied
	}
	if err != nil {
		return err
	}
	return wrong
}

// memberBody is what POST and PATCH take.
type memberBody struct {
	Email        string `json:"email"`
	ServiceToken string `json:"serviceToken"`
	Role         string `json:"role"`
}

func (u surface) addMember(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var b memberBody
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, u.unless(ctx, c, Owner, err)
	}
	if u.open(c) {
		return request.Reply{}, ErrDenied
	}
	m, err := u.s.AddMember(ctx, byOf(c), c.Tenant, u.collection, param(c, "id"), Member{Email: b.Email, ServiceToken: b.ServiceToken, Role: b.Role})
	if err != nil {
		return request.Reply{}, err
	}
	return one(201, MemberViewOf(m)), nil
}

func (u surface) readMember(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if u.open(c) { // it has no members
		return request.Reply{}, ErrNoMember
	}
	m, err := u.s.Member(ctx, byOf(c), c.Tenant, u.collection, param(c, "id"), param(c, "adminId"))
	if err != nil {
		return request.Reply{}, err
	}
	v := MemberViewOf(m)
	return input.WithTag(one(200, v), v.tag()), nil
}

func (u surface) changeMember(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var b memberBody
	if err := input.JSON(c.Body, &b); err != nil {
		return request.Reply{}, u.unless(ctx, c, Owner, err)
	}
	if u.open(c) {
		return request.Reply{}, ErrDenied
	}
	m, err := u.s.ChangeMember(ctx, byOf(c), c.Tenant, u.collection, param(c, "id"), param(c, "adminId"), b.Role)
	if err != nil {
		return request.Reply{}, err
	}
	return one(200, MemberViewOf(m)), nil
}

func (u surface) removeMember(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if u.open(c) {
		return request.Reply{}, ErrDenied
	}
	if err := u.s.RemoveMember(ctx, byOf(c), c.Tenant, u.collection, param(c, "id"), param(c, "adminId")); err != nil {
		return request.Reply{}, err
	}
	return gone(), nil
}
