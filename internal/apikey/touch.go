package apikey

import (
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Touch adds uses to a key, in the caller's transaction. It is no change that
// anybody has to be told of, and takes no turn: adding is one statement, and
// whoever adds to several keys does so in one order. The uses of a key that is
// gone go with it.
func (s *Service) Touch(tx *store.Tx, tenantID, id string, uses int64, last time.Time) error {
	_, err := tx.Exec(`UPDATE api_keys SET uses = uses + $3, last_used_at = CASE WHEN last_used_at < $4 THEN $4 ELSE last_used_at END
		WHERE tenant_id = $1 AND id = $2`, tenantID, id, uses, millis(last))
	return err
}

// Exists reports whether a tenant has, or had, a key of this id: what revoked
// ones were used for can still be asked.
func (s *Service) Exists(tx *store.Tx, tenantID, id string) (bool, error) {
	var n int64
	err := tx.Row(`SELECT COUNT(*) FROM api_keys WHERE tenant_id = $1 AND id = $2`, tenantID, id).Scan(&n)
	return n > 0, err
}
