package gateway

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/trace"
)

// stored fills x.Known with what is stored about the caller, at every decision
// anew: its tenant, its roles, what its key may do, and whether it is refused
// whatever it asks. stop means the verdict is already known.
func (x *Exchange) stored(now time.Time, settled []park.Settled, rec *trace.Recorder) (v Verdict, stop bool) {
	who, dir := x.Found.Who, x.Snap.Directory
	session := who.ProviderKind == identity.KindSession
	switch {
	case !who.Authenticated():
		return Verdict{}, false
	case dir == nil && session: // nobody could say whether it has been revoked
		return refuse(fault.New(fault.Internal, "no_directory", "")), true
	case dir == nil:
		return Verdict{}, false
	}
	if x.Snap.Tenants.Impossible(who) {
		rec.Fail("directory", "tenant", "a tenant that exists", "a tenant claim that is no possible name", "a token whose tenant claim names a tenant")
		return refuse(fault.New(fault.Forbidden, "unknown_tenant", "")), true
	}
	claim, standard, _ := x.Snap.Tenants.Word(who)
	known, job, f := dir.Find(policy.DirectoryAsk{Who: who, Claim: claim, Default: standard, Now: now, Settled: settled, Trace: rec})
	switch {
	case f != nil:
		rec.Fail("directory", "caller", "what is stored about the caller", f.Code, "a store that can be asked")
		return refuse(f), true
	case job != nil && x.before != nil: // it changed meanwhile: what is explained was decided before
		known = x.before
	case job != nil:
		return Verdict{Kind: Park, Job: job}, true
	case known == nil, session && known.Session == nil && known.Refuse == nil:
		return refuse(fault.New(fault.Internal, "no_directory_entry", "")), true
	}
	x.Known = known
	if f := x.barred(known, now, rec); f != nil {
		x.ended = session && f.Kind == fault.Unauthenticated
		return refuse(f), true
	}
	if rec.On() {
		tenant := known.Tenant
		if tenant == "" {
			tenant = "none"
		}
		rec.Pass("directory", "caller", "", "tenant "+tenant)
	}
	return Verdict{}, false
}

// barred refuses a caller whatever it asks.
func (x *Exchange) barred(known *policy.Known, now time.Time, rec *trace.Recorder) *fault.Error {
	if f := known.Refuse; f != nil {
		rec.Fail("directory", "caller", "a caller who may call", f.Code, known.Why)
		return f
	}
	if end := known.Expires; !end.IsZero() && !now.Before(end) {
		if rec.On() {
			rec.Fail("directory", "key", "later than "+now.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339), "a key that has not expired")
		}
		return fault.New(fault.Unauthenticated, "key_expired", "")
	}
	if end := known.Session.Ends(); !end.IsZero() && !now.Before(end) {
		if rec.On() {
			rec.Fail("directory", "session", "later than "+now.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339), "a session that has not ended: signing in again")
		}
		return fault.New(fault.Unauthenticated, identity.CodeSessionEnded, "")
	}
	if key := known.Key; !key.Admits(x.View.Client, x.View.ClientUnsure) {
		if rec.On() {
			rec.Fail("directory", "allowedIPs", "an address of the key's allowedIPs", addressOf(x), "a call from one of them, or another key")
		}
		return fault.New(fault.Forbidden, "address_not_allowed", "")
	}
	return nil
}

func addressOf(x *Exchange) string {
	if x.View.ClientUnsure || !x.View.Client.IsValid() {
		return "one that is not known for sure"
	}
	return x.View.Client.String()
}

// Expires is when the caller's credential ends, leeway included; zero: never, or
// nobody's.
func (x *Exchange) Expires() time.Time {
	var end time.Time
	if p := x.Provider(); p != nil && !x.Found.Who.Expires.IsZero() {
		end = x.Found.Who.Expires.Add(p.Leeway())
	}
	if x.Known == nil {
		return end
	}
	for _, stored := range [...]time.Time{x.Known.Expires, x.Known.Session.Ends()} {
		if !stored.IsZero() && (end.IsZero() || stored.Before(end)) {
			end = stored
		}
	}
	return end
}
