package gateway

import (
	"context"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
)

// guesses is how many jobs that try keys may fail for one client address (IPv6:
// /64, and /48 at 16 times as many): checked before the next such job is run, so
// that whoever tries names costs the store nothing further.
//
// A kind of job that has a bound of its own is counted apart: what misses there
// takes nothing away from here.
var guesses = limit.Rule{Window: time.Minute, Max: 30}

const guessesWhere = "credentials that fail, by address"

// run runs a job that the decision waits for, unless the address has guessed too
// often. A refusal is the request's verdict.
func (g *Gate) run(ctx context.Context, x *Exchange, j *park.Job) (park.Settled, *fault.Error) {
	if !j.Guess {
		return g.Lot.Do(ctx, x.View.Client, j), nil
	}
	var buf [2]limit.Claim
	id, rule, where := guessesID(), guesses, guessesWhere
	if j.Misses > 0 {
		where = guessesWhere + ": " + j.Kind
		id, rule.Max = limit.RuleID(where), j.Misses
	}
	claims := limit.AppendAddress(buf[:0], id, x.View.Client, rule)
	if res := g.Limits.Look(claims, g.Now()); !res.Allowed {
		x.Limits = LimitReport{Result: res, Counted: true, Refused: true, Caller: true, where: where}
		return park.Settled{}, limited(res)
	}
	settled := g.Lot.Do(ctx, x.View.Client, j)
	if settled.Err != nil && fault.From(settled.Err).Kind == fault.Unauthenticated {
		g.Limits.TakeAll(claims, g.Now())
	}
	return settled, nil
}

func guessesID() uint64 { return limit.RuleID(guessesWhere) }

func limited(res limit.Result) *fault.Error {
	f := fault.New(fault.TooManyRequests, "rate_limited", "")
	f.RetryAfter = res.RetryAfter
	return f
}

// keyLimit is the limit of the caller's own key, which counts besides all others.
func (x *Exchange) keyLimit(claims []limit.Claim) []limit.Claim {
	key := x.Stand.Key
	if key == nil || key.Limit == nil {
		return claims
	}
	rule := key.Limit.Rule()
	return append(claims, limit.Claim{Key: limit.TextKey(keyLimitID(rule), x.Stand.Tenant, key.ID), Rule: rule})
}

const keyLimitWhere = "rateLimit of the key"

func keyLimitID(r limit.Rule) uint64 {
	return limit.RuleID(keyLimitWhere, strconv.FormatInt(int64(r.Window), 10), strconv.Itoa(r.Max))
}
