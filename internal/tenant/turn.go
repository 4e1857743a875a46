package tenant

import (
	"errors"

	"github.com/portreeve/portreeve/internal/store"
)

// Turn is the first statement of every management write of a tenant: its
// writers take turns from here to the end of their transactions, on both
// engines, so that what a rule reads is still so when it writes. ErrNoTenant
// where there is none of this id.
func Turn(tx *store.Tx, id string) error {
	var rev int64
	err := tx.Row(`UPDATE tenants SET rev = rev + 1 WHERE id = $1 RETURNING rev`, id).Scan(&rev)
	if errors.Is(err, store.ErrNone) {
		return ErrNoTenant
	}
	return err
}
