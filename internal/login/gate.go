package login

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// reader makes an attempt of a request.
type reader func(ctx context.Context, c *gateway.Call) (*attempt, error)

// step is one question of the gate: an error refuses.
type step func(ctx context.Context, a *attempt) error

// pass is the gate: the one way from what somebody shows to an answer. It is written
// to be read as the order in which things happen.
func (u *Surface) pass(ctx context.Context, c *gateway.Call, read reader) (reply request.Reply, err error) {
	a, err := read(ctx, c) // the body
	if err != nil {
		return request.Reply{}, err
	}
	u.meet(a, c)
	defer func() { u.note(a, a.outcome(err)) }()
	defer u.forget(ctx, a)
	for _, ask := range []step{
		u.lockedOut, // too many failures
		u.filter,    // the risk of letting them try
		u.standing,  // blocked people, paused ones
		u.ask,       // the provider
	} {
		if err := ask(ctx, a); err != nil {
			return request.Reply{}, err
		}
	}
	if !a.answer.granted() {
		return u.turnedAway(ctx, a)
	}
	for _, ask := range []step{
		u.scripts,  // the operator's, where the provider runs none
		u.named,    // the standing of whom the provider let in, where it was not known before
		u.score,    // the risk of having let them in
		u.admitted, // counted
	} {
		if err := ask(ctx, a); err != nil {
			return u.withhold(ctx, a, err)
		}
	}
	return u.reply(ctx, a)
}
