package apikey

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
)

// Create makes a key or machine token. Nobody makes one that may do more than
// they may. Its token is in the answer and nowhere else.
func (s *Service) Create(ctx context.Context, by By, tenantID string, d Draft) (out Made, err error) {
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		now := tx.Now().UTC()
		k := Key{Tenant: tenantID, ID: newID(d.Machine), Machine: d.Machine, CreatedAt: now, UpdatedAt: now}
		k, err := d.onto(k, now, true)
		if err != nil {
			return err
		}
		if k.Creator, k.Parent, err = s.maker(tx, by, tenantID); err != nil {
			return err
		}
		if err := s.may(tx, by, tenantID, k.Scopes); err != nil {
			return err
		}
		if err := s.holds(tx, by, k, k.Scopes); err != nil {
			return err
		}
		t := s.newToken(d.Machine && !d.Key, d.Machine)
		k.Prefix, k.Env = t.prefix(), t.env
		if err := insertKey(tx, k); err != nil {
			return err
		}
		if out, err = s.handOut(tx, k, t, time.Time{}); err != nil {
			return err
		}
		return s.note(tx, k, by.event("created", k, facts(k)))
	})
	return out, err
}

// newToken makes a token of a format and class.
func (s *Service) newToken(tok, machine bool) token {
	if tok {
		return newMachineToken()
	}
	return newKey(s.d.Env, machine)
}

// handOut stores a token's secret and tells it, this once.
func (s *Service) handOut(tx *store.Tx, k Key, t token, previousEnd time.Time) (Made, error) {
	h := newHash(t.text)
	if err := insertSecret(tx, k, t, h); err != nil {
		return Made{}, err
	}
	return Made{Key: k, Token: secret.New(t.text), Salt: h.salt, Hash: h.hash, PreviousExpiresAt: previousEnd}, nil
}
