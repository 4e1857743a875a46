package sms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// unknownFor is how long a text whose outcome nobody knows is not tried again.
// A send that began and never ended (the process died) is such a one.
const unknownFor = time.Minute

// claim is the right to send one text, or why there is none to send.
type claim struct {
	id       string
	began    time.Time
	repeated bool   // it was sent a moment ago
	pending  string // the id of the send, by another caller, that this one repeats
	again    string // the id of one whose outcome was never known, and which this one tries again
}

// claim takes a place within all limits for a text, before it is sent. It fails
// with ErrLimit where there is none, and with ErrSend while nobody knows whether
// the same text went out.
func (u *surface) claim(ctx context.Context, site, campaign string, w whom) (c claim, err error) {
	err = u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		c = claim{}
		if err := turn(tx, site); err != nil {
			return err
		}
		now := u.s.now()
		again, err := u.repeat(tx, site, campaign, w, now, &c)
		if err != nil || c.repeated || c.pending != "" {
			return err
		}
		var until time.Time
		for _, r := range u.rules {
			free, err := full(tx, site, r, w, again, now)
			if err != nil {
				return err
			}
			if free.After(until) {
				until = free
			}
		}
		if !until.IsZero() {
			return later(ErrLimit, until.Sub(now))
		}
		c.id, c.began, c.again = newID(), now, again
		return put(tx, c.id, site, campaign, w, now, now.Add(u.keep))
	})
	return c, err
}

// repeat looks at the same text to the same number before. again is the row of the
// last one whose outcome was never known: it does not stand in this one's way, but
// counts for those that follow until this one is accepted. Were it taken over at
// once, a Twilio whose answers are lost would send without any limit, every minute.
func (u *surface) repeat(tx *store.Tx, site, campaign string, w whom, now time.Time, c *claim) (again string, err error) {
	list, err := before(tx, site, campaign, w.number, now.Add(-u.dedupe))
	if err != nil {
		return "", err
	}
	for _, one := range list {
		if one.state == accepted {
			c.repeated = true
			return "", nil
		}
	}
	for _, one := range list {
		switch free := one.at.Add(unknownFor); {
		case !free.After(now):
			if again == "" {
				again = one.id
			}
		case one.state == sending:
			c.pending = one.id
			return "", nil
		default:
			return "", later(ErrSend, free.Sub(now))
		}
	}
	return again, nil
}

// later is a fault that says when to try again.
func later(f *fault.Error, after time.Duration) error {
	out := *f
	out.RetryAfter = after
	return &out
}

// outcome is what came of a send.
type outcome string

const (
	wasAccepted outcome = "sent"
	wasRefused  outcome = "refused"
	wasUnknown  outcome = "unknown"
)

// settle writes down what came of a send.
func (u *surface) settle(ctx context.Context, c claim, was outcome) error {
	return u.s.d.DB.Tx(ctx, func(tx *store.Tx) error {
		now := u.s.now()
		switch was {
		case wasAccepted:
			if err := replace(tx, c.again); err != nil {
				return err
			}
			return setState(tx, c.id, accepted, c.began, now, now.Add(u.keep))
		case wasRefused:
			return forget(tx, c.id, c.began)
		}
		return setState(tx, c.id, unknown, c.began, now, now.Add(u.keep))
	})
}

// await waits for the outcome of a send that another caller began, on this node
// or another.
func (u *surface) await(ctx context.Context, id string) error {
	select {
	case u.s.waiting <- struct{}{}:
		defer func() { <-u.s.waiting }()
	default:
		return later(ErrLimit, time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime+settleTime)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var state string
		err := u.s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
			state, err = stateOf(tx, id)
			return err
		})
		switch {
		case err != nil:
			return err
		case state == accepted:
			return nil
		case state != sending:
			return ErrSend
		}
		select {
		case <-ctx.Done():
			return ErrSend
		case <-tick.C:
		}
	}
}

// newID makes an id that nothing else will ever have.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return "sms_" + hex.EncodeToString(b[:])
}
