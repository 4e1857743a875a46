package sms

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// The states of a send.
const (
	sending  = "sending"
	accepted = "accepted"
	unknown  = "unknown"
)

// sent is a row as far as a repeat asks for it.
type sent struct {
	id, state string
	at        time.Time
}

// turn takes the site's turn: claims follow each other from here to the end of
// their transactions, on both engines.
func turn(tx *store.Tx, site string) error {
	_, err := tx.Exec(`INSERT INTO sms_turns (site, rev) VALUES ($1, 1) ON CONFLICT (site) DO UPDATE SET rev = sms_turns.rev + 1`, site)
	return err
}

// among is "column IN ($n, …)" for a value's digests, and their arguments.
func among(column counted, d digests, args []any) (string, []any) {
	var places []string
	for _, one := range d {
		args = append(args, one)
		places = append(places, fmt.Sprintf("$%d", len(args)))
	}
	return string(column) + " IN (" + strings.Join(places, ", ") + ")", args
}

// before are the sends of a campaign to a number that a repeat has to look at:
// those accepted since, and whatever came to no outcome.
func before(tx *store.Tx, site, campaign string, n digests, since time.Time) ([]sent, error) {
	in, args := among(byNumber, n, []any{site, campaign, accepted, since.UnixMilli()})
	return store.List(tx, func(r store.Row) (s sent, err error) {
		var at int64
		err = r.Scan(&s.id, &s.state, &at)
		s.at = time.UnixMilli(at)
		return s, err
	}, `SELECT id, state, at FROM sms_sends WHERE site = $1 AND campaign = $2 AND (state <> $3 OR at > $4) AND `+in+` ORDER BY at DESC LIMIT 100`, args...)
}

// full says when a rule that has no room has some again; zero: it has. without is
// a row that does not count.
func full(tx *store.Tx, site string, r rule, w whom, without string, now time.Time) (until time.Time, err error) {
	args := []any{site, now.Add(-r.window).UnixMilli(), without, r.max - 1}
	where := ""
	switch r.by {
	case byNumber:
		where, args = among(r.by, w.number, args)
	case byNetwork:
		where, args = among(r.by, w.network, args)
	case byPrefix:
		where, args = among(r.by, w.prefix, args)
	}
	if where != "" {
		where = " AND " + where
	}
	var at int64
	err = tx.Row(`SELECT at FROM sms_sends WHERE site = $1 AND at > $2 AND id <> $3`+where+` ORDER BY at DESC LIMIT 1 OFFSET $4`, args...).Scan(&at)
	switch {
	case errors.Is(err, store.ErrNone):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	}
	return time.UnixMilli(at).Add(r.window), nil
}

// put writes the row of a send that begins.
func put(tx *store.Tx, id, site, campaign string, w whom, at, keep time.Time) error {
	_, err := tx.Exec(`INSERT INTO sms_sends (id, site, campaign, number, network, prefix, state, at, keep_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id, site, campaign, w.number[0], w.network[0], w.prefix[0], sending, at.UnixMilli(), keep.UnixMilli())
	return err
}

// setState ends a send, if it is still the one that began then.
func setState(tx *store.Tx, id, state string, began, at, keep time.Time) error {
	_, err := tx.Exec(`UPDATE sms_sends SET state = $1, at = $2, keep_until = $3 WHERE id = $4 AND state = $5 AND at = $6`,
		state, at.UnixMilli(), keep.UnixMilli(), id, sending, began.UnixMilli())
	return err
}

// forget removes the row of a send that was refused.
func forget(tx *store.Tx, id string, began time.Time) error {
	_, err := tx.Exec(`DELETE FROM sms_sends WHERE id = $1 AND state = $2 AND at = $3`, id, sending, began.UnixMilli())
	return err
}

// replace removes the row of a send of unknown outcome, once the same text was
// accepted; "" is none.
func replace(tx *store.Tx, id string) error {
	if id == "" {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM sms_sends WHERE id = $1 AND state <> $2`, id, accepted)
	return err
}

// stateOf is the state of a send; "" when it is gone.
func stateOf(tx *store.Tx, id string) (state string, err error) {
	err = tx.Row(`SELECT state FROM sms_sends WHERE id = $1`, id).Scan(&state)
	if errors.Is(err, store.ErrNone) {
		err = nil
	}
	return state, err
}
