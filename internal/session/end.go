package session

import (
	"context"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// SignOut ends the session of a cookie on its site. found is false where it was
// none.
func (s *Service) SignOut(ctx context.Context, by By, cookie, site string) (r Session, found bool, err error) {
	if !plausible(cookie) {
		return Session{}, false, nil
	}
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		was, _, ok, err := byCookie(tx, hashOf(cookie))
		if err != nil || !ok || was.site != site {
			found = false
			return err
		}
		f, err := s.factsOf(&was)
		if err != nil {
			return err
		}
		who := by
		who.Actor.Kind, who.Actor.Provider, who.Actor.Issuer, who.Actor.ID, who.Actor.UserID = string(principal.User), was.provider, f.Issuer, f.Subject, was.user
		r = was.view()
		found, err = s.endIn(tx, who, &was, "ended", "signed out")
		return err
	})
	return r, found, err
}

// Sessions lists the sessions of somebody that have not ended, the newest first.
func (s *Service) Sessions(ctx context.Context, of Of) ([]Session, error) {
	return s.list(ctx, func(tx *store.Tx) ([]row, error) { return rowsOf(tx, of) })
}

// Own lists those of a caller.
func (s *Service) Own(ctx context.Context, who *principal.Principal) ([]Session, error) {
	return s.list(ctx, func(tx *store.Tx) ([]row, error) { return rowsOfOwner(tx, ownerOfWho(who)) })
}

func (s *Service) list(ctx context.Context, rows func(*store.Tx) ([]row, error)) ([]Session, error) {
	return read(ctx, s, func(tx *store.Tx) ([]Session, error) {
		all, err := rows(tx)
		out := make([]Session, 0, len(all))
		for i := range all {
			if seen := s.touched.of(all[i].id); !all[i].over(tx.Now(), seen) {
				all[i].seenAt = max(all[i].seenAt, seen)
				out = append(out, all[i].view())
			}
		}
		return out, err
	})
}

// Revoke ends sessions of somebody: the one of that id, or all of them where it is
// empty. ErrNoSession where somebody has no session of that id.
func (s *Service) Revoke(ctx context.Context, by By, of Of, id string) (ended int, err error) {
	return s.revoke(ctx, by, id, func(tx *store.Tx) ([]row, error) { return rowsOf(tx, of) })
}

// RevokeOwn ends one of a caller's own.
func (s *Service) RevokeOwn(ctx context.Context, by By, who *principal.Principal, id string) error {
	if id == "" {
		return ErrNoSession
	}
	_, err := s.revoke(ctx, by, id, func(tx *store.Tx) ([]row, error) { return rowsOfOwner(tx, ownerOfWho(who)) })
	return err
}

func (s *Service) revoke(ctx context.Context, by By, id string, rows func(*store.Tx) ([]row, error)) (ended int, err error) {
	err = s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		ended = 0
		all, err := rows(tx)
		if err != nil {
			return err
		}
		for i := range all {
			if id != "" && all[i].id != id {
				continue
			}
			gone, err := s.endIn(tx, by, &all[i], "revoked", "revoked")
			if err != nil {
				return err
			}
			if gone {
				ended++
			}
		}
		if id != "" && ended == 0 {
			return ErrNoSession
		}
		return nil
	})
	return ended, err
}
