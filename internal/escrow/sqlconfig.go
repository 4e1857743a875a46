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

// listConfigs reads a page of the latest versions by name. search narrows it to
// those whose name or match contains a text, unless it is "".
func listConfigs(tx *store.Tx, tenantID, search string, p input.Page) (list []MachineConfig, total int, err error) {
	w := only(`tenant_id = ? AND latest = 1`, tenantID)
	if search != "" {
		pattern := like(foldHost(search))
		w.and(`(name LIKE ? ESCAPE '!' OR match_folded LIKE ? ESCAPE '!' OR match_group = ?)`, pattern, pattern, search)
	}
	if total, err = count(tx, `SELECT COUNT(*) FROM machine_configs`+w.String(), w.args...); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, scanConfig, `SELECT `+configColumns+` FROM machine_configs`+w.String()+` ORDER BY name`+w.page(p), w.args...)
	return list, total, err
}

// configVersions reads a page of the versions of one, the newest first, without
// their content; none at all is ErrNotFound.
func configVersions(tx *store.Tx, tenantID, name string, p input.Page) (list []MachineConfig, total int, err error) {
	w := only(`tenant_id = ? AND name = ?`, tenantID, name)
	if total, err = count(tx, `SELECT COUNT(*) FROM machine_configs`+w.String(), w.args...); err != nil {
		return nil, 0, err
	}
	if total == 0 {
		return nil, 0, ErrNotFound
	}
	list, err = store.List(tx, scanConfig, `SELECT `+configColumns+` FROM machine_configs`+w.String()+` ORDER BY version DESC`+w.page(p), w.args...)
	return list, total, err
}

// selectConfig is the latest version with its content.
func selectConfig(tx *store.Tx, tenantID, name string) (MachineConfig, error) {
	return oneConfig(tx, only(`tenant_id = ? AND name = ? AND latest = 1`, tenantID, name))
}

// configVersion is one version with its content.
func configVersion(tx *store.Tx, tenantID, name string, version int) (MachineConfig, error) {
	return oneConfig(tx, only(`tenant_id = ? AND name = ? AND version = ?`, tenantID, name, version))
}

func oneConfig(tx *store.Tx, w *where) (MachineConfig, error) {
	var content string
	c, err := scanConfig(more{tx.Row(`SELECT `+configColumns+`, config FROM machine_configs`+w.String(), w.args...), []any{&content}})
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
