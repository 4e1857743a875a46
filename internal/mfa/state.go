package mfa

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// State is what a person has.
type State struct {
	Enabled  bool      `json:"enabled"`
	Factors  []string  `json:"factors"` // totp, passkey
	Passkeys []Passkey `json:"passkeys"`
	// LockedUntil is when codes are looked at again, after too many wrong ones.
	LockedUntil *time.Time `json:"lockedUntil,omitempty"`
}

// Passkey is what may be known of a passkey.
type Passkey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"createdAt"`
	LastUsedAt *time.Time `json:"lastUsedAt"`
}

func (k passkey) view() Passkey {
	v := Passkey{ID: k.id, Name: k.name, CreatedAt: k.createdAt}
	if !k.usedAt.IsZero() {
		v.LastUsedAt = &k.usedAt
	}
	return v
}

// State reads what a person has.
func (s *Service) State(ctx context.Context, p Person) (State, error) {
	var f factors
	var until time.Time
	err := s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if f, err = factorsOf(tx, p, s.now()); err == nil {
			until, err = lockedUntil(tx, p)
		}
		return err
	})
	out := State{Enabled: f.any(), Factors: []string{}, Passkeys: []Passkey{}}
	if f.totp.enabled() {
		out.Factors = append(out.Factors, "totp")
	}
	if len(f.passkeys) > 0 {
		out.Factors = append(out.Factors, "passkey")
	}
	for _, k := range f.passkeys {
		out.Passkeys = append(out.Passkeys, k.view())
	}
	if until.After(s.now()) {
		out.LockedUntil = &until
	}
	return out, err
}

// prompted is what a person can be asked for: factors, and whether backup codes
// are left.
func (s *Service) prompted(ctx context.Context, p Person) (f factors, backup bool, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if f, err = factorsOf(tx, p, s.now()); err != nil {
			return err
		}
		n, err := remainingCodes(tx, p)
		backup = n > 0
		return err
	})
	return f, backup, err
}

// Sweep removes challenges and step-ups that have ended, of all tenants. Whoever
// runs the service calls it now and then.
func (s *Service) Sweep(ctx context.Context) error {
	return s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := s.now().UnixMilli()
		if _, err := tx.Exec(`DELETE FROM mfa_challenges WHERE expires_at <= $1`, now); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM mfa_step_ups WHERE expires_at <= $1`, now)
		return err
	})
}
