package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
	"github.com/portreeve/portreeve/internal/trace"
)

// Params are a route's path parameters, decoded.
type Params interface {
	Get(name string) (string, bool)
	Each(f func(name, value string))
}

// Input is everything a decision depends on. Nothing in it is written to.
type Input struct {
	View     *request.View
	Standing *Standing
	Params   Params // nil: none
	Now      time.Time
	Env      template.Env // for the tenant and resource templates
	// StepUp is the second factor that the caller showed last; nil: none. Ask
	// NeedsStepUp whether it matters.
	StepUp *StepUp
	// StepUpLater says that whoever runs the request looks for it, in its body.
	StepUpLater bool
	// ResourceRole is the caller's role on the row that Resource names; "": none.
	ResourceRole string
}

// address is the client's as far as it is known: a proxy's own, where what the
// proxy said could not be used, would let a client choose by a broken header
// whose rules it falls under.
func (in Input) address() netip.Addr {
	if in.View.ClientUnsure {
		return netip.Addr{}
	}
	return in.View.Client
}

// Requirement is what a route, or a site, asks of its callers: compiled,
// immutable, safe for concurrent use. A nil *Requirement asks for nothing.
type Requirement struct {
	any       bool
	broken    bool // had a load error: refuses everybody
	providers []string
	checks    []check
	resource  *resourceCheck // nil: no role on a row is asked
	mfa       *mfaCheck      // nil: no second factor is asked
}

// check is one thing that is asked of an authenticated caller. It returns nil
// when it is met. It gets Input by value so that nothing is allocated.
type check interface {
	check(in Input, rec *trace.Recorder) *fault.Error
	describe() string // in plain words, for the check table
}

// Deps is what a requirement is compiled against.
type Deps struct {
	Book *Book
	// Params are the names of the path parameters; nil means there are none to
	// speak of (a site's own allow and deny).
	Params []string
	// Surface says that it is of Portreeve's own surfaces, which ask for
	// permissions whether or not rbac is on for the file's routes.
	Surface bool
}

// Compile compiles a route's requirements. Problems go to r, the reporter of
// the route (or site); the Requirement then refuses everybody.
func Compile(c Requirements, d Deps, r *config.Reporter) *Requirement {
	l := &loader{r: r, deps: d}
	q := &Requirement{}
	q.any = c.RequireAuth != nil && *c.RequireAuth
	q.providers = l.list("authProvider", c.AuthProvider)
	l.add(l.deny(c.Deny))
	l.add(l.allow(c.Allow))
	l.add(l.roles(c.RequiredRoles))
	l.add(l.permissions(c.RequiredPermissions))
	l.add(l.scopes(c.RequiredScopes))
	l.add(l.tenant(c.Tenant))
	l.add(l.when(c.When))
	if q.resource = l.resource(c.Resource); q.resource != nil {
		l.add(q.resource)
	}
	if q.mfa = l.mfa(c.RequireMFA); q.mfa != nil { // last: nobody is asked for a factor who would be refused all the same
		l.add(q.mfa)
	}
	q.checks = l.checks
	stated := len(q.providers) > 0 || len(q.checks) > 0 || l.failed
	if stated && c.RequireAuth != nil && !*c.RequireAuth {
		l.errorf("requireAuth", "false contradicts the other requirements, which all need a caller; remove it or them")
	}
	q.any = q.any || stated
	q.broken = l.failed
	return q
}

// loader collects checks and problems of one requirement.
type loader struct {
	r      *config.Reporter
	deps   Deps
	checks []check
	failed bool
}

func (l *loader) errorf(rel, format string, args ...any) {
	l.failed = true
	report(l.r, rel, format, args...)
}

// add takes a check, or nothing.
func (l *loader) add(c check) {
	if c != nil {
		l.checks = append(l.checks, c)
	}
}

