package mfa

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

const (
	pendingFor  = time.Hour        // a secret that nobody enabled
	verifiedFor = 10 * time.Minute // from verify to enable
	showFor     = 10 * time.Minute // from enable to the second look at the backup codes
)

// What the rules refuse with.
var (
	ErrEnabled = fault.New(fault.Conflict, "mfa_enabled", "An authenticator app is enabled; disable it first")
	ErrPending = fault.New(fault.BadRequest, "mfa_not_pending", "No authenticator app is being set up: POST /mfa/setup first")
	// ErrUnverified is enable without a code that proves that the app has the secret.
	ErrUnverified = fault.New(fault.BadRequest, "mfa_not_verified", "Verify a code first, or send one")
)

// Setup is a secret that an app takes. It is shown this once.
type Setup struct {
	Secret     string `json:"secret"`
	OtpauthURL string `json:"otpauthUrl"`
	QR         string `json:"qr"` // a PNG in a data URL
}

// Setup makes a secret for an authenticator app, pending until Enable. What was
// pending before is forgotten.
func (s *Service) Setup(ctx context.Context, by tenant.By, p Person, proof Proof, issuer string) (out Setup, err error) {
	err = s.write(ctx, by, p, proof.Code != "", func(tx *store.Tx, st *standing) (guess, error) {
		now := s.now()
		f, err := factorsOf(tx, p, now)
		if err != nil {
			return none, err
		}
		if f.totp.enabled() {
			return none, ErrEnabled
		}
		g, err := s.allow(tx, by, p, st, f, proof)
		if err != nil || g == wrong {
			return g, err
		}
		secret := make([]byte, secretSize)
		_, _ = rand.Read(secret) // never fails
		sealed, err := s.seal(p, "mfa_totp", "secret", secret)
		if err != nil {
			return none, err
		}
		switch ok, err := putPending(tx, p, newID("totp_"), sealed, now); {
		case err != nil:
			return none, err
		case !ok:
			return none, ErrEnabled
		}
		out = Setup{Secret: secretText(secret)}
		out.OtpauthURL = otpauthURL(issuer, accountOf(p), out.Secret)
		if out.QR, err = qrOf(out.OtpauthURL); err != nil {
			return none, err
		}
		return g, s.told(tx, by, p, "mfa.setup", map[string]string{"factor": "totp"})
	})
	if err != nil {
		return Setup{}, err
	}
	return out, nil
}

// accountOf is what an app calls the account.
func accountOf(p Person) string {
	if p.Who.EmailVerified && p.Who.Email != "" {
		return p.Who.Email
	}
	return p.Who.Subject
}

// Verified is what a code came to.
type Verified struct {
	StepUp *StepUp // of an enabled factor; nil: it was the pending one's
}

// Verify spends a code: of the pending app, which may then be enabled for ten
// minutes, of the enabled one or a backup code, which give a step-up.
func (s *Service) Verify(ctx context.Context, by tenant.By, p Person, code string, set Settings) (out Verified, err error) {
	err = s.write(ctx, by, p, true, func(tx *store.Tx, st *standing) (guess, error) {
		out = Verified{}
		now := s.now()
		f, err := factorsOf(tx, p, now)
		switch {
		case err != nil:
			return none, err
		case f.totp == nil && !f.any():
			return none, ErrNotEnabled
		}
		if f.totp != nil && !f.totp.enabled() && isTOTP(code) {
			ok, err := s.spendTOTP(tx, p, f.totp, code)
			if err != nil || !ok {
				return wrong, err
			}
			return right, setVerified(tx, p, f.totp.id, now.Add(verifiedFor))
		}
		if !f.any() {
			return wrong, nil
		}
		u, err := s.spend(tx, by, p, st, f, code)
		if err != nil || u.factor == "" {
			return wrong, err
		}
		up, err := s.grant(tx, by, p, u, set)
		out.StepUp = &up
		return right, err
	})
	if err != nil {
		return Verified{}, err
	}
	return out, nil
}

// Enable turns the pending app on, after Verify or with a code, and returns the
// backup codes.
func (s *Service) Enable(ctx context.Context, by tenant.By, p Person, proof Proof) (codes []string, err error) {
	err = s.write(ctx, by, p, proof.Code != "", func(tx *store.Tx, st *standing) (guess, error) {
		now := s.now()
		f, err := factorsOf(tx, p, now)
		switch {
		case err != nil:
			return none, err
		case f.totp == nil:
			return none, ErrPending
		case f.totp.enabled():
			return none, ErrEnabled
		}
		if !s.began(p, f.totp, now) {
			if _, err := s.allow(tx, by, p, st, f, Proof{Token: proof.Token}); err != nil {
				return none, err
			}
		}
		g := none
		if !f.totp.verifiedUntil.After(now) {
			if proof.Code == "" {
				return none, ErrUnverified
			}
			ok, err := s.spendTOTP(tx, p, f.totp, proof.Code)
			if err != nil || !ok {
				return wrong, err
			}
			g = right
		}
		if err := enableTOTP(tx, p, f.totp.id, now); err != nil {
			return none, err
		}
		if err := deleteChallenges(tx, p); err != nil {
			return none, err
		}
		if codes, err = s.newCodes(tx, p); err != nil {
			return none, err
		}
		if err := s.keepCodes(tx, p, codes); err != nil {
			return none, err
		}
		return g, s.told(tx, by, p, "mfa.enabled", map[string]string{"factor": "totp"})
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// began reports whether the pending app was set up lately by this very
// credential: it was asked then for what is needed.
func (s *Service) began(p Person, t *totp, now time.Time) bool {
	return t.bound == p.Bound && now.Before(t.createdAt.Add(verifiedFor))
}

// Disable removes every factor of a person.
func (s *Service) Disable(ctx context.Context, by tenant.By, p Person, proof Proof) error {
	return s.write(ctx, by, p, proof.Code != "", func(tx *store.Tx, st *standing) (guess, error) {
		f, err := factorsOf(tx, p, s.now())
		switch {
		case err != nil:
			return none, err
		case !f.any():
			return none, ErrNotEnabled
		}
		g, err := s.allow(tx, by, p, st, f, proof)
		if err != nil || g == wrong {
			return g, err
		}
		if err := deleteAll(tx, p); err != nil {
			return none, err
		}
		return g, s.told(tx, by, p, "mfa.disabled", nil)
	})
}

// Reset removes every factor of a user who has lost them, and any lock: for an
// administrator on the host, who has seen to it that it is that user who asks.
func (s *Service) Reset(ctx context.Context, by tenant.By, of, userID string) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := tenant.Turn(tx, of); err != nil {
			return err
		}
		u, err := tenant.UserByID(tx, of, userID)
		switch {
		case err != nil:
			return err
		case u.Bound.IsZero():
			return ErrNotEnabled
		}
		p := Person{Tenant: of, ID: idOfBinding(u.Bound), UserID: userID}
		if _, err := turn(tx, p, s.now()); err != nil {
			return err
		}
		if err := deleteAll(tx, p); err != nil {
			return err
		}
		if err := setWrong(tx, p, nil, 0, time.Time{}); err != nil {
			return err
		}
		return s.told(tx, by, p, "mfa.disabled", map[string]string{"by": "reset"})
	})
}
