package mfa

import (
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

const (
	// signInFor is how recent a sign-in must be for the first factor.
	signInFor = 10 * time.Minute
	// freshFor is how recent a step-up must be for a change.
	freshFor = 10 * time.Minute
	// ahead is how far a provider's clock may be before ours.
	ahead = time.Minute
)

// What changes are refused with.
var (
	ErrSignInAgain    = fault.New(fault.Forbidden, "sign_in_again", "Sign in again: the first second factor needs a sign-in of the last ten minutes, at which you were asked who you are")
	ErrFactorRequired = fault.New(fault.Forbidden, policy.CodeMFA, "Second factor required")
	ErrNotEnabled     = fault.New(fault.BadRequest, "mfa_not_enabled", "No second factor is enabled")
)

// Proof is what a caller shows besides its credential.
type Proof struct {
	Code  string // of an app, or a backup code
	Token string // of a step-up
}

// signedIn is when somebody signed in, as far as its credential says; zero: it does
// not. A provider that knows a browser lets it through without asking anybody, and
// says so by auth_time alone: where it says none, the beginning of a session counts
// where the sign-in asked for a new one.
func signedIn(p Person) time.Time {
	switch {
	case !p.Who.AuthTime.IsZero():
		return p.Who.AuthTime
	case isSession(p.Who) && !p.Who.Anew:
		return time.Time{}
	}
	return p.Who.IssuedAt
}

// recent reports whether the caller signed in lately.
func recent(p Person, now time.Time) bool {
	at := signedIn(p)
	return !at.IsZero() && !at.After(now.Add(ahead)) && !now.After(at.Add(signInFor))
}

// factors is what a person has.
type factors struct {
	totp     *totp
	passkeys []passkey
}

func (f factors) any() bool { return f.totp.enabled() || len(f.passkeys) > 0 }

func factorsOf(tx *store.Tx, p Person, now time.Time) (f factors, err error) {
	if f.totp, err = readTOTP(tx, p, now); err != nil {
		return f, err
	}
	f.passkeys, err = listPasskeys(tx, p)
	return f, err
}

// allow decides whether a person may change its factors. right says that a code
// was spent for it.
func (s *Service) allow(tx *store.Tx, by tenant.By, p Person, st *standing, f factors, proof Proof) (guess, error) {
	now := s.now()
	switch {
	case !f.any() && recent(p, now):
		return none, nil
	case !f.any():
		return none, ErrSignInAgain
	case proof.Code != "":
		return s.current(tx, by, p, st, f, proof.Code)
	}
	up, err := readStepUp(tx, p, proof.Token, now)
	if err != nil {
		return none, err
	}
	if up == nil || now.After(up.grantedAt.Add(freshFor)) {
		return none, ErrFactorRequired
	}
	return none, nil
}

// current spends a code of an enabled app, or a backup code.
func (s *Service) current(tx *store.Tx, by tenant.By, p Person, st *standing, f factors, code string) (guess, error) {
	used, err := s.spend(tx, by, p, st, f, code)
	if err != nil || used.factor != "" {
		return right, err
	}
	return wrong, nil
}

// used is which factor was shown; the zero one is none.
type used struct{ factor, id string }

// spend tries a code on what is enabled.
func (s *Service) spend(tx *store.Tx, by tenant.By, p Person, st *standing, f factors, code string) (used, error) {
	if isTOTP(code) {
		if !f.totp.enabled() {
			return used{}, nil
		}
		ok, err := s.spendTOTP(tx, p, f.totp, code)
		if err != nil || !ok {
			return used{}, err
		}
		return used{"totp", f.totp.id}, nil
	}
	ok, err := s.useBackup(tx, p, st, code)
	if err != nil || !ok {
		return used{}, err
	}
	left, err := remainingCodes(tx, p)
	if err != nil {
		return used{}, err
	}
	return used{"backup", "backup"}, s.event(tx, by, p, "mfa.backup_used", map[string]string{"remaining": number(left)})
}

// spendTOTP reports whether the code is the app's and was not used before.
func (s *Service) spendTOTP(tx *store.Tx, p Person, t *totp, code string) (bool, error) {
	secret, err := s.open(p, "mfa_totp", "secret", t.secret)
	if err != nil {
		return false, err
	}
	step := stepMatching(secret, code, s.now())
	if step == 0 {
		return false, nil
	}
	return spendStep(tx, p, t.id, step)
}