// list is a list of names without repetitions. One that is written and empty,
// or holds an empty name, asks for nothing while it looks as if it did: an
// error.
func (l *loader) list(key string, names []string) []string {
	if names != nil && len(names) == 0 {
		l.errorf(key, "the list is empty: name at least one, or remove the key")
	}
	var out []string
	for i, n := range names {
		switch {
		case n == "":
			l.errorf(key+config.Index(i), "empty")
		case !slices.Contains(out, n):
			out = append(out, n)
		}
	}
	return out
}

// Any reports whether anything is asked at all.
func (q *Requirement) Any() bool { return q != nil && q.any }

// Providers are the providers that authProvider names; empty: any that counts.
func (q *Requirement) Providers() []string {
	if q == nil {
		return nil
	}
	return slices.Clone(q.providers)
}

// Describe says in plain words what is asked, one entry for each requirement;
// empty for a public route.
func (q *Requirement) Describe() []string {
	if !q.Any() {
		return nil
	}
	out := []string{"signed in"}
	if len(q.providers) > 0 {
		out[0] = "signed in by " + oneOf(q.providers)
	}
	for _, c := range q.checks {
		out = append(out, c.describe())
	}
	return out
}

// Outline says what is asked as Describe does, for anybody to read: without the
// people, addresses and values that the file names.
func (q *Requirement) Outline() []string {
	out := q.Describe()
	if out == nil {
		return nil
	}
	for i, c := range q.checks {
		if o, ok := c.(outliner); ok {
			out[i+1] = o.outline()
		}
	}
	return out
}

// outliner is a check whose description names what is not for everybody.
type outliner interface{ outline() string }

// Check decides. nil lets the caller through; anything that goes wrong on the
// way refuses. With a recorder it records every check and goes on past the
// first that fails, whose fault it returns; without one it stops there. Both
// return the same fault.
func (q *Requirement) Check(in Input, rec *trace.Recorder) (f *fault.Error) {
	if !q.Any() {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			f = fault.Wrap(fault.Internal, "policy_failed", "", fmt.Errorf("policy check: %v", p))
		}
	}()
	if q.broken || in.Standing == nil || in.View == nil {
		return fault.Wrap(fault.Internal, "policy_failed", "", errors.New("the requirement did not load or has nothing to decide on"))
	}
	if f := q.signedIn(in, rec); f != nil {
		return f
	}
	for _, c := range q.checks {
		failed := c.check(in, rec)
		if failed == nil {
			continue
		}
		if !rec.On() {
			return failed
		}
		if f == nil {
			f = failed
		}
	}
	return f
}

// signedIn is the first check: there is a caller, and its provider counts.
// Whether its credential is one the route accepts was identity's to decide;
// asking again costs nothing and keeps a slip there from opening a route.
func (q *Requirement) signedIn(in Input, rec *trace.Recorder) *fault.Error {
	who := in.Standing.Who
	switch {
	case nobody(who):
		q.explainAnonymous(rec)
		return fault.New(fault.Unauthenticated, "unauthenticated", "")
	case !q.accepts(who):
		if rec.On() {
			rec.Fail(stage, q.providerKey(), q.wantedProvider(), "a valid credential of "+who.Provider, "a valid credential of "+q.providerHint())
		}
		return fault.New(fault.Unauthenticated, "wrong_provider", "")
	}
	if rec.On() {
		rec.Pass(stage, q.providerKey(), q.wantedProvider(), who.Provider+" says "+name(who))
	}
	return nil
}

// accepts compares the caller's provider with authProvider. Without one,
// everybody counts but a machine, which only a route that names it takes.
func (q *Requirement) accepts(who *principal.Principal) bool {
	if len(q.providers) == 0 {
		return who.Kind != principal.Machine && who.ProviderKind != "machine"
	}
	for _, p := range q.providers {
		if p == who.Provider || p == who.ProviderKind || p == who.Via && who.Via != "" {
			return true
		}
	}
	return false
}
