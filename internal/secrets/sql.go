package secrets

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// stored is a row with what is sealed in it.
type stored struct {
	id       string
	sealed   []byte
	inHeader bool
}

const columns = `name, in_header, previous_expires_at, metadata, created_at, updated_at, last_used_at, uses`

func scanSecret(row store.Row) (Secret, error) {
	var s Secret
	var inHeader, previous, created, updated, used int64
	var meta string
	err := row.Scan(&s.Key, &inHeader, &previous, &meta, &created, &updated, &used, &s.Uses)
	s.CreatedAt, s.UpdatedAt = moment(created), moment(updated)
	s.LastUsedAt, s.PreviousExpiresAt = orNil(used), orNil(previous)
	s.Metadata, s.UsableInHeaders = json.RawMessage(meta), inHeader != 0
	return s, err
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func orNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := moment(ms)
	return &t
}

// get reads what may be known of a secret.
func get(tx *store.Tx, tenant, name string) (Secret, error) {
	s, err := scanSecret(tx.Row(`SELECT `+columns+` FROM tenant_secrets WHERE tenant_id = $1 AND name = $2`, tenant, name))
	if errors.Is(err, store.ErrNone) {
		return Secret{}, ErrNone
	}
	return shown(s, tx.Now()), err
}

// shown hides a grace that has ended and is not swept yet.
func shown(s Secret, now time.Time) Secret {
	if s.PreviousExpiresAt != nil && !s.PreviousExpiresAt.After(now) {
		s.PreviousExpiresAt = nil
	}
	return s
}

func count(tx *store.Tx, tenant string) (n int, err error) {
	err = tx.Row(`SELECT COUNT(*) FROM tenant_secrets WHERE tenant_id = $1`, tenant).Scan(&n)
	return n, err
}

func list(tx *store.Tx, tenant string, limit, offset int) ([]Secret, error) {
	out, err := store.List(tx, scanSecret, `SELECT `+columns+` FROM tenant_secrets WHERE tenant_id = $1 ORDER BY name LIMIT $2 OFFSET $3`, tenant, limit, offset)
	for i := range out {
		out[i] = shown(out[i], tx.Now())
	}
	return out, err
}

// insert reports whether the name was free.
func insert(tx *store.Tx, tenant, name string, s stored, meta string) (bool, error) {
	now := tx.Now().UnixMilli()
	n, err := tx.Exec(`INSERT INTO tenant_secrets (tenant_id, id, name, sealed, in_header, metadata, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, name) DO NOTHING`, tenant, s.id, name, s.sealed, s.inHeader, meta, now, now)
	return n > 0, err
}

// read is the sealed value; ErrNone where there is none.
func read(tx *store.Tx, tenant, name string) (stored, error) {
	var s stored
	var inHeader int64
	err := tx.Row(`SELECT id, sealed, in_header FROM tenant_secrets WHERE tenant_id = $1 AND name = $2`, tenant, name).Scan(&s.id, &s.sealed, &inHeader)
	s.inHeader = inHeader != 0
	if errors.Is(err, store.ErrNone) {
		return stored{}, ErrNone
	}
	return s, err
}

// replace writes a new value, and what is left of the one before.
func replace(tx *store.Tx, tenant string, s stored, previous []byte, until int64) error {
	_, err := tx.Exec(`UPDATE tenant_secrets SET sealed = $1, in_header = $2, previous = $3, previous_expires_at = $4, updated_at = $5 WHERE tenant_id = $6 AND id = $7`,
		s.sealed, s.inHeader, previous, until, tx.Now().UnixMilli(), tenant, s.id)
	return err
}

// remove reports whether there was such a secret.
func remove(tx *store.Tx, tenant, name string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM tenant_secrets WHERE tenant_id = $1 AND name = $2`, tenant, name)
	return n > 0, err
}

// overdue lists tenants that have values whose grace has ended. It is the one
// query here over all tenants, and housekeeping's.
func overdue(tx *store.Tx) ([]string, error) {
	return store.List(tx, func(row store.Row) (tenant string, err error) { return tenant, row.Scan(&tenant) },
		`SELECT DISTINCT tenant_id FROM tenant_secrets WHERE previous_expires_at <> 0 AND previous_expires_at <= $1 LIMIT 100`, tx.Now().UnixMilli())
}

func sweep(tx *store.Tx, tenant string) error {
	_, err := tx.Exec(`UPDATE tenant_secrets SET previous = NULL, previous_expires_at = 0 WHERE tenant_id = $1 AND previous_expires_at <> 0 AND previous_expires_at <= $2`,
		tenant, tx.Now().UnixMilli())
	return err
}

// touch adds uses to a row; one that is gone takes none.
func touch(tx *store.Tx, u use) error {
	_, err := tx.Exec(`UPDATE tenant_secrets SET uses = uses + $1, last_used_at = CASE WHEN last_used_at < $2 THEN $3 ELSE last_used_at END WHERE tenant_id = $4 AND id = $5`,
		u.uses, u.last, u.last, u.tenant, u.id)
	return err
}
