package gateway

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/trace"
)

// Gate runs the steps in their order for an engine that may wait: place, limits
// by address, identify and decide (parking as often as needed), limits by
// principal, the secrets that the route's upstream is shown. It outlives reloads; the snapshot comes with each request.
type Gate struct {
	Limits *limit.Table
	Lot    *park.Lot
	Now    func() time.Time
}

// maxParks bounds how often one request may park for a decision: a verification
// and a key fetch for each credential, what is stored about the caller, its second
// factor and its role on a row.
const maxParks = 12

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
	v := g.judge(ctx, x, Decide)
	if v.Kind != Allow {
		return v
	}
	if over := x.callerLimits(g.Limits, g.Now()); over != nil {
		return refuse(over)
	}
	return g.judge(ctx, x, provide)
}

// judge decides as often as jobs have to be waited for.
func (g *Gate) judge(ctx context.Context, x *Exchange, by func(*Exchange, time.Time, []park.Settled, *trace.Recorder) Verdict) Verdict {
	for range maxParks {
		v := by(x, g.Now(), x.settled, nil)
		if v.Kind != Park {
			return v
		}
		settled, over := g.run(ctx, x, v.Job)
		if over != nil {
			return refuse(over)
		}
		x.settled = append(x.settled, settled)
	}
	return refuse(fault.New(fault.Unavailable, "undecided", ""))
}

// Explain decides an exchange once more with a recorder: the same pure
// functions over the same inputs, what its jobs came to included. Nothing is
// counted and nothing slow is done again.
func (x *Exchange) Explain(a Arrival, now time.Time) []trace.Step {
	rec, again := &trace.Recorder{}, &Exchange{settled: x.settled, before: x.Known}
	reply, f := x.Snap.Place(again, a, rec)
	switch {
	case x.Limits.Refused && !x.Limits.Caller:
		x.Limits.record(rec)
	case f != nil || reply != nil:
	default:
		v := Decide(again, now, x.settled, rec)
		switch {
		case x.Limits.Refused:
			x.Limits.record(rec)
		case v.Kind == Allow:
			provide(again, now, x.settled, rec)
		}
	}
	return again.shown(rec.Steps)
}

// Again decides once more about a request that runs: whether it would be let
// through now, to an upstream. The exchange tells by whose credential, and until
// when that counts. No limit counts it, and what it was sent with stands.
func (g *Gate) Again(ctx context.Context, s *Snapshot, a Arrival) (Verdict, *Exchange) {
	x := &Exchange{}
	reply, f := s.Place(x, a, nil)
	switch {
	case f != nil:
		return refuse(f), x
	case reply != nil:
		return refuse(fault.New(fault.NotFound, "no_route", "")), x
	}
	v := g.judge(ctx, x, Decide)
	if v.Kind == Allow {
		if _, forwards := x.Route.Answer.(*Forwarding); !forwards {
			return refuse(fault.New(fault.NotFound, "no_route", "")), x
		}
	}
	return v, x
}
