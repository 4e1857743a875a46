package gateway

import (
	"slices"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// limits are the rate limits of a site or route: those by address are counted
// before anybody is identified, the others after.
type limits struct {
	address []boundLimit
	caller  []boundLimit
}

type boundLimit struct {
	id    uint64
	rule  limit.Rule
	by    string // ip | principal | tenant | key
	where string // for people: rateLimit.default, rateLimit of routes[3]
}

// add adds a limit. name tells it from every other one of the configuration and
// stays when routes are added before it, so that a reload keeps its counters;
// where is for people.
func (l *limits) add(name, where string, c limit.RuleConfig) {
	b := boundLimit{rule: c.Rule(), by: c.By, where: where}
	if b.by == "" {
		b.by = "ip"
	}
	b.id = limit.RuleID(name, b.by, strconv.FormatInt(int64(b.rule.Window), 10), strconv.Itoa(b.rule.Max))
	if b.by == "ip" {
		l.address = append(l.address, b)
		return
	}
	l.caller = append(l.caller, b)
}

// LimitFacts is one limit for people.
type LimitFacts struct {
	Rule limit.Rule
	By   string // ip | principal | tenant | key
}

// Limits lists the limits that every request to the site counts against.
func (s *Site) Limits() []LimitFacts { return s.limits.facts() }

// Limits lists the limits that requests for the route count against besides.
func (r *Route) Limits() []LimitFacts { return r.limits.facts() }

func (l *limits) facts() (out []LimitFacts) {
	for _, b := range slices.Concat(l.address, l.caller) {
		out = append(out, LimitFacts{Rule: b.rule, By: b.by})
	}
	return out
}

// LimitReport is what the limits said of a request.
type LimitReport struct {
	Result  limit.Result
	Counted bool
	Refused bool
	Caller  bool // the refusal came from a limit by principal, tenant or key
	where   string
}

func (l *LimitReport) record(rec *trace.Recorder) {
	rec.Fail("limit", l.where, strconv.Itoa(l.Result.Limit)+" in its window", "more",
		"the same request again in "+strconv.FormatInt(l.Result.RetrySeconds(), 10)+" s, or a higher max")
}

// addressLimits counts the limits by address.
func (x *Exchange) addressLimits(t *limit.Table, now time.Time) *fault.Error {
	var buf [8]limit.Claim
	claims := buf[:0]
	for _, l := range x.limitLists() {
		for _, b := range l.address {
			claims = limit.AppendAddress(claims, b.id, x.View.Client, b.rule)
		}
	}
	return x.take(t, claims, false, now)
}

// callerLimits counts the limits by principal, tenant and key. Who is anonymous
// counts by address there, so that leaving the credential out gains nothing.
func (x *Exchange) callerLimits(t *limit.Table, now time.Time) *fault.Error {
	var buf [8]limit.Claim
	claims := buf[:0]
	for _, l := range x.limitLists() {
		for _, b := range l.caller {
			if parts := x.subject(b.by); parts != nil {
				claims = append(claims, limit.Claim{Key: limit.TextKey(b.id, parts...), Rule: b.rule})
			} else {
				claims = limit.AppendAddress(claims, b.id, x.View.Client, b.rule)
			}
		}
	}
	if x.within == nil { // the page has counted
		claims = x.tenantLimit(x.keyLimit(claims))
	}
	return x.take(t, claims, true, now)
}

// limitLists are the limits that the request counts against: the site's, which a
// page's question does not as the page has, and the route's.
func (x *Exchange) limitLists() [2]*limits {
	out := [2]*limits{&x.Site.limits, &none}
	if x.within != nil {
		out[0] = &none
	}
	if x.Route != nil {
		out[1] = &x.Route.limits
	}
	return out
}

var none limits

// subject is whom a limit counts; nil for a caller who is none such.
func (x *Exchange) subject(by string) []string {
	p := x.Stand.Who
	if !p.Authenticated() {
		return nil
	}
	if by == "tenant" {
		if x.Stand.Tenant == "" {
			return nil
		}
		return []string{x.Stand.Tenant}
	}
	return []string{p.Provider, p.Authority(), p.ID()} // a key counts by itself, which is who it is
}

func (x *Exchange) take(t *limit.Table, claims []limit.Claim, caller bool, now time.Time) *fault.Error {
	if len(claims) == 0 {
		return nil
	}
	res := t.TakeAll(claims, now)
	if !x.Limits.Counted {
		x.Limits.Result = res
	} else {
		x.Limits.Result = limit.Tighter(x.Limits.Result, res)
	}
	x.Limits.Counted = true
	if res.Allowed {
		return nil
	}
	x.Limits.Result, x.Limits.Refused, x.Limits.Caller, x.Limits.where = res, true, caller, x.limitNamed(claims[res.Claim].Key.Rule)
	return limited(res)
}

// limitNamed is what people call the limit of that identity.
func (x *Exchange) limitNamed(id uint64) string {
	for _, l := range x.limitLists() {
		for _, b := range slices.Concat(l.address, l.caller) {
			if b.id == id || b.id == id^1<<63 { // a /48 counts under the second
				return b.where
			}
		}
	}
	if x.isTenantLimit(id) {
		return tenantLimitWhere
	}
	return keyLimitWhere // no other has an id that is in no list
}

// AnswerHeaders are the fields that go with whatever answer the request gets:
// the tightest limit, CORS, what the site's owner adds, and what becomes of the
// session's cookie.
func (x *Exchange) AnswerHeaders() request.Header {
	h := x.cors().Headers(&x.View)
	if o := x.owner(); o != nil && o.Headers != nil {
		h = append(h, o.Headers(&x.View)...)
	}
	if x.Limits.Counted {
		r := x.Limits.Result
		h = append(h,
			request.Field{Name: "X-RateLimit-Limit", Value: strconv.Itoa(r.Limit)},
			request.Field{Name: "X-RateLimit-Remaining", Value: strconv.Itoa(r.Remaining)},
			request.Field{Name: "X-RateLimit-Reset", Value: strconv.FormatInt(r.ResetUnix(), 10)})
	}
	return x.cookies(h)
}
