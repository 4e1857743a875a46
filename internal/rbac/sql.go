package rbac

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// queries are those of one namespace of roles; the two are alike but for the
// name of their table.
type queries struct{ list, insert, update, remove, clear string }

func queriesOf(table string) queries {
	return queries{
		list: `SELECT name, description, parent, permissions, created_at, updated_at FROM ` + table + ` WHERE tenant_id = $1`,
		insert: `INSERT INTO ` + table + ` (tenant_id, name, description, parent, permissions, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		update: `UPDATE ` + table + ` SET description = $3, parent = $4, permissions = $5, updated_at = $6 WHERE tenant_id = $1 AND name = $2`,
		remove: `DELETE FROM ` + table + ` WHERE tenant_id = $1 AND name = $2`,
		clear:  `DELETE FROM ` + table + ` WHERE tenant_id = $1`,
	}
}

// granting are the roles that Portreeve grants by.
func granting() queries { return queriesOf("roles") }

// endUsers are the roles of a tenant's own application.
func endUsers() queries { return queriesOf("end_user_roles") }

// roles lists all roles of a tenant, by name.
func (q queries) roles(tx *store.Tx, tenant string) ([]Role, error) {
	out, err := store.List(tx, scanRole, q.list, tenant)
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	byName(out)
	return out, nil
}

func scanRole(row store.Row) (Role, error) {
	var r Role
	var permissions string
	var created, updated int64
	if err := row.Scan(&r.Name, &r.Description, &r.Parent, &permissions, &created, &updated); err != nil {
		return Role{}, err
	}
	if err := json.Unmarshal([]byte(permissions), &r.Permissions); err != nil {
		return Role{}, fmt.Errorf("permissions of a role: %w", err)
	}
	r.Permissions = each(r.Permissions)
	r.CreatedAt, r.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	return r, nil
}

func (q queries) add(tx *store.Tx, tenant string, r Role) error {
	permissions, err := json.Marshal(each(r.Permissions))
	if err != nil {
		return fmt.Errorf("write a role: %w", err)
	}
	_, err = tx.Exec(q.insert, tenant, r.Name, r.Description, r.Parent, string(permissions), r.CreatedAt.UnixMilli(), r.UpdatedAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("write a role: %w", err)
	}
	return nil
}

func (q queries) change(tx *store.Tx, tenant string, r Role) error {
	permissions, err := json.Marshal(each(r.Permissions))
	if err != nil {
		return fmt.Errorf("change a role: %w", err)
	}
	if _, err := tx.Exec(q.update, tenant, r.Name, r.Description, r.Parent, string(permissions), r.UpdatedAt.UnixMilli()); err != nil {
		return fmt.Errorf("change a role: %w", err)
	}
	return nil
}

func (q queries) drop(tx *store.Tx, tenant, name string) error {
	if _, err := tx.Exec(q.remove, tenant, name); err != nil {
		return fmt.Errorf("remove a role: %w", err)
	}
	return nil
}

// assigned counts the users of a tenant that have each role, the disabled ones
// among them.
func assigned(tx *store.Tx, tenant string) (map[string]int, error) {
	type count struct {
		role string
		n    int
	}
	list, err := store.List(tx, func(row store.Row) (c count, err error) {
		err = row.Scan(&c.role, &c.n)
		return c, err
	}, `SELECT role, COUNT(*) FROM user_roles WHERE tenant_id = $1 GROUP BY role`, tenant)
	if err != nil {
		return nil, fmt.Errorf("count the users of roles: %w", err)
	}
	out := make(map[string]int, len(list))
	for _, c := range list {
		out[c.role] = c.n
	}
	return out, nil
}
