package gateway

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// gather finds out what a requirement asks about a caller beyond its standing: a
// second factor, a role on a row. Nothing is looked up for whom it would be no
// use to. stop means the verdict is already known.
func (x *Exchange) gather(q *policy.Requirement, in *policy.Input, rec *trace.Recorder) (v Verdict, stop bool) {
	who := x.Stand.Who
	if !who.Authenticated() {
		return Verdict{}, false
	}
	if collection, id, asked := q.Resource(*in); asked && id != "" && x.Stand.Tenant != "" && x.Snap.Resources != nil {
		role, job, f := x.Snap.Resources.Find(x.directoryAsk(in.Now, rec), x.Stand.Tenant, collection, id)
		if v, stop := unsettled("roles on rows", job, f, rec); stop {
			return v, true
		}
		in.ResourceRole = role
	}
	if q.NeedsStepUp() && policy.Person(who) {
		if x.Route.factorLate && q == x.Route.Requirement {
			in.StepUpLater = true
			return Verdict{}, false
		}
		return x.stepUp(in, rec)
	}
	return Verdict{}, false
}

// stepUp finds out which second factor the caller showed.
func (x *Exchange) stepUp(in *policy.Input, rec *trace.Recorder) (v Verdict, stop bool) {
	token, f := stepUpToken(x.View.Header, x.Stand.Who)
	if f != nil {
		rec.Fail("decide", "requireMfa", "one step-up token", "several", "one "+identity.HeaderMFA+" header, or one cookie")
		return refuse(f), true
	}
	if token == "" || len(token) > maxStepUp || x.Snap.StepUps == nil {
		return Verdict{}, false
	}
	ask := x.directoryAsk(in.Now, rec)
	ask.Claim, ask.Default = x.Stand.Tenant, "" // which is settled by now, also where a users row decided
	found, job, f := x.Snap.StepUps.Find(ask, token, x.Site.Name)
	if v, stop := unsettled("second factors", job, f, rec); stop {
		return v, true
	}
	in.StepUp = found
	return Verdict{}, false
}

// maxStepUp bounds what is looked up as a step-up token.
const maxStepUp = 256

// stepUpToken is the token of the header, else, for a session, of the cookie: a
// cookie that any other credential could use would be one that a browser adds to
// it by itself.
func stepUpToken(h request.Header, who *principal.Principal) (string, *fault.Error) {
	switch n := h.Count(identity.HeaderMFA); {
	case n > 1:
		return "", fault.New(fault.BadRequest, identity.CodeDuplicate, "More than one "+identity.HeaderMFA+" header")
	case n == 1:
		return h.Get(identity.HeaderMFA), nil
	case who.ProviderKind != identity.KindSession:
		return "", nil
	}
	switch list := h.Cookies(identity.CookieMFA); len(list) {
	case 0:
		return "", nil
	case 1:
		return list[0], nil
	}
	return "", fault.New(fault.BadRequest, identity.CodeDuplicate, "More than one "+identity.CookieMFA+" cookie")
}

// unsettled is the verdict of a look-up that came to nothing yet, or to a fault.
func unsettled(what string, job *park.Job, f *fault.Error, rec *trace.Recorder) (v Verdict, stop bool) {
	switch {
	case f != nil:
		rec.Fail("directory", what, "what is stored about the caller", f.Code, "a store that can be asked")
		return refuse(f), true
	case job != nil:
		return Verdict{Kind: Park, Job: job}, true
	}
	return Verdict{}, false
}

// directoryAsk is the question about the caller.
func (x *Exchange) directoryAsk(now time.Time, rec *trace.Recorder) policy.DirectoryAsk {
	claim, standard, _ := x.Snap.Tenants.Word(x.Found.Who)
	return policy.DirectoryAsk{Who: x.Found.Who, Claim: claim, Default: standard, Now: now, Settled: x.outcomes, Trace: rec}
}
