package escrow

import (
	"encoding/json"
	"errors"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const configColumns = `name, version, match_machine, match_group, disabled, created_at`

func scanConfig(row store.Row) (c MachineConfig, err error) {
	var disabled, created int64
	err = row.Scan(&c.Name, &c.Version, &c.Match.Machine, &c.Match.Group, &disabled, &created)
	c.Disabled, c.CreatedAt = disabled != 0, at(created)
	return c, err
}

// liveConfigs are the latest versions that are not disabled, without their
// content, by name.
func liveConfigs(tx *store.Tx, tenantID string) ([]MachineConfig, error) {
	return store.List(tx, scanConfig, `SELECT `+configColumns+` FROM machine_configs WHERE tenant_id = $1 AND latest = 1 AND disabled = 0 ORDER BY name`, tenantID)
}

func listConfigs(tx *store.Tx, tenantID string, p input.Page) (list []MachineConfig, total int, err error) {
	if total, err = count(tx, `SELECT COUNT(*) FROM machine_configs WHERE tenant_id = $1 AND latest = 1`, tenantID); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, scanConfig, `SELECT `+configColumns+` FROM machine_configs WHERE tenant_id = $1 AND latest = 1 ORDER BY name LIMIT $2 OFFSET $3`,
		tenantID, p.Limit, p.Offset)
	return list, total, err
}

// selectConfig is the latest version with its content.
func selectConfig(tx *store.Tx, tenantID, name string) (MachineConfig, error) {
	var content string
	row := tx.Row(`SELECT `+configColumns+`, config FROM machine_configs WHERE tenant_id = $1 AND name = $2 AND latest = 1`, tenantID, name)
	c, err := scanConfig(oneMore{row, &content})
	if errors.Is(err, store.ErrNone) {
		return MachineConfig{}, ErrNotFound
	}
	c.Config = json.RawMessage(content)
	return c, err
}

func insertConfig(tx *store.Tx, tenantID string, c MachineConfig) error {
	if _, err := tx.Exec(`UPDATE machine_configs SET latest = 0 WHERE tenant_id = $1 AND name = $2 AND latest = 1`, tenantID, c.Name); err != nil {
		return err
	}
	disabled := 0
	if c.Disabled {
		disabled = 1
	}
	_, err := tx.Exec(`INSERT INTO machine_configs (tenant_id, name, version, latest, match_machine, match_folded, match_group, disabled, config, created_at)
		VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9)`, tenantID, c.Name, c.Version, c.Match.Machine, foldHost(c.Match.Machine), c.Match.Group, disabled, string(c.Config), ms(c.CreatedAt))
	return err
}
