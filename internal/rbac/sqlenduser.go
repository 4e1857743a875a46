package rbac

import (
	"fmt"

	"github.com/portreeve/portreeve/internal/store"
)

// settings are those of a tenant's end-user roles.
type settings struct {
	enabled     bool
	defaultRole string
}

// endUserSettings are the stored ones; off where there are none.
func endUserSettings(tx *store.Tx, tenant string) (s settings, err error) {
	list, err := store.List(tx, func(row store.Row) (s settings, err error) {
		var on int64
		err = row.Scan(&on, &s.defaultRole)
		s.enabled = on != 0
		return s, err
	}, `SELECT enabled, default_role FROM end_user_settings WHERE tenant_id = $1`, tenant)
	if err != nil {
		return s, fmt.Errorf("read the end-user settings: %w", err)
	}
	if len(list) > 0 {
		s = list[0]
	}
	return s, nil
}

func setEndUserSettings(tx *store.Tx, tenant string, s settings) error {
	on := 0
	if s.enabled {
		on = 1
	}
	_, err := tx.Exec(`INSERT INTO end_user_settings (tenant_id, enabled, default_role, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id) DO UPDATE SET enabled = excluded.enabled, default_role = excluded.default_role, updated_at = excluded.updated_at`,
		tenant, on, s.defaultRole, tx.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("write the end-user settings: %w", err)
	}
	return nil
}

// switchOn makes the settings where there are none.
func switchOn(tx *store.Tx, tenant string) error {
	_, err := tx.Exec(`INSERT INTO end_user_settings (tenant_id, enabled, default_role, updated_at) VALUES ($1, 1, '', $2)
		ON CONFLICT (tenant_id) DO NOTHING`, tenant, tx.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("write the end-user settings: %w", err)
	}
	return nil
}

// clearEndUsers removes the roles of a tenant's end users, and the settings.
func clearEndUsers(tx *store.Tx, tenant string) error {
	if _, err := tx.Exec(endUsers().clear, tenant); err != nil {
		return fmt.Errorf("clear the end-user roles: %w", err)
	}
	if _, err := tx.Exec(`DELETE FROM end_user_settings WHERE tenant_id = $1`, tenant); err != nil {
		return fmt.Errorf("clear the end-user settings: %w", err)
	}
	return nil
}
