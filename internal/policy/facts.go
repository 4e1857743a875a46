package policy

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
)

// The factors of a StepUp.
const (
	FactorTOTP    = "totp"
	FactorPasskey = "passkey"
	FactorBackup  = "backup" // a backup code
	FactorAMR     = "amr"    // the provider's word, see trustAmr
)

// StepUp is a second factor that a caller showed. The zero one is none.
type StepUp struct {
	At     time.Time
	Factor string
	// Undated says that At is only when the provider told of it: it is not fresh,
	// whatever At says.
	Undated bool
}

// StepUps knows the step-up tokens. Find is pure but for atomic loads, as
// Directory.Find is: what is not at hand is a Job. Claim is the tenant that the
// caller was found to be in, whatever decided that. token is what the caller sent,
// from the header, or for a session from the cookie. One that is none, that has
// ended, or is another caller's, session's or site's is no fault: there is no
// step-up then (nil, nil, nil).
type StepUps interface {
	Find(a DirectoryAsk, token, site string) (*StepUp, *park.Job, *fault.Error)
}

// Resources knows the roles on rows of collections: the caller's own, in that
// tenant, "" for none. A row that is missing, and a collection that nobody knows,
// have none. Find is pure but for atomic loads, as Directory.Find is.
type Resources interface {
	Find(a DirectoryAsk, tenant, collection, id string) (role string, job *park.Job, f *fault.Error)
}

// NeedsStepUp reports whether a second factor is asked for.
func (q *Requirement) NeedsStepUp() bool { return q.Any() && q.mfa != nil }

// Resource is the row on which a role is asked for. asked without an id is a
// request that names none, which Check refuses.
func (q *Requirement) Resource(in Input) (collection, id string, asked bool) {
	if !q.Any() || q.resource == nil {
		return "", "", false
	}
	id, _ = q.resource.value(in)
	return q.resource.collection, id, true
}

// Claimed is the second factor that a caller's own credential tells of, where its
// provider is trusted for that; the zero StepUp: none. Without auth_time and iat
// nobody knows when that was, and it is none. A session that began without anybody
// being asked, at a provider that says no auth_time, begins after it: how long, nobody
// knows either.
func Claimed(p *principal.Principal) StepUp {
	if !p.Authenticated() || !p.SecondFactor {
		return StepUp{}
	}
	at := p.AuthTime
	if at.IsZero() {
		at = p.IssuedAt
	}
	if at.IsZero() {
		return StepUp{}
	}
	return StepUp{At: at, Factor: FactorAMR, Undated: p.SessionID != "" && p.AuthTime.IsZero() && !p.Anew}
}

// Person reports whether a caller can show a second factor at all: keys, machines,
// services and nobody cannot.
func Person(p *principal.Principal) bool {
	return p.Authenticated() && p.Kind == principal.User && p.ProviderKind != "apiKey" && p.ProviderKind != "machine"
}
