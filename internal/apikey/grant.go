package apikey

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Grant implements tenant.KeySource: what is stored now about the key that a
// principal is. What it says holds until one of the key's changes, which note
// the keys made by it too, or until Expires.
func (s *Service) Grant(tx *store.Tx, who *principal.Principal) (tenant.KeyFacts, error) {
	k, err := selectKey(tx, who.Tenant, who.CredentialID)
	if errors.Is(err, ErrNoKey) {
		return tenant.KeyFacts{Refuse: ErrRevoked}, nil
	}
	if err != nil {
		return tenant.KeyFacts{}, err
	}
	now := tx.Now()
	out := tenant.KeyFacts{
		Grant: &policy.KeyGrant{
			ID: k.ID, Machine: k.Machine, Scopes: k.Scopes, ByHost: k.Creator.byHost(), CreatorClaimed: k.Creator.Roles,
			AllowedIPs: k.AllowedIPs, Limit: k.Limit,
		},
		Expires: k.ExpiresAt, CreatorUserID: k.Creator.UserID, Creator: k.Creator.Bound,
	}
	if out.Refuse = refusalOf(&k, now); out.Refuse != nil {
		return out, nil
	}
	end, ok, err := secretEnd(tx, who.Tenant, k.ID, who.SecretDigest)
	switch {
	case err != nil:
		return tenant.KeyFacts{}, err
	case !ok:
		out.Refuse = ErrRevoked
		return out, nil
	case !end.IsZero() && !end.After(now):
		out.Refuse = ErrExpired
		return out, nil
	}
	out.Expires = sooner(out.Expires, end)
	return out, s.under(tx, &out, k, now)
}

// under bounds a key by those that made it: what they may do no longer, it may
// not do either, and it ends with the first of them.
func (s *Service) under(tx *store.Tx, out *tenant.KeyFacts, k Key, now time.Time) error {
	above, err := s.above(tx, k)
	if errors.Is(err, ErrNoKey) || errors.Is(err, ErrTooDeep) { // no rule of ours makes such a row
		out.Refuse = ErrRevoked
		return nil
	}
	for i := range above {
		if f := refusalOf(&above[i], now); f != nil {
			out.Refuse = f
			return nil
		}
		out.Grant.Scopes = within(out.Grant.Scopes, above[i].Scopes)
		nets, ok := common(out.Grant.AllowedIPs, above[i].AllowedIPs)
		if !ok {
			out.Refuse = ErrNowhere
			return nil
		}
		out.Grant.AllowedIPs = nets
		out.Expires = sooner(out.Expires, above[i].ExpiresAt)
	}
	if len(above) > 0 { // what its maker claims was last said of the first of them
		out.Grant.CreatorClaimed = above[len(above)-1].Creator.Roles
	}
	return err
}

// common are the networks of both lists, of which an empty one is all; ok is false
// where there are none.
func common(a, b []netip.Prefix) (out []netip.Prefix, ok bool) {
	if len(a) == 0 || len(b) == 0 {
		return append(slices.Clone(a), b...), true
	}
	for _, p := range a {
		for _, q := range b {
			narrow := p
			if q.Bits() > p.Bits() {
				narrow = q
			}
			if p.Overlaps(q) && !slices.Contains(out, narrow) {
				out = append(out, narrow)
			}
		}
	}
	return out, len(out) > 0
}

// above lists the keys that made a key, from the nearest up.
func (s *Service) above(tx *store.Tx, k Key) (out []Key, err error) {
	for k.Parent != "" {
		if len(out) == maxAbove {
			return nil, ErrTooDeep
		}
		if k, err = selectKey(tx, k.Tenant, k.Parent); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// refusalOf is what a key is refused with at a moment, nil where it counts.
func refusalOf(k *Key, now time.Time) *fault.Error {
	switch {
	case !k.RevokedAt.IsZero():
		return ErrRevoked
	case k.Disabled:
		return ErrDisabled
	case k.expired(now):
		return ErrExpired
	}
	return nil
}

// sooner is the earlier of two ends, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
