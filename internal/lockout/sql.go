package lockout

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

const (
	mostRows  = 1000   // that the attempts of one address can make
	mostKnown = 256    // addresses of one account
	rowsOf    = "rows" // what the address of a row is hashed as
)

// place is a counter's row, and what it is held against.
type place struct {
	kind, digest string
	network      string // digest of the address that makes the row; "" where no one does
	rule         rule
	counter
}

// read is for a look before the turn is taken.
func (p *place) read(tx *store.Tx, now time.Time) error {
	return p.scan(tx.Row(`SELECT wrong, held FROM lockout_counters WHERE kind = $1 AND digest = $2`, p.kind, p.digest), now)
}

// turn makes writers of the counter wait for each other to the end of their
// transactions.
func (p *place) turn(tx *store.Tx, now time.Time) error {
	return p.scan(tx.Row(`INSERT INTO lockout_counters (kind, digest, network) VALUES ($1, $2, $3)
		ON CONFLICT (kind, digest) DO UPDATE SET rev = lockout_counters.rev + 1 RETURNING wrong, held`, p.kind, p.digest, p.network), now)
}

func (p *place) scan(row store.Row, now time.Time) error {
	var wrong, held string
	switch err := row.Scan(&wrong, &held); {
	case errors.Is(err, store.ErrNone):
		p.counter = counter{}
		return nil
	case err != nil:
		return err
	}
	var c counter
	if err := errors.Join(json.Unmarshal([]byte(wrong), &c.wrong), json.Unmarshal([]byte(held), &c.held)); err != nil {
		return fmt.Errorf("read the counter of kind %q: %w", p.kind, err)
	}
	p.counter = c.at(now, p.rule.window)
	return nil
}

// write keeps the counter, or removes one that holds nothing.
func (p *place) write(tx *store.Tx) error {
	if p.empty() {
		_, err := tx.Exec(`DELETE FROM lockout_counters WHERE kind = $1 AND digest = $2`, p.kind, p.digest)
		return err
	}
	_, err := tx.Exec(`UPDATE lockout_counters SET wrong = $3, held = $4, expires_at = $5 WHERE kind = $1 AND digest = $2`,
		p.kind, p.digest, list(p.wrong), list(p.held), p.ends(p.rule).UnixMilli())
	return err
}

func list(moments []int64) string {
	b, _ := json.Marshal(append([]int64{}, moments...)) // integers
	return string(b)
}

// room refuses a row that was not there before, where the address has made as many
// as it may.
func (p *place) room(tx *store.Tx, window time.Duration) error {
	if p.network == "" || !p.empty() {
		return nil
	}
	var n int
	err := tx.Row(`SELECT COUNT(*) FROM (SELECT 1 FROM lockout_counters WHERE network = $1 LIMIT $2) AS made`, p.network, mostRows+1).Scan(&n)
	if err == nil && n > mostRows {
		return tooMany(window)
	}
	return err
}

// known reports whether an account was signed in to from an address since then.
func known(tx *store.Tx, account, address string, since time.Time) (bool, error) {
	var n int
	err := tx.Row(`SELECT COUNT(*) FROM lockout_known WHERE account = $1 AND address = $2 AND seen_at > $3`, account, address, since.UnixMilli()).Scan(&n)
	return n > 0, err
}

// meet remembers that an account was signed in to from an address, and forgets the
// oldest of more than are kept.
func meet(tx *store.Tx, account, address string, now time.Time) error {
	if _, err := tx.Exec(`INSERT INTO lockout_known (account, address, seen_at) VALUES ($1, $2, $3)
		ON CONFLICT (account, address) DO UPDATE SET seen_at = excluded.seen_at WHERE lockout_known.seen_at < excluded.seen_at`, account, address, now.UnixMilli()); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM lockout_known WHERE account = $1 AND address IN
		(SELECT address FROM lockout_known WHERE account = $1 ORDER BY seen_at DESC, address LIMIT 1000 OFFSET $2)`, account, mostKnown)
	return err
}
