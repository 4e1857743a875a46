package session

import (
	"context"
	"errors"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/store"
)

// errReplayed is a logout token that was there before.
var errReplayed = fault.Wrap(fault.Unauthenticated, identity.CodeIDToken, "", errors.New("the logout token was there before"))

// ProviderLogout ends the sessions that a provider says have ended: those of its
// own session (sid), else all that somebody (sub) has by it, whatever site they are
// on.
func (s *Service) ProviderLogout(ctx context.Context, by By, p *identity.Provider, token string) (ended int, err error) {
	l, err := p.VerifyLogoutToken(ctx, token, s.d.Now())
	if err != nil {
		return 0, err
	}
	owner := ownerOf(p.Name, l.Issuer, l.Subject)
	by.Actor.Kind, by.Actor.Provider, by.Actor.Issuer, by.Actor.ID = "system", p.Name, l.Issuer, ""
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		ended = 0
		n, err := tx.Exec(`INSERT INTO session_logouts (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`,
			digestOf("jti", p.Name, l.Issuer, l.ID), l.Expires.UnixMilli()+1)
		if err != nil {
			return err
		}
		if n == 0 {
			return errReplayed
		}
		var rows []row
		if l.SID != "" {
			rows, err = rowsOfSID(tx, sidOf(p.Name, l.Issuer, l.SID))
		} else {
			rows, err = rowsOfOwner(tx, owner)
		}
		for i := range rows {
			if err != nil {
				return err
			}
			if l.Subject != "" && rows[i].owner != owner {
				continue // the provider says of whom, and it is somebody else
			}
			var gone bool
			if gone, err = s.endIn(tx, by, &rows[i], "ended", "signed out at the provider"); gone {
				ended++
			}
		}
		return err
	})
	return ended, err
}
