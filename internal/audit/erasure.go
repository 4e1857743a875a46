package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// purposeErasures derives the keys of the digests by which erased persons are known.
const purposeErasures = "audit-erasures"

// erasureKept is how long an erasure is known, and a count keeps its name that could
// not be written.
const erasureKept = 24 * time.Hour

// turn makes erasing and writing counts wait for each other: a count is either
// erased with the rest, or written without a name.
func turn(tx *store.Tx) error {
	_, err := tx.Exec(`INSERT INTO audit_turn (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = audit_turn.n + 1`)
	return err
}

// note keeps for a day who was erased, and where.
func (l *Log) note(tx *store.Tx, s Scope, folded string) error {
	if err := turn(tx); err != nil {
		return err
	}
	now := l.now()
	if _, err := tx.Exec(`DELETE FROM audit_erasures WHERE at < $1`, now.Add(-erasureKept).UnixMilli()); err != nil {
		return err
	}
	mark, err := l.mark(l.keyID, folded)
	if err != nil {
		return err
	}
	everywhere := int64(0)
	if s.All {
		s.Tenant, everywhere = "", 1
	}
	_, err = tx.Exec(`INSERT INTO audit_erasures (tenant_id, everywhere, person, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person, tenant_id, everywhere) DO UPDATE SET at = excluded.at`, s.Tenant, everywhere, mark, now.UnixMilli())
	return err
}

// mark is the digest of an address under one master key.
func (l *Log) mark(keyID, folded string) ([]byte, error) {
	key, err := l.keys.Derive(purposeErasures, keyID)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(folded))
	return h.Sum(nil), nil
}

// nameless reports whether a count is not to name its account any more.
func (l *Log) nameless(tx *store.Tx, c counted) (bool, error) {
	if c.account == "" {
		return false, nil
	}
	began := time.Unix(c.minute*60, 0)
	if l.now().Sub(began) >= erasureKept {
		return true, nil
	}
	for _, id := range l.keys.IDs() { // nodes may be on their way to another one
		mark, err := l.mark(id, c.account)
		if err != nil {
			return false, err
		}
		var n int64
		err = tx.Row(`SELECT COUNT(*) FROM audit_erasures WHERE person = $1 AND (everywhere = 1 OR tenant_id = $2) AND at >= $3`,
			mark, c.tenant, began.UnixMilli()).Scan(&n)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}
