package session

import (
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// RotateIn gives a session a new cookie within a transaction: whoever calls hands
// it to the browser. The one before is good for other tabs for a moment, and does
// not lead to the new one. ErrNoSession where the session has ended.
func (s *Service) RotateIn(tx *store.Tx, id string) (cookie string, err error) {
	found, err := hold(tx, id)
	if err != nil {
		return "", err
	}
	if !found {
		return "", ErrNoSession
	}
	cookie = random()
	return cookie, s.replaceIn(tx, id, cookie)
}

// SteppedUp gives the session of a caller who has shown a second factor a new
// cookie where nobody can hand it out: the next answer to the one before carries
// it.
func (s *Service) SteppedUp(tx *store.Tx, who *principal.Principal) error {
	found, err := hold(tx, who.SessionID)
	if err != nil || !found {
		return err
	}
	return s.renewIn(tx, who.SessionID)
}

// StepUpIn is SteppedUp for whoever can hand the new cookie out with their own
// answer: cookie is it, "" where the caller came by one that is older than the one
// that counted. Without it a browser that asks for nothing more while the old one
// is good would be signed out by having shown a second factor.
func (s *Service) StepUpIn(tx *store.Tx, who *principal.Principal) (cookie string, err error) {
	if err := s.SteppedUp(tx, who); err != nil {
		return "", err
	}
	return s.successor(tx, who)
}

// renewIn replaces the cookie that counts by its successor; the caller holds the
// session.
func (s *Service) renewIn(tx *store.Tx, id string) error {
	hash, err := counting(tx, id)
	if err != nil || hash == "" {
		return err
	}
	next, err := s.next(hash)
	if err != nil {
		return err
	}
	return s.replaceIn(tx, id, next)
}

func (s *Service) replaceIn(tx *store.Tx, id, cookie string) error {
	if err := retireCookies(tx, id); err != nil {
		return err
	}
	note(tx, id)
	return insertCookie(tx, hashOf(cookie), id)
}
