package mfa

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// ErrInvalidCode is what every wrong code, used code and failed passkey gets.
var ErrInvalidCode = fault.New(fault.BadRequest, "invalid_code", "Invalid code")

const (
	mostWrong  = 5
	wrongSpan  = 5 * time.Minute
	mostOfDay  = 20 // however slowly: four in each five minutes would be a thousand a day
	wrongDay   = 24 * time.Hour
	lockMemory = 24 * time.Hour // after a lock's end, before a right code lets the next one be short again
)

// lockFor is how long the lock of a level lasts.
func lockFor(level int64) time.Duration {
	switch level {
	case 1:
		return 15 * time.Minute
	case 2:
		return time.Hour
	}
	return 24 * time.Hour
}

// locked is the refusal while trying is not possible.
func locked(until, now time.Time) error {
	f := fault.New(fault.TooManyRequests, "mfa_locked", "Too many wrong codes; try again later")
	f.RetryAfter = until.Sub(now)
	return f
}

// guess is what a rule came to: something wrong to count, or not.
type guess int

const (
	right guess = iota
	wrong
	none // no code was looked at
)

// write runs a rule in the person's turn. A rule that says wrong has written
// nothing that must not stay: the count of it is committed with whatever it
// spent, and the answer is ErrInvalidCode.
//
// tries says that the rule looks at a code: it does not run while trying is
// locked.
func (s *Service) write(ctx context.Context, by tenant.By, p Person, tries bool, rule func(tx *store.Tx, st *standing) (guess, error)) error {
	if tries {
		if err := s.mayTry(ctx, p); err != nil { // so that a flood of guesses takes no turns
			return err
		}
	}
	var outcome error
	err := s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		outcome = nil
		if err := tenant.Turn(tx, p.Tenant); err != nil {
			return err
		}
		st, err := turn(tx, p, s.now())
		if err != nil {
			return err
		}
		now := s.now()
		if tries && st.lockedUntil.After(now) {
			return locked(st.lockedUntil, now)
		}
		switch was, err := rule(tx, st); {
		case err != nil:
			return err
		case was == wrong:
			outcome = ErrInvalidCode
			return s.count(tx, by, p, st)
		case was == right:
			return forgive(tx, p, st, now)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return outcome
}

// mayTry refuses while trying is locked.
func (s *Service) mayTry(ctx context.Context, p Person) error {
	return s.d.DB.Read(ctx, func(tx *store.Tx) error {
		until, err := lockedUntil(tx, p)
		if now := s.now(); err == nil && until.After(now) {
			return locked(until, now)
		}
		return err
	})
}

// count adds a failure, and locks where it is one too many.
func (s *Service) count(tx *store.Tx, by tenant.By, p Person, st *standing) error {
	now := s.now()
	lately, day := 1, []int64{now.UnixMilli()}
	for _, at := range st.wrong {
		if time.UnixMilli(at).After(now.Add(-wrongSpan)) {
			lately++
		}
		if time.UnixMilli(at).After(now.Add(-wrongDay)) {
			day = append(day, at)
		}
	}
	if lately < mostWrong && len(day) < mostOfDay {
		return setWrong(tx, p, day, st.lockLevel, st.lockedUntil)
	}
	level := min(st.lockLevel+1, 3)
	if err := setWrong(tx, p, nil, level, now.Add(lockFor(level))); err != nil {
		return err
	}
	return s.event(tx, by, p, "mfa.locked", map[string]string{"for": lockFor(level).String()})
}

// forgive lets the next lock be a short one again, where the last one is long
// over. What was wrong lately stays counted: whoever guesses beside somebody who
// knows gains nothing from that one's codes.
func forgive(tx *store.Tx, p Person, st *standing, now time.Time) error {
	if st.lockLevel == 0 || now.Before(st.lockedUntil.Add(lockMemory)) {
		return nil
	}
	return setWrong(tx, p, st.wrong, 0, time.Time{})
}
