package session

import (
	"context"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Verify implements identity.SessionVerifier. A cookie of another site, one that
// has ended and one that never was are the same fault.
func (s *Service) Verify(ctx context.Context, cookie, site string) (*principal.Principal, error) {
	if !plausible(cookie) {
		return nil, ErrEnded
	}
	hash := hashOf(cookie)
	var r row
	err := s.d.DB.Read(ctx, func(tx *store.Tx) error {
		var ends int64
		var found bool
		var err error
		if r, ends, found, err = byCookie(tx, hash); err != nil {
			return err
		}
		now := tx.Now()
		if !found || r.site != site || r.over(now, s.touched.of(r.id)) || ends != 0 && now.UnixMilli() >= ends {
			return ErrEnded
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	who, err := s.who(&r)
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", r.id, err)
	}
	who.SecretDigest = hash
	return who, nil
}

// who is what is stored of the person of a session; the settings of the provider
// say what of it counts.
func (s *Service) who(r *row) (*principal.Principal, error) {
	f, err := s.factsOf(r)
	if err != nil {
		return nil, err
	}
	claims, err := jws.DecodeObject(f.Claims, jws.MaxToken)
	if err != nil {
		return nil, err
	}
	return &principal.Principal{
		Kind: principal.User, Provider: r.provider, ProviderKind: "session", Issuer: f.Issuer, Subject: f.Subject,
		Claims: claims, Raw: f.Claims, AuthTime: moment(r.authTime), Anew: f.Anew, IssuedAt: moment(r.createdAt), Expires: moment(r.endsAt), SessionID: r.id,
	}, nil
}

func (s *Service) factsOf(r *row) (f facts, err error) {
	err = s.openJSON(place("sessions", "facts", r.id), r.facts, &f)
	return f, err
}

// Session implements tenant.SessionSource: what is stored now, and that the session
// is used now.
func (s *Service) Session(tx *store.Tx, who *principal.Principal) (tenant.SessionFacts, error) {
	r, ends, found, err := byCookie(tx, who.SecretDigest)
	if err != nil {
		return tenant.SessionFacts{}, err
	}
	now := tx.Now()
	switch {
	case !found || r.id != who.SessionID || r.over(now, s.touched.of(r.id)) || ends != 0 && now.UnixMilli() >= ends:
		return tenant.SessionFacts{Refuse: ErrEnded}, nil
	case r.spent(now):
		return tenant.SessionFacts{Refuse: ErrProvider}, nil
	}
	s.touched.mark(r.id, r.seenAt, now, r.touch())
	f := tenant.SessionFacts{Stood: r.stood, SessionFacts: policy.SessionFacts{
		ID: r.id, Idle: now.Add(time.Duration(r.idle) * time.Millisecond), Absolute: moment(r.endsAt), Again: again(&r, ends, now),
	}}
	if ends != 0 {
		f.Renew, err = s.successor(tx, who)
	}
	return f, err
}

// again is when a session has to be looked at anew: a use has to be stored, its
// cookie ends, its tokens do.
func again(r *row, cookieEnds int64, now time.Time) time.Time {
	at := now.Add(r.touch())
	sooner := func(ms int64) {
		if t := moment(ms); ms != 0 && t.Before(at) {
			at = t
		}
	}
	sooner(cookieEnds)
	switch {
	case r.due(now):
		sooner(max(r.retryAt, now.Add(time.Second).UnixMilli()))
	case len(r.refresh) > 0:
		sooner(r.tokensEnd)
	}
	return at
}

// successor is the cookie that took the place of the caller's, where that is one
// which whoever holds the old one is to have.
func (s *Service) successor(tx *store.Tx, who *principal.Principal) (string, error) {
	next, err := s.next(who.SecretDigest)
	if err != nil {
		return "", err
	}
	r, ends, found, err := byCookie(tx, hashOf(next))
	if err != nil || !found || r.id != who.SessionID || ends != 0 {
		return "", err
	}
	return next, nil
}

// Keep implements tenant.SessionKeeper: tokens that have expired are refreshed
// before the session goes on.
func (s *Service) Keep(ctx context.Context, who *principal.Principal) error {
	r, err := read(ctx, s, func(tx *store.Tx) (row, error) {
		r, _, found, err := byCookie(tx, who.SecretDigest)
		if err == nil && (!found || r.id != who.SessionID || r.over(tx.Now(), s.touched.of(r.id))) {
			return row{}, nil // Session says so
		}
		return r, err
	})
	if err != nil || r.id == "" || !r.due(s.d.Now()) {
		return err
	}
	return s.refreshed(ctx, r.id)
}

// Stand implements tenant.SessionKeeper: whoever gains or loses a role goes on
// under a new cookie.
func (s *Service) Stand(ctx context.Context, who *principal.Principal, f tenant.SessionFacts, k *policy.Known) (renew string, err error) {
	stands := stoodOf(k)
	if f.Stood == stands {
		return "", nil
	}
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		renew = ""
		if found, err := hold(tx, who.SessionID); err != nil || !found {
			return err
		}
		r, _, err := byID(tx, who.SessionID)
		if err != nil || r.stood == stands {
			return err
		}
		if _, err := tx.Exec(`UPDATE sessions SET stood = $2 WHERE id = $1`, r.id, stands); err != nil || r.stood == "" {
			return err // seen for the first time
		}
		if err := s.renewIn(tx, r.id); err != nil {
			return err
		}
		renew, err = s.successor(tx, who)
		return err
	})
	return renew, err
}

// stoodOf is the digest of what somebody may do by what is stored.
func stoodOf(k *policy.Known) string {
	parts := append([]string{"stood", k.Tenant, k.UserID}, k.Roles...)
	return digestOf(parts...)[:32]
}
