package gateway

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/trace"
)

// Gate runs the steps in their order for an engine that may wait: place, limits
// by address, identify and decide (parking as often as needed), limits by
// principal. It outlives reloads; the snapshot comes with each request.
type Gate struct {
	Limits *limit.Table
	Lot    *park.Lot
	Now    func() time.Time
}

// maxParks bounds how often one request may park: a verification, and a key
// fetch on its way.
const maxParks = 8

// Ask decides a request. The exchange is filled as far as the steps got.
func (g *Gate) Ask(ctx context.Context, s *Snapshot, x *Exchange, a Arrival) Verdict {
	now := g.Now()
	reply, f := s.Place(x, a, nil)
	if x.Site != nil { // whatever was asked, it was asked of this site
		if over := x.addressLimits(g.Limits, now); over != nil {
			return refuse(over)
		}
	}
	if f != nil {
		return refuse(f)
	}
	if reply != nil {
		return Verdict{Kind: Allow, Reply: reply}
	}
	v := g.judge(ctx, x)
	if v.Kind == Allow {
		if over := x.callerLimits(g.Limits, g.Now()); over != nil {
			return refuse(over)
		}
	}
	return v
}

// judge decides as often as jobs have to be waited for.
func (g *Gate) judge(ctx context.Context, x *Exchange) Verdict {
	for range maxParks {
		v := Decide(x, g.Now(), x.settled, nil)
		if v.Kind != Park {
			return v
		}
		x.settled = append(x.settled, g.Lot.Do(ctx, x.View.Client, v.Job))
	}
	return refuse(fault.New(fault.Unavailable, "undecided", ""))
}

// Explain decides an exchange once more with a recorder: the same pure
// functions over the same inputs, what its jobs came to included. Nothing is
// counted and nothing slow is done again.
func (x *Exchange) Explain(a Arrival, now time.Time) []trace.Step {
	rec, again := &trace.Recorder{}, &Exchange{settled: x.settled}
	reply, f := x.Snap.Place(again, a, rec)
	switch {
	case x.Limits.Refused && !x.Limits.Caller:
		x.Limits.record(rec)
	case f != nil || reply != nil:
	default:
		Decide(again, now, x.settled, rec)
		if x.Limits.Refused {
			x.Limits.record(rec)
		}
	}
	return rec.Steps
}

// Again decides once more about a request that runs: whether it would be let
// through now, to an upstream, and by whose credential (nil: nobody's). No limit
// counts it.
func (g *Gate) Again(ctx context.Context, s *Snapshot, a Arrival) (Verdict, *identity.Provider) {
	x := &Exchange{}
	reply, f := s.Place(x, a, nil)
	switch {
	case f != nil:
		return refuse(f), nil
	case reply != nil:
		return refuse(fault.New(fault.NotFound, "no_route", "")), nil
	}
	v := g.judge(ctx, x)
	if v.Kind == Allow {
		if _, forwards := x.Route.Answer.(*Forwarding); !forwards {
			return refuse(fault.New(fault.NotFound, "no_route", "")), nil
		}
	}
	return v, x.Provider()
}
