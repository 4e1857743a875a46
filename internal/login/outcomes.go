package login

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/portreeve/portreeve/internal/fault"
)

// Outcome is how many attempts of a kind came to the same end.
type Outcome struct {
	Site      string
	Operation string // login, signup, refresh, mfa, mfa_token, social, social_callback
	// Outcome is granted, wrong_credentials, mfa_required, pending (nobody has
	// pressed the button yet), refused (by the provider, for another reason),
	// locked_out, risk_denied, blocked, script_denied, provider_failed, or failed: the
	// store, the user service, Castle, a script.
	Outcome string
	N       uint64
}

// tally counts. Sites are the file's, operations and outcomes ours, so that what is
// kept is bounded.
type tally struct {
	mu sync.Mutex
	n  map[Outcome]uint64 // by an Outcome without N
}

func (t *tally) add(site, operation, outcome string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[Outcome]uint64{}
	}
	t.n[Outcome{Site: site, Operation: operation, Outcome: outcome}]++
}

// Outcomes are the attempts that got as far as the gate since the process began, in
// order: a body that cannot be read is none.
func (s *Service) Outcomes() []Outcome {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	out := make([]Outcome, 0, len(s.tally.n))
	for o, n := range s.tally.n {
		o.N = n
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Outcome) int {
		return cmp.Or(strings.Compare(a.Site, b.Site), strings.Compare(a.Operation, b.Operation), strings.Compare(a.Outcome, b.Outcome))
	})
	return out
}

// note counts what an attempt came to. What a password that does not fit leaves in
// the audit trail is a count too: the trail's own would know no account, since
// nobody is identified here.
func (u *Surface) note(a *attempt, outcome string) {
	u.s.tally.add(u.site.Name, a.kind.name, outcome)
	if u.s.d.Refused != nil && a.kind.guesses && (outcome == "wrong_credentials" || outcome == "locked_out") {
		u.s.d.Refused("login."+outcome, a.email, a.from) // what is no address may be a password in the wrong field
	}
}

// outcome is what an attempt came to.
func (a *attempt) outcome(err error) string {
	switch {
	case err == nil && a.failed != nil:
		err = a.failed
	case err == nil && a.answer != nil:
		return a.answer.outcome()
	}
	switch f := fault.From(err); {
	case f.Code == "too_many_attempts":
		return "locked_out"
	case f.Kind == fault.Unauthenticated && strings.HasPrefix(f.Code, "risk_"):
		return "risk_denied"
	case f.Code == "user_blocked", f.Code == "user_disabled":
		return "blocked"
	case f.Code == CodeDenied:
		return "script_denied"
	case f.Kind == fault.BadGateway, f.Code == errLate.Code:
		return "provider_failed"
	case f.Kind == fault.BadRequest:
		return "refused"
	}
	return "failed"
}

// outcome is what the provider's word, or ours in its place, comes to.
func (a *answer) outcome() string {
	switch code := a.text("error"); {
	case a.granted():
		return "granted"
	case a.status >= 500:
		return "provider_failed"
	case a.secondFactor():
		return "mfa_required"
	case a.wrongCredentials():
		return "wrong_credentials"
	case code == "authorization_pending", code == "slow_down":
		return "pending"
	}
	return "refused"
}
