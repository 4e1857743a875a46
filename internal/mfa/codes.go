package mfa

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Codes is what is left of a person's backup codes. The codes themselves are
// there once after enabling.
type Codes struct {
	Remaining int      `json:"remaining"`
	Codes     []string `json:"codes,omitempty"`
	Kept      bool     `json:"kept,omitempty"` // they can be read the one time, by who may
}

// Codes says how many backup codes are left, and shows them the one time: to the
// session or credential that set the app up, or with a fresh step-up. Otherwise an
// older token of the person's, which a thief may have, would get the second factor
// out of its being turned on. mayShow false keeps them for later: the request may
// be another site's, whose reader is nobody.
func (s *Service) Codes(ctx context.Context, by tenant.By, p Person, stepUp string, mayShow bool) (out Codes, err error) {
	shown := false
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if out.Remaining, err = remainingCodes(tx, p); err != nil {
			return err
		}
		shown, err = hasShown(tx, p, s.now())
		return err
	})
	if err != nil || !shown || !mayShow {
		return out, err
	}
	err = s.write(ctx, by, p, false, func(tx *store.Tx, st *standing) (guess, error) {
		out = Codes{}
		var err error
		if out.Remaining, err = remainingCodes(tx, p); err != nil {
			return none, err
		}
		if len(st.codes) == 0 || !st.codesUntil.After(s.now()) {
			return none, nil
		}
		if ok, err := s.mayRead(tx, p, stepUp); err != nil || !ok {
			return none, err
		}
		raw, err := s.open(p, "mfa_people", "codes", st.codes)
		if err != nil {
			return none, err
		}
		switch was, err := clearShown(tx, p); {
		case err != nil:
			return none, err
		case !was:
			return none, nil
		}
		if err := json.Unmarshal(raw, &out.Codes); err != nil {
			return none, err
		}
		return none, s.event(tx, by, p, "mfa.backup_codes", map[string]string{"what": "shown"})
	})
	if err != nil {
		return Codes{}, err
	}
	return out, nil
}

// CodesKept is Codes that shows nothing: it says whether the caller can have them
// shown the one time.
func (s *Service) CodesKept(ctx context.Context, p Person, stepUp string) (out Codes, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if out.Remaining, err = remainingCodes(tx, p); err != nil {
			return err
		}
		if out.Kept, err = hasShown(tx, p, s.now()); err != nil || !out.Kept {
			return err
		}
		out.Kept, err = s.mayRead(tx, p, stepUp)
		return err
	})
	return out, err
}

// mayRead reports whether a caller is the one that set the app up, or has shown a
// factor lately.
func (s *Service) mayRead(tx *store.Tx, p Person, stepUp string) (bool, error) {
	now := s.now()
	t, err := readTOTP(tx, p, now)
	if err != nil || t.enabled() && t.bound == p.Bound {
		return err == nil, err
	}
	up, err := readStepUp(tx, p, stepUp, now)
	return up != nil && !now.After(up.grantedAt.Add(freshFor)), err
}

// NewCodes replaces the backup codes.
func (s *Service) NewCodes(ctx context.Context, by tenant.By, p Person, proof Proof) (codes []string, err error) {
	err = s.write(ctx, by, p, proof.Code != "", func(tx *store.Tx, st *standing) (guess, error) {
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
		if codes, err = s.newCodes(tx, p); err != nil {
			return none, err
		}
		return g, s.told(tx, by, p, "mfa.backup_codes", map[string]string{"what": "new"})
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func hasShown(tx *store.Tx, p Person, now time.Time) (bool, error) {
	var n int
	err := tx.Row(`SELECT COUNT(*) FROM mfa_people WHERE tenant_id = $1 AND person = $2 AND codes IS NOT NULL AND codes_until > $3`, p.Tenant, p.ID, now.UnixMilli()).Scan(&n)
	return n > 0, err
}

func number(n int) string { return strconv.Itoa(n) }
