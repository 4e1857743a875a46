package gateway

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/trace"
)

// Decide says whether a placed request is let through. It is a pure function of
// the exchange's view and snapshot, the time, and what parked jobs came to: no
// I/O, no locks beyond atomic loads. Whatever is slow comes back as Park, and
// Decide is called again with the outcome among settled. Any error refuses.
func Decide(x *Exchange, now time.Time, settled []park.Settled, rec *trace.Recorder) Verdict {
	r := x.Route
	if r == nil {
		return refuse(fault.New(fault.NotFound, "no_route", ""))
	}
	x.Found, x.Known, x.ended, x.outcomes = identity.Result{Who: principal.Nobody()}, nil, false, settled
	if x.clientCert && !r.otherSites && identity.CrossSite(&x.View, false, x.origins()) {
		return refuse(crossSite(rec))
	}
	switch {
	case !r.Identify && !r.otherSites && x.blind():
		return refuse(crossSite(rec))
	case !r.Identify:
		rec.Pass("identify", "identify: none", "", "credentials are not looked at")
	case x.Site.NoAuth:
		rec.Pass("identify", "auth: none", "", "everybody is anonymous here")
	default:
		if v, stop := x.identify(now, settled, rec); stop {
			return v
		}
		if v, stop := x.stored(now, settled, rec); stop {
			x.Stand = policy.Standing{Who: x.Found.Who} // for the record: it holds nothing
			return v
		}
	}
	x.Stand = x.Site.Book.Stand(x.Found.Who, x.Snap.Tenants, x.Known)
	x.asked = env{x: x, now: now, verifiedOnly: true}
	in := policy.Input{View: &x.View, Standing: &x.Stand, Params: &x.Params, Now: now, Env: &x.asked}
	for _, q := range [...]*policy.Requirement{x.Site.Allow, r.Requirement} {
		if q == nil || r.OpenToAll {
			continue
		}
		if v, stop := x.gather(q, &in, rec); stop {
			return v
		}
		if f := q.Check(in, rec); f != nil {
			return refuse(f)
		}
	}
	if op, own := r.Answer.(*Operation); own {
		if f := x.actFor(op, rec); f != nil {
			return refuse(f)
		}
	}
	return Verdict{Kind: Allow}
}

// identify fills x.Found. stop means the verdict is already known.
func (x *Exchange) identify(now time.Time, settled []park.Settled, rec *trace.Recorder) (v Verdict, stop bool) {
	res := x.Site.Identity.Identify(identity.Ask{View: &x.View, Now: now, Accept: x.Route.Accept, Settled: settled, Trace: rec})
	switch {
	case res.Fault != nil:
		x.Found.Present, x.ended = true, res.Ended
		return refuse(res.Fault), true
	case res.Job != nil:
		return Verdict{Kind: Park, Job: res.Job}, true
	case res.Who == nil:
		return refuse(fault.New(fault.Internal, "no_principal", "")), true
	}
	if res.Unaccepted { // a valid credential that does not count here is like none
		res.Who = principal.Nobody()
	}
	x.Found = res
	if res.Ambient && identity.CrossSite(&x.View, res.FromCookie, x.origins()) {
		return refuse(crossSite(rec)), true
	}
	return Verdict{}, false
}

// blind reports whether an operation that looks at no credential was sent one by
// a browser on behalf of another site: it may act on the cookies all the same.
func (x *Exchange) blind() bool {
	if _, own := x.Route.Answer.(*Operation); !own || x.Site.NoAuth {
		return false
	}
	ambient, fromCookie := x.Site.Identity.Ambient(&x.View)
	return ambient && identity.CrossSite(&x.View, fromCookie, x.origins())
}

// origins are those whose pages may use ambient credentials here.
func (x *Exchange) origins() []string {
	if x.Route.CORS != nil {
		return x.Route.CORS.Listed()
	}
	return x.Site.CORS.Listed()
}

// crossSite refuses a request that a browser may have sent with a credential of
// its own accord. (A client certificate is one: a program that shows it sends
// neither Origin nor Sec-Fetch-Site, and passes.)
func crossSite(rec *trace.Recorder) *fault.Error {
	rec.Fail("identify", "same site", "Sec-Fetch-Site same-origin or none, or an Origin of the site",
		"a credential that the browser adds by itself, on a request that another site may have caused",
		"a call from the site's own pages, or the page's origin in cors.origins")
	return fault.New(fault.Forbidden, "cross_site", "Cross-site request refused")
}
