package identity

import (
	"crypto/sha256"
	"strings"
	"time"
	"unsafe"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// Ask is the question who sent a request.
type Ask struct {
	View    *request.View
	Now     time.Time
	Accept  *Accept         // whose credentials count; nil: Site.Any
	Settled []park.Settled  // what became of the jobs that earlier answers asked for
	Trace   *trace.Recorder // nil: nothing is recorded
}

// Result is the answer. Exactly one of these holds: Job is set (run it, put
// what it came to into Settled, ask again); Fault is set (refuse); neither (Who
// is who sent it).
type Result struct {
	// Who is never nil, and anonymous unless a credential was verified and counts.
	Who *principal.Principal
	// Provider is Who's, nil for the anonymous.
	Provider *Provider
	// Present reports whether some credential was there, good or bad.
	Present bool
	// Unaccepted reports that credentials were there and are good, but none of a
	// provider that counts here: 401 where something is required, else anonymous.
	Unaccepted bool
	// Ambient reports that a browser may have sent the credential by itself, one
	// that does not count here included: ask CrossSite.
	Ambient bool
	// FromCookie reports that Who's credential was a cookie.
	FromCookie bool
	// Ended reports, with Fault, that it is the session cookie that is bad, and
	// nothing else: signing in again would help.
	Ended bool

	Fault *fault.Error
	Job   *park.Job
}

// outcome is what became of one credential: member and who, or one of the
// others.
type outcome struct {
	member *member
	who    *principal.Principal
	fault  *fault.Error
	job    *park.Job
}

// Identify finds out who sent a request. It is pure: no I/O, no locks. A
// remembered token or key costs no allocation. Signatures are not verified here,
// nor keys looked up, but by the Job of the Result, and only once everything
// cheaper holds.
//
// Every credential that is present must be good, whether it decides or not.
// Faults: 400 duplicate_credential, 401 with one of the codes above, 403
// tenant_conflict, 503 issuer_unavailable, and whatever the store of keys says.
func (s *Site) Identify(a Ask) Result {
	r := Result{Who: principal.Nobody()}
	found, f := present(a.View.Header, s.reads, s.keyHeader)
	if f != nil {
		a.Trace.Fail("identify", "credentials", "one of a kind", f.Message, "one of a kind")
		r.Present, r.Fault = true, f
		return r
	}
	if found.n == 0 {
		a.Trace.Pass("identify", "credential", "", "none")
		return r
	}
	r.Present = true
	var outs [sources]outcome
	for i := range found.n {
		outs[i] = s.one(&a, found.list[i])
	}
	for i := range found.n { // faults first: what is refused anyway costs no signature
		if outs[i].fault != nil {
			r.Fault = outs[i].fault
			r.Ended = found.list[i].source == sessionCookie && r.Fault.Kind == fault.Unauthenticated
			return r
		}
	}
	for i := range found.n {
		if outs[i].job != nil {
			r.Job = outs[i].job
			return r
		}
	}
	if r.Fault = tenantConflict(outs[:found.n]); r.Fault != nil {
		a.Trace.Fail("identify", "tenant", "one tenant", "two credentials that name different tenants", "one credential")
		return r
	}
	s.decide(&a, &r, &found, &outs)
	return r
}

// decide lets the first credential count whose provider does.
func (s *Site) decide(a *Ask, r *Result, found *credentials, outs *[sources]outcome) {
	accept := a.Accept
	if accept == nil {
		accept = s.any
	}
	for i := range found.n {
		if m := outs[i].member; accept.holds(m.Provider, outs[i].who) {
			r.Who, r.Provider = outs[i].who, m.Provider
			r.FromCookie = found.list[i].cookie
			r.Ambient = found.list[i].ambient()
			return
		}
	}
	r.Unaccepted = true
	for i := range found.n { // it may count for the upstream (passCredential)
		if c := found.list[i]; c.ambient() {
			r.Ambient, r.FromCookie = true, r.FromCookie || c.cookie
		}
	}
	if a.Trace.On() {
		wanted := strings.Join(accept.Names(), " or ")
		if wanted == "" {
			wanted = "none that is on"
		}
		a.Trace.Fail("identify", "authProvider", wanted, outs[0].called(), "a credential of "+wanted)
	}
}

// called is what a credential is called in a trace.
func (o *outcome) called() string {
	if o.member.Kind == KindSession {
		return "a session signed in by " + clip(o.who.Provider)
	}
	return o.member.Name
}

// tenantConflict refuses credentials whose trusted tenant claims differ.
func tenantConflict(outs []outcome) *fault.Error {
	tenant := ""
	for _, o := range outs {
		if !o.who.TrustTenant || o.who.Tenant == "" {
			continue
		}
		if tenant != "" && tenant != o.who.Tenant {
			return fault.New(fault.Forbidden, CodeTenantConflict, "")
		}
		tenant = o.who.Tenant
	}
	return nil
}

// one finds out what a credential is: remembered, or to be examined.
func (s *Site) one(a *Ask, c credential) outcome {
	if c.source == sessionCookie {
		return s.session(a, c)
	}
	if c.source == keyHeader || c.source == bearer && keyLike(c.token) {
		return s.key(a, c)
	}
	digest := digestOf(c.token)
	if m, who := s.remembered(c.source, &digest, a.Now); m != nil {
		if r := checkAudience(who.Audience, m.audience); r != nil {
			return s.refused(a, c, m, r)
		}
		if a.Trace.On() {
			a.Trace.Pass("identify", c.where(), "", m.Name+" (remembered)")
		}
		return outcome{member: m, who: who}
	}
	return s.examine(a, c, digest)
}

// digestOf hashes a token in place: a conversion to bytes would copy it. The
// hash only reads.
func digestOf(token string) [32]byte {
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(token), len(token)))
}

// remembered looks a token up, under each provider that reads there. What it
// finds counts only if this site would have given the token to that provider,
// and while the provider still has the key.
func (s *Site) remembered(from source, digest *[32]byte, now time.Time) (*member, *principal.Principal) {
	if s.memory == nil {
		return nil, nil
	}
	for _, m := range s.members {
		if m.source != from || m.Off != "" || m.verifier != nil || m.sessions != nil {
			continue
		}
		e := s.memory.get(digest, &m.digest, now)
		if e == nil || !m.holds(e.who.Issuer, e.key) {
			continue
		}
		if chosen, _ := s.choose(from, e.who.Issuer, e.who.Audience); chosen == m {
			return m, e.who
		}
	}
	return nil, nil
}

// refused turns a refusal into a fault and records it.
func (s *Site) refused(a *Ask, c credential, m *member, r *refusal) outcome {
	if a.Trace.On() {
		check := r.check
		if m != nil {
			check = m.Name + ": " + check
		}
		a.Trace.Fail("identify", check, r.wanted, clip(r.found), r.enough)
	}
	return outcome{fault: r.fault()}
}

// clip keeps what a stranger wrote short and on one line.
func clip(s string) string {
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
