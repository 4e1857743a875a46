package apikey

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Change changes a key: what the draft does not set stays. What the key would
// gain by it (scopes, or all of them where it opened nothing before), the caller
// must hold.
func (s *Service) Change(ctx context.Context, by By, tenantID, id string, d Draft) (out Key, err error) {
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		was, err := selectKept(tx, tenantID, id)
		if err == nil {
			err = by.If.Is(ViewOf(was).tag())
		}
		if err != nil {
			return err
		}
		now := tx.Now().UTC()
		k, err := d.onto(was, now, false)
		if err != nil {
			return err
		}
		if err := s.may(tx, by, tenantID, policy.GainedScopes(was.opens(now), k.opens(now))); err != nil {
			return err
		}
		k.UpdatedAt = now
		if by.Standing != nil && by.Standing.Who.Authenticated() && by.Standing.Who.CredentialID == "" {
			// Whoever made it changes it: what its token claims now counts from now.
			if c, _, err := creatorOf(by.Standing, tenantID); err == nil && c.same(k.Creator) && k.Parent == "" {
				k.Creator.Roles = c.Roles
			}
		}
		if err := s.holds(tx, by, k, policy.GainedScopes(was.Scopes, k.Scopes)); err != nil {
			return err
		}
		if err := updateKey(tx, k); err != nil {
			return err
		}
		out = k
		return s.note(tx, k, by.event("changed", k, facts(k)))
	})
	return out, err
}

// opens lists what a key may do at a moment as far as it is the key's to say.
func (k *Key) opens(now time.Time) []string {
	if !k.live(now) {
		return nil
	}
	return k.Scopes
}

// Rotate gives a key a new secret, under the same id. The one before lives on
// for the grace, the one before that ends at once. Whoever rotates gets to know
// the key, and so must hold all that it may do.
func (s *Service) Rotate(ctx context.Context, by By, tenantID, id string, grace time.Duration) (out Made, err error) {
	err = s.turn(ctx, tenantID, func(tx *store.Tx) error {
		k, err := selectKept(tx, tenantID, id)
		if err != nil {
			return err
		}
		now := tx.Now().UTC()
		if k.expired(now) {
			return ErrKeyEnded
		}
		if err := s.may(tx, by, tenantID, k.Scopes); err != nil {
			return err
		}
		end := now.Add(min(max(grace, 0), maxGrace))
		if !k.ExpiresAt.IsZero() && end.After(k.ExpiresAt) {
			end = k.ExpiresAt
		}
		if err := endSecrets(tx, tenantID, id, end); err != nil {
			return err
		}
		t := s.newToken(k.Env == "", k.Machine)
		k.Prefix, k.Env, k.UpdatedAt = t.prefix(), t.env, now
		if err := updateKey(tx, k); err != nil {
			return err
		}
		if out, err = s.handOut(tx, k, t, end); err != nil {
			return err
		}
		detail := facts(k)
		detail["previousExpiresAt"] = end.Format(time.RFC3339)
		return s.note(tx, k, by.event("rotated", k, detail))
	})
	return out, err
}

// Revoke ends a key with every secret of it, for good.
func (s *Service) Revoke(ctx context.Context, by By, tenantID, id string) error {
	return s.turn(ctx, tenantID, func(tx *store.Tx) error {
		k, err := selectKept(tx, tenantID, id)
		if err == nil {
			err = by.If.Is(ViewOf(k).tag())
		}
		if err != nil {
			return err
		}
		k.RevokedAt, k.UpdatedAt = tx.Now().UTC(), tx.Now().UTC()
		if err := updateKey(tx, k); err != nil {
			return err
		}
		if err := dropSecrets(tx, tenantID, id); err != nil {
			return err
		}
		return s.note(tx, k, by.event("revoked", k, map[string]string{"prefix": k.Prefix}))
	})
}

// Get reads a key that is not revoked.
func (s *Service) Get(ctx context.Context, tenantID, id string) (k Key, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		k, err = selectKept(tx, tenantID, id)
		return err
	})
	return k, err
}

// List reads a page of a tenant's keys and machine tokens, newest first, and how
// many there are: those that are not revoked, or those that are.
func (s *Service) List(ctx context.Context, tenantID string, revoked bool, limit, offset int) (page []Key, total int, err error) {
	return s.listOf(ctx, tenantID, which{revoked: revoked}, limit, offset)
}

func (s *Service) listOf(ctx context.Context, tenantID string, w which, limit, offset int) (page []Key, total int, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := tenant.Get(tx, tenantID); err != nil {
			return err
		}
		page, total, err = listKeys(tx, tenantID, w, limit, offset)
		return err
	})
	return page, total, err
}
