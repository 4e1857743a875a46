package mfa

import (
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// StepUp is a token that proves that somebody has shown a second factor. It is
// shown this once.
type StepUp struct {
	Token     string
	ExpiresIn time.Duration

	session string // the new cookie of the caller's session; "": there is none
}

// grant makes a step-up token.
func (s *Service) grant(tx *store.Tx, by tenant.By, p Person, u used, set Settings) (StepUp, error) {
	now := s.now()
	end := now.Add(set.StepUpFor)
	if e := p.Who.Expires; !e.IsZero() && e.Before(end) {
		end = e.Truncate(time.Millisecond)
	}
	if !end.After(now) { // within the leeway of its provider
		return StepUp{}, fault.New(fault.Unauthenticated, "token_expired", "Token expired")
	}
	out := StepUp{Token: random(), ExpiresIn: end.Sub(now)}
	if err := pruneStepUps(tx, p, now); err != nil {
		return StepUp{}, err
	}
	if _, err := tx.Exec(`INSERT INTO mfa_step_ups (tenant_id, digest, person, user_id, site, bound, factor, factor_id, granted_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.Tenant, tokenDigest(out.Token), p.ID, p.UserID, p.Site, p.Bound, u.factor, u.id, now.UnixMilli(), end.UnixMilli()); err != nil {
		return StepUp{}, err
	}
	if isSession(p.Who) && s.d.SteppedUp != nil {
		var err error
		if out.session, err = s.d.SteppedUp(tx, p); err != nil {
			return StepUp{}, err
		}
	}
	return out, s.event(tx, by, p, "stepup.granted", map[string]string{"factor": u.factor, "site": p.Site})
}

// tokenDigest is what of a token is stored: it has 256 random bits, so that
// nothing slower is called for.
func tokenDigest(token string) string { return digest("step-up", token) }

const tokenLength = 43 // of random

// grantedStepUp is a stored step-up that counts.
type grantedStepUp struct {
	factor             string
	grantedAt, expires time.Time
	userID             string // of the users row that it hangs on
}

// readStepUp finds a token's row: nil where it is none, has ended, or is another
// person's, session's or site's, and where the users row that it was given to is
// gone, disabled or somebody else's by now.
func readStepUp(tx *store.Tx, p Person, token string, now time.Time) (*grantedStepUp, error) {
	if len(token) != tokenLength {
		return nil, nil
	}
	var g grantedStepUp
	var granted, expires int64
	err := tx.Row(`SELECT factor, user_id, granted_at, expires_at FROM mfa_step_ups
		WHERE tenant_id = $1 AND digest = $2 AND person = $3 AND site = $4 AND bound = $5`, p.Tenant, tokenDigest(token), p.ID, p.Site, p.Bound).
		Scan(&g.factor, &g.userID, &granted, &expires)
	if errors.Is(err, store.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	g.grantedAt, g.expires = moment(granted), moment(expires)
	if !g.expires.After(now) || g.grantedAt.After(now.Add(ahead)) {
		return nil, nil
	}
	if g.userID != "" {
		u, err := tenant.UserByID(tx, p.Tenant, g.userID)
		switch {
		case errors.Is(err, tenant.ErrNoUser):
			return nil, nil
		case err != nil:
			return nil, err
		case u.Disabled || idOfBinding(u.Bound) != p.ID && idOfLink(u.ID) != p.ID:
			return nil, nil
		}
	}
	return &g, nil
}

const mostStepUps = 64 // of one person at a time

// pruneStepUps removes what has ended, and of very many all: they were made by
// whoever has the factor.
func pruneStepUps(tx *store.Tx, p Person, now time.Time) error {
	if _, err := tx.Exec(`DELETE FROM mfa_step_ups WHERE tenant_id = $1 AND person = $2 AND expires_at <= $3`, p.Tenant, p.ID, now.UnixMilli()); err != nil {
		return err
	}
	var n int
	if err := tx.Row(`SELECT COUNT(*) FROM mfa_step_ups WHERE tenant_id = $1 AND person = $2`, p.Tenant, p.ID).Scan(&n); err != nil || n < mostStepUps {
		return err
	}
	change.Note(tx, p.Tenant, change.Factor, p.ID)
	_, err := tx.Exec(`DELETE FROM mfa_step_ups WHERE tenant_id = $1 AND person = $2`, p.Tenant, p.ID)
	return err
}

// EndSession ends the step-ups of a session, in the transaction that ends it.
func (s *Service) EndSession(tx *store.Tx, of, sessionID string) error {
	if sessionID == "" {
		return nil
	}
	people, err := store.List(tx, func(row store.Row) (id string, err error) { return id, row.Scan(&id) },
		`DELETE FROM mfa_step_ups WHERE tenant_id = $1 AND bound = $2 RETURNING person`, of, "session:"+sessionID)
	for _, id := range people {
		change.Note(tx, of, change.Factor, id)
	}
	return err
}
