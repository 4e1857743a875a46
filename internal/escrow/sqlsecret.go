package escrow

import (
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const secretColumns = `x.id, x.machine_id, x.kind, x.label, x.version, x.kid, x.format, x.ciphertext, x.created_at`

func scanSecret(row store.Row) (x Secret, err error) {
	var created int64
	err = row.Scan(&x.ID, &x.Machine, &x.Kind, &x.Label, &x.Version, &x.Kid, &x.Format, &x.Ciphertext, &created)
	x.CreatedAt = at(created)
	return x, err
}

func secretByDigest(tx *store.Tx, tenantID, machine, digest string) (Secret, error) {
	return oneSecret(tx.Row(`SELECT `+secretColumns+` FROM escrow_secrets x WHERE x.tenant_id = $1 AND x.machine_id = $2 AND x.digest = $3`, tenantID, machine, digest))
}

func selectSecret(tx *store.Tx, tenantID, id string) (Secret, error) {
	return oneSecret(tx.Row(`SELECT `+secretColumns+` FROM escrow_secrets x WHERE x.tenant_id = $1 AND x.id = $2`, tenantID, id))
}

func oneSecret(row store.Row) (Secret, error) {
	x, err := scanSecret(row)
	if errors.Is(err, store.ErrNone) {
		return Secret{}, ErrNotFound
	}
	return x, err
}

func nextVersion(tx *store.Tx, tenantID string, x Secret) (int, error) {
	n, err := count(tx, `SELECT COALESCE(MAX(version), 0) FROM escrow_secrets WHERE tenant_id = $1 AND machine_id = $2 AND kind = $3 AND label = $4`, tenantID, x.Machine, x.Kind, x.Label)
	return n + 1, err
}

func insertSecret(tx *store.Tx, tenantID string, x Secret) error {
	_, err := tx.Exec(`INSERT INTO escrow_secrets (tenant_id, id, machine_id, kind, label, version, kid, format, ciphertext, digest, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, tenantID, x.ID, x.Machine, x.Kind, x.Label, x.Version, x.Kid, x.Format, x.Ciphertext, x.digest, ms(x.CreatedAt))
	return err
}

// markRevealed notes who had a secret handed out last, beside the event of it.
func markRevealed(tx *store.Tx, tenantID, id, userID string, now time.Time) error {
	_, err := tx.Exec(`UPDATE escrow_secrets SET revealed_at = $1, revealed_by = $2 WHERE tenant_id = $3 AND id = $4`, ms(now), userID, tenantID, id)
	return err
}

// secretRow is what a list shows of a secret: everything but itself.
type secretRow struct {
	Secret
	hostname   string
	revealedAt time.Time
	revealedBy string // users row
	email      string // of that row, "" where it is gone
}

// listSecrets reads a page, the newest first; machine and kind narrow it unless
// they are "". No ciphertext is read.
func listSecrets(tx *store.Tx, tenantID, machine, kind string, p input.Page) (list []secretRow, total int, err error) {
	w := only(`x.tenant_id = ?`, tenantID)
	w.text("x.machine_id", machine)
	w.text("x.kind", kind)
	if total, err = count(tx, `SELECT COUNT(*) FROM escrow_secrets x`+w.String(), w.args...); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, func(row store.Row) (x secretRow, err error) {
		var created, revealed int64
		err = row.Scan(&x.ID, &x.Machine, &x.Kind, &x.Label, &x.Version, &x.Kid, &x.Format, &created, &x.hostname, &revealed, &x.revealedBy, &x.email)
		x.CreatedAt, x.revealedAt = at(created), at(revealed)
		return x, err
	}, `SELECT x.id, x.machine_id, x.kind, x.label, x.version, x.kid, x.format, x.created_at, m.hostname,
			x.revealed_at, x.revealed_by, COALESCE(u.email, '')
		FROM escrow_secrets x JOIN machines m ON m.tenant_id = x.tenant_id AND m.id = x.machine_id
			LEFT JOIN users u ON u.tenant_id = x.tenant_id AND u.id = x.revealed_by`+w.String()+` ORDER BY x.created_at DESC, x.id`+w.page(p), w.args...)
	return list, total, err
}
