package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

const tenantColumns = `id, name, auto, disabled, settings, created_at, updated_at`

func scanTenant(row store.Row) (Tenant, error) {
	var t Tenant
	var auto, disabled, created, updated int64
	var settings string
	if err := row.Scan(&t.ID, &t.Name, &auto, &disabled, &settings, &created, &updated); err != nil {
		return Tenant{}, err
	}
	if err := json.Unmarshal([]byte(settings), &t.Settings); err != nil {
		return Tenant{}, fmt.Errorf("settings of tenant %s: %w", t.ID, err)
	}
	t.Auto, t.Disabled, t.CreatedAt, t.UpdatedAt = auto != 0, disabled != 0, at(created), at(updated)
	return t, nil
}

// Get reads one tenant; ErrNoTenant where there is none.
func Get(tx *store.Tx, id string) (Tenant, error) {
	t, err := scanTenant(tx.Row(`SELECT `+tenantColumns+` FROM tenants WHERE id = $1`, id))
	if errors.Is(err, store.ErrNone) {
		return Tenant{}, ErrNoTenant
	}
	return t, err
}

func listTenants(tx *store.Tx, limit, offset int) (list []Tenant, total int, err error) {
	if err = tx.Row(`SELECT COUNT(*) FROM tenants`).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, scanTenant, `SELECT `+tenantColumns+` FROM tenants ORDER BY created_at, id LIMIT $1 OFFSET $2`, limit, offset)
	return list, total, err
}

// insertTenant reports whether the id was free: neither taken now nor by a
// tenant that is gone. It looks for the latter after the row stands: whoever
// deletes one holds its row until then.
func insertTenant(tx *store.Tx, t Tenant) (free bool, err error) {
	n, err := tx.Exec(`INSERT INTO tenants (id, name, auto, settings, created_at, updated_at) VALUES ($1, $2, $3, '{}', $4, $5) ON CONFLICT (id) DO NOTHING`,
		t.ID, t.Name, bit(t.Auto), t.CreatedAt.UnixMilli(), t.UpdatedAt.UnixMilli())
	if err != nil || n == 0 {
		return false, err
	}
	gone, err := isGone(tx, t.ID, "")
	return !gone, err
}

func deleteTenant(tx *store.Tx, id string) error {
	if err := setGone(tx, id, ""); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM tenants WHERE id = $1`, id) // what is the tenant's goes with it (ON DELETE CASCADE)
	return err
}

func setTenantDisabled(tx *store.Tx, id string, disabled bool) (changed bool, err error) {
	n, err := tx.Exec(`UPDATE tenants SET disabled = $1, updated_at = $2 WHERE id = $3 AND disabled <> $4`, bit(disabled), tx.Now().UnixMilli(), id, bit(disabled))
	return n > 0, err
}

func setSettings(tx *store.Tx, id string, s Settings) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE tenants SET settings = $1, updated_at = $2 WHERE id = $3`, string(raw), tx.Now().UnixMilli(), id)
	return err
}

// countAuto counts the tenants that claims made, in all and since a time. It
// begins with the turn of all who make tenants so.
func countAuto(tx *store.Tx, since time.Time) (all, recent int, err error) {
	if _, err = tx.Exec(`INSERT INTO tenant_auto (one, turns) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET turns = tenant_auto.turns + 1`); err != nil {
		return 0, 0, err
	}
	if err = tx.Row(`SELECT COUNT(*) FROM tenants WHERE auto = 1`).Scan(&all); err != nil {
		return 0, 0, err
	}
	err = tx.Row(`SELECT COUNT(*) FROM tenants WHERE auto = 1 AND created_at > $1`, since.UnixMilli()).Scan(&recent)
	return all, recent, err
}

func isGone(tx *store.Tx, tenant, id string) (bool, error) {
	var n int
	err := tx.Row(`SELECT COUNT(*) FROM tenant_gone WHERE tenant_id = $1 AND id = $2`, tenant, id).Scan(&n)
	return n > 0, err
}

func setGone(tx *store.Tx, tenant, id string) error {
	_, err := tx.Exec(`INSERT INTO tenant_gone (tenant_id, id, gone_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, id) DO NOTHING`, tenant, id, tx.Now().UnixMilli())
	return err
}

// at is a stored time; 0 is none.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
