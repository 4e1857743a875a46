package tenant

import "github.com/portreeve/portreeve/internal/store"

// RolesOf lists the stored roles of a user, sorted.
func RolesOf(tx *store.Tx, tenant, userID string) ([]string, error) {
	return store.List(tx, scanText, `SELECT role FROM user_roles WHERE tenant_id = $1 AND user_id = $2 ORDER BY role`, tenant, userID)
}

// Assigned counts the users of a tenant that have a role.
func Assigned(tx *store.Tx, tenant, role string) (n int, err error) {
	err = tx.Row(`SELECT COUNT(*) FROM user_roles WHERE tenant_id = $1 AND role = $2`, tenant, role).Scan(&n)
	return n, err
}

func addRole(tx *store.Tx, tenant, userID, role string) error {
	_, err := tx.Exec(`INSERT INTO user_roles (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, user_id, role) DO NOTHING`,
		tenant, userID, role, tx.Now().UnixMilli())
	return err
}

func removeRole(tx *store.Tx, tenant, userID, role string) error {
	_, err := tx.Exec(`DELETE FROM user_roles WHERE tenant_id = $1 AND user_id = $2 AND role = $3`, tenant, userID, role)
	return err
}

func scanText(row store.Row) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}
