package mfa

import (
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
)

// Shown is for operations that ask for a second factor of whoever has one: nil
// where the caller has none, or has shown one: by a step-up that came with the
// request or in its body (token), or by the word of a provider that is trusted
// for it.
func (s *Service) Shown(ctx context.Context, c *gateway.Call, token string) error {
	if c.Who.SecondFactor {
		return nil
	}
	p, err := personOf(c)
	if errors.Is(err, ErrNotAPerson) { // has no factors
		return nil
	}
	if err != nil {
		return err
	}
	if token == "" {
		token = tokenOf(c)
	}
	return s.d.DB.Read(ctx, func(tx *store.Tx) error {
		f, err := factorsOf(tx, p, s.now())
		if err != nil || !f.any() {
			return err
		}
		up, err := readStepUp(tx, p, token, s.now())
		if err == nil && up == nil {
			err = ErrFactorRequired
		}
		return err
	})
}

// Demanded is for operations behind requireMfa: nil for whoever has shown a factor,
// by the same ways. Whoever has none is refused, and so is who is no person.
func (s *Service) Demanded(ctx context.Context, c *gateway.Call, token string) error {
	if said := policy.Claimed(c.Who); !said.At.IsZero() && !said.At.After(s.now().Add(ahead)) {
		return nil
	}
	p, err := personOf(c)
	if errors.Is(err, ErrNotAPerson) {
		return ErrFactorRequired
	}
	if err != nil {
		return err
	}
	if token == "" {
		token = tokenOf(c)
	}
	return s.d.DB.Read(ctx, func(tx *store.Tx) error {
		up, err := readStepUp(tx, p, token, s.now())
		if err == nil && up == nil {
			err = ErrFactorRequired
		}
		return err
	})
}
