package session

import (
	"errors"

	"github.com/portreeve/portreeve/internal/store"
)

const columns = `s.id, COALESCE(s.tenant_id, ''), s.user_id, s.site, s.provider, s.owner, s.sid, s.facts, s.refresh, s.refresh_rev, s.tokens_end, s.retry_at,
	s.lease, s.lease_until, s.stood, s.idle, s.seen_at, s.auth_time, s.created_at, s.ends_at`

func (r *row) into() []any {
	return []any{&r.id, &r.tenant, &r.user, &r.site, &r.provider, &r.owner, &r.sid, &r.facts, &r.refresh, &r.refreshRev, &r.tokensEnd, &r.retryAt,
		&r.lease, &r.leaseUntil, &r.stood, &r.idle, &r.seenAt, &r.authTime, &r.createdAt, &r.endsAt}
}

func scanRow(from store.Row) (r row, err error) {
	err = from.Scan(r.into()...)
	return r, err
}

// byID reads a session; found is false where there is none.
func byID(tx *store.Tx, id string) (r row, found bool, err error) {
	return there(scanRow(tx.Row(`SELECT `+columns+` FROM sessions s WHERE s.id = $1`, id)))
}

// byCookie reads the session of a cookie, and when that cookie ends; 0: with the
// session.
func byCookie(tx *store.Tx, hash string) (r row, cookieEnds int64, found bool, err error) {
	err = tx.Row(`SELECT `+columns+`, c.expires_at FROM session_cookies c JOIN sessions s ON s.id = c.session_id WHERE c.hash = $1`, hash).
		Scan(append(r.into(), &cookieEnds)...)
	r, found, err = there(r, err)
	return r, cookieEnds, found, err
}

func there(r row, err error) (row, bool, error) {
	if errors.Is(err, store.ErrNone) {
		return row{}, false, nil
	}
	return r, err == nil, err
}

// takeTurn makes sign-ins of one owner wait for each other to the end of their
// transactions.
func takeTurn(tx *store.Tx, owner string) error {
	_, err := tx.Exec(`INSERT INTO session_owners (owner, rev) VALUES ($1, 1) ON CONFLICT (owner) DO UPDATE SET rev = session_owners.rev + 1`, owner)
	return err
}

// hold makes changes of one session wait for each other; found is false where it
// is gone.
func hold(tx *store.Tx, id string) (found bool, err error) {
	n, err := tx.Exec(`UPDATE sessions SET stood = stood WHERE id = $1`, id)
	return n > 0, err
}

func insertRow(tx *store.Tx, r row) error {
	_, err := tx.Exec(`INSERT INTO sessions (id, tenant_id, user_id, site, provider, owner, sid, facts, refresh, tokens_end, stood, idle, seen_at, auth_time, created_at, ends_at)
		VALUES ($1, NULLIF($2, ''), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		r.id, r.tenant, r.user, r.site, r.provider, r.owner, r.sid, r.facts, r.refresh, r.tokensEnd, r.stood, r.idle, r.seenAt, r.authTime, r.createdAt, r.endsAt)
	return err
}

func insertCookie(tx *store.Tx, hash, session string) error {
	_, err := tx.Exec(`INSERT INTO session_cookies (hash, session_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING`, hash, session, tx.Now().UnixMilli())
	return err
}

// retireCookies lets the cookie that counts end soon; the caller holds the session.
func retireCookies(tx *store.Tx, session string) error {
	_, err := tx.Exec(`UPDATE session_cookies SET expires_at = $2 WHERE session_id = $1 AND expires_at = 0`, session, tx.Now().Add(oldCookie).UnixMilli())
	return err
}

// counting is the hash of the cookie that counts; "" where the session is gone.
func counting(tx *store.Tx, session string) (hash string, err error) {
	err = tx.Row(`SELECT hash FROM session_cookies WHERE session_id = $1 AND expires_at = 0`, session).Scan(&hash)
	if errors.Is(err, store.ErrNone) {
		err = nil
	}
	return hash, err
}

// deleteRow removes a session with its cookies; of any number who try, one does.
func deleteRow(tx *store.Tx, id string) (gone bool, err error) {
	n, err := tx.Exec(`DELETE FROM sessions WHERE id = $1`, id)
	return n > 0, err
}

// rowsOf lists sessions, the newest first.
func rowsOf(tx *store.Tx, o Of) ([]row, error) {
	return store.List(tx, scanRow, `SELECT `+columns+` FROM sessions s
		WHERE (s.owner = $1 AND $1 <> '') OR (s.tenant_id = $2 AND s.user_id = $3 AND $3 <> '') ORDER BY s.created_at DESC, s.id`,
		o.owner(), o.Tenant, o.UserID)
}

func rowsOfOwner(tx *store.Tx, owner string) ([]row, error) {
	return store.List(tx, scanRow, `SELECT `+columns+` FROM sessions s WHERE s.owner = $1 ORDER BY s.created_at DESC, s.id`, owner)
}

func rowsOfSID(tx *store.Tx, sid string) ([]row, error) {
	return store.List(tx, scanRow, `SELECT `+columns+` FROM sessions s WHERE s.sid = $1 AND s.sid <> '' ORDER BY s.created_at DESC, s.id`, sid)
}
