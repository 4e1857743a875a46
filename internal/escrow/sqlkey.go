package escrow

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/store"
)

const keyColumns = `k.kid, k.n, k.public_jwk, k.signer, k.signing_jwk, k.signature, k.succession, k.predecessor, k.imported, k.created_at`

func scanKey(row store.Row) (k Key, err error) {
	var public, signing string
	var imported, created int64
	err = row.Scan(&k.Kid, &k.N, &public, &k.Signer, &signing, &k.Signature, &k.Succession, &k.Predecessor, &imported, &created)
	k.Public, k.Imported, k.CreatedAt = json.RawMessage(public), imported != 0, at(created)
	if signing != "" {
		k.Signing = json.RawMessage(signing)
	}
	return k, err
}

func oneKey(row store.Row, none error) (Key, error) {
	k, err := scanKey(row)
	if errors.Is(err, store.ErrNone) {
		return Key{}, none
	}
	return k, err
}

// currentKey is the key that machines seal to; ErrNoKey where there is none.
func currentKey(tx *store.Tx, tenantID string) (Key, error) {
	return oneKey(tx.Row(`SELECT `+keyColumns+` FROM escrow_keys k WHERE k.tenant_id = $1 ORDER BY k.n DESC LIMIT 1`, tenantID), ErrNoKey)
}

// selectKey is a key of the tenant's; ErrNotFound where there is none of this kid.
func selectKey(tx *store.Tx, tenantID, kid string) (Key, error) {
	return oneKey(tx.Row(`SELECT `+keyColumns+` FROM escrow_keys k WHERE k.tenant_id = $1 AND k.kid = $2`, tenantID, kid), ErrNotFound)
}

func listKeys(tx *store.Tx, tenantID string) ([]Key, error) {
	return store.List(tx, scanKey, `SELECT `+keyColumns+` FROM escrow_keys k WHERE k.tenant_id = $1 ORDER BY k.n DESC`, tenantID)
}

func insertKey(tx *store.Tx, tenantID string, k Key) error {
	imported := 0
	if k.Imported {
		imported = 1
	}
	_, err := tx.Exec(`INSERT INTO escrow_keys (tenant_id, kid, n, public_jwk, signer, signing_jwk, signature, succession, predecessor, imported, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		tenantID, k.Kid, k.N, string(k.Public), k.Signer, string(k.Signing), k.Signature, k.Succession, k.Predecessor, imported, ms(k.CreatedAt))
	return err
}

// vouch gives a key that has none its signing key. It reports whether it had none.
func vouch(tx *store.Tx, tenantID string, k Key) (bool, error) {
	n, err := tx.Exec(`UPDATE escrow_keys SET signer = $1, signing_jwk = $2, signature = $3, created_at = $4 WHERE tenant_id = $5 AND kid = $6 AND signer = ''`,
		k.Signer, string(k.Signing), k.Signature, ms(k.CreatedAt), tenantID, k.Kid)
	return n > 0, err
}

func scanWrapping(row store.Row) (w Wrapping, err error) {
	var created, superseded int64
	err = row.Scan(&w.Version, &w.Format, &w.Wrapped, &created, &superseded)
	w.CreatedAt, w.SupersededAt = at(created), at(superseded)
	return w, err
}

// wrappingsOf lists the wrappings of a key that are kept, the newest first.
func wrappingsOf(tx *store.Tx, tenantID, kid string, now time.Time) ([]Wrapping, error) {
	return store.List(tx, scanWrapping, `SELECT version, format, wrapped, created_at, superseded_at FROM escrow_wrappings
		WHERE tenant_id = $1 AND kid = $2 AND (superseded_at = 0 OR superseded_at > $3) ORDER BY version DESC`, tenantID, kid, now.Add(-keepWrappings).UnixMilli())
}

// insertWrapping adds a version, which becomes the current one, and lets go of
// those before the last few.
func insertWrapping(tx *store.Tx, tenantID, kid, format, wrapped string, now time.Time) (version int, err error) {
	if version, err = count(tx, `SELECT COALESCE(MAX(version), 0) + 1 FROM escrow_wrappings WHERE tenant_id = $1 AND kid = $2`, tenantID, kid); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(`UPDATE escrow_wrappings SET superseded_at = $1 WHERE tenant_id = $2 AND kid = $3 AND superseded_at = 0`, ms(now), tenantID, kid); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(`INSERT INTO escrow_wrappings (tenant_id, kid, version, format, wrapped, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		tenantID, kid, version, format, wrapped, ms(now)); err != nil {
		return 0, err
	}
	_, err = tx.Exec(`DELETE FROM escrow_wrappings WHERE tenant_id = $1 AND kid = $2 AND superseded_at > 0 AND version NOT IN
		(SELECT version FROM escrow_wrappings WHERE tenant_id = $1 AND kid = $2 AND superseded_at > 0 ORDER BY version DESC LIMIT $3)`, tenantID, kid, mostOldWrappings)
	return version, err
}

// recovery is a copy for recovery, as it is kept.
type recovery struct {
	envelope.Recovery
	sealed    string
	createdAt time.Time
}

func recoveriesOf(tx *store.Tx, tenantID, kid string) ([]recovery, error) {
	return store.List(tx, func(row store.Row) (r recovery, err error) {
		var created int64
		err = row.Scan(&r.sealed, &r.Set, &r.K, &r.N, &created)
		r.createdAt = at(created)
		return r, err
	}, `SELECT sealed, share_set, k, shares, created_at FROM escrow_recoveries WHERE tenant_id = $1 AND kid = $2 ORDER BY n DESC`, tenantID, kid)
}

// nextRecovery is the number of the next copy; ErrFull where there is no room for one.
func nextRecovery(tx *store.Tx, tenantID, kid string) (int, error) {
	n, err := count(tx, `SELECT COALESCE(MAX(n), 0) + 1 FROM escrow_recoveries WHERE tenant_id = $1 AND kid = $2`, tenantID, kid)
	if err == nil && n > mostRecoveries {
		err = ErrFull
	}
	return n, err
}

func insertRecovery(tx *store.Tx, tenantID, kid string, r recovery) error {
	n, err := nextRecovery(tx, tenantID, kid)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO escrow_recoveries (tenant_id, kid, n, sealed, share_set, k, shares, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		tenantID, kid, n, r.sealed, r.Set, r.K, r.N, ms(r.createdAt))
	return err
}
