package apikey

import (
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// mostAlike bounds how many machine tokens that share their first characters
// are compared. Four characters are 16 million prefixes, so that a tenant's
// engines never come near it.
const mostAlike = 256

// kept is one stored secret.
type kept struct {
	hashed
	tenant, key string
	machine     bool
	expires     time.Time // end of the grace; zero: none
}

// secretsFor finds what a token may match, over all tenants: whose it is, is
// what it is to prove. It is the one query of the package that names no tenant.
func secretsFor(tx *store.Tx, t token) ([]kept, error) {
	const columns = `SELECT tenant_id, key_id, salt, hash, machine, expires_at FROM api_key_secrets `
	if t.format == formatToken {
		return store.List(tx, scanSecret, columns+`WHERE format = 'tok' AND lookup = $1 ORDER BY tenant_id, key_id LIMIT $2`, t.lookup, mostAlike)
	}
	return store.List(tx, scanSecret, columns+`WHERE format = 'prk' AND lookup = $1`, t.lookup)
}

func scanSecret(row store.Row) (k kept, err error) {
	var machine, expires int64
	err = row.Scan(&k.tenant, &k.key, &k.salt, &k.hash, &machine, &expires)
	k.machine, k.expires = machine != 0, moment(expires)
	return k, err
}

func insertSecret(tx *store.Tx, k Key, t token, h hashed) error {
	_, err := tx.Exec(`INSERT INTO api_key_secrets (tenant_id, key_id, hash, salt, format, lookup, machine, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`, k.Tenant, k.ID, h.hash, h.salt, t.format, t.lookup, k.Machine, millis(tx.Now()))
	return err
}

// endSecrets makes room for a new secret: those that were in their grace go at
// once, the newest gets a grace, or goes too.
func endSecrets(tx *store.Tx, tenantID, id string, end time.Time) error {
	if _, err := tx.Exec(`DELETE FROM api_key_secrets WHERE tenant_id = $1 AND key_id = $2 AND expires_at <> 0`, tenantID, id); err != nil {
		return err
	}
	if !end.After(tx.Now()) {
		return dropSecrets(tx, tenantID, id)
	}
	_, err := tx.Exec(`UPDATE api_key_secrets SET expires_at = $3 WHERE tenant_id = $1 AND key_id = $2`, tenantID, id, millis(end))
	return err
}

func dropSecrets(tx *store.Tx, tenantID, id string) error {
	_, err := tx.Exec(`DELETE FROM api_key_secrets WHERE tenant_id = $1 AND key_id = $2`, tenantID, id)
	return err
}

// secretEnd says when a key's secret ends, zero for never; ok is false where it
// has ended for good.
func secretEnd(tx *store.Tx, tenantID, id, hash string) (end time.Time, ok bool, err error) {
	var ms int64
	err = tx.Row(`SELECT expires_at FROM api_key_secrets WHERE tenant_id = $1 AND key_id = $2 AND hash = $3`, tenantID, id, hash).Scan(&ms)
	if errors.Is(err, store.ErrNone) {
		return time.Time{}, false, nil
	}
	return moment(ms), err == nil, err
}

// longest is the digest of the secret of a key that lives longest; "" where there
// is none.
func longest(tx *store.Tx, tenantID, id string) (hash string, err error) {
	err = tx.Row(`SELECT hash FROM api_key_secrets WHERE tenant_id = $1 AND key_id = $2
		ORDER BY CASE WHEN expires_at = 0 THEN 0 ELSE 1 END, expires_at DESC, hash LIMIT 1`, tenantID, id).Scan(&hash)
	if errors.Is(err, store.ErrNone) {
		return "", nil
	}
	return hash, err
}
