package tenant

import (
	"errors"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

const userColumns = `tenant_id, id, email, service_token, name, provider, issuer, subject, bound_at, disabled, by_host, known_since, created_at, updated_at`

func scanUser(row store.Row) (User, error) {
	var u User
	var bound, disabled, byHost, since, created, updated int64
	err := row.Scan(&u.Tenant, &u.ID, &u.Email, &u.ServiceToken, &u.Name, &u.Bound.Provider, &u.Bound.Issuer, &u.Bound.Subject, &bound, &disabled, &byHost, &since, &created, &updated)
	u.BoundAt, u.Disabled, u.ByHost, u.KnownSince, u.CreatedAt, u.UpdatedAt = at(bound), disabled != 0, byHost != 0, at(since), at(created), at(updated)
	return u, err
}

// one reads a user with its roles; ErrNoUser where there is none.
func one(tx *store.Tx, row store.Row) (User, error) {
	u, err := scanUser(row)
	if errors.Is(err, store.ErrNone) {
		return User{}, ErrNoUser
	}
	if err == nil {
		u.Roles, err = RolesOf(tx, u.Tenant, u.ID)
	}
	return u, err
}

// UserByID reads a user of a tenant; ErrNoUser where it has none of this id.
func UserByID(tx *store.Tx, tenant, id string) (User, error) {
	return one(tx, tx.Row(`SELECT `+userColumns+` FROM users WHERE tenant_id = $1 AND id = $2`, tenant, id))
}

// UserByEmail reads a user of a tenant by any spelling of the address.
func UserByEmail(tx *store.Tx, tenant, email string) (User, error) {
	folded, _, ok := principal.FoldEmail(email)
	if !ok {
		return User{}, ErrNoUser
	}
	return one(tx, tx.Row(`SELECT `+userColumns+` FROM users WHERE tenant_id = $1 AND email_folded = $2 AND email_folded <> ''`, tenant, folded))
}

// UserByServiceToken reads the user of a tenant that is an Access service.
func UserByServiceToken(tx *store.Tx, tenant, clientID string) (User, error) {
	if clientID == "" {
		return User{}, ErrNoUser
	}
	return one(tx, tx.Row(`SELECT `+userColumns+` FROM users WHERE tenant_id = $1 AND service_token = $2 AND service_token <> ''`, tenant, clientID))
}

// UserByBinding reads the user of a tenant that is bound to an identity.
func UserByBinding(tx *store.Tx, tenant string, b Binding) (User, error) {
	if b.Provider == "" {
		return User{}, ErrNoUser
	}
	return one(tx, tx.Row(`SELECT `+userColumns+` FROM users WHERE tenant_id = $1 AND subject = $2 AND issuer = $3 AND provider = $4 AND provider <> ''`,
		tenant, b.Subject, b.Issuer, b.Provider))
}

// What follows looks over all tenants, for callers whose credential names none:
// the only query of the package without a tenant. Rows of other tenants than
// standard, where that is one, count only where who answers for all tenants made
// them. Of those that count it reads the first: those of the host before others,
// then the one that was known first. A row that a tenant adds later changes
// nothing for anybody who is found by an earlier one.
func everywhere(tx *store.Tx, standard, where string, args ...any) (User, error) {
	u, err := scanUser(tx.Row(`SELECT `+userColumns+` FROM users WHERE (by_host = 1 OR $1 = '' OR tenant_id = $1) AND `+where+`
		ORDER BY by_host DESC, known_since, id, tenant_id LIMIT 1`, append([]any{standard}, args...)...))
	if errors.Is(err, store.ErrNone) {
		return User{}, ErrNoUser
	}
	return u, err
}

func everywhereBound(tx *store.Tx, standard string, b Binding) (User, error) {
	return everywhere(tx, standard, `subject = $2 AND issuer = $3 AND provider = $4 AND provider <> ''`, b.Subject, b.Issuer, b.Provider)
}

func everywhereEmail(tx *store.Tx, standard, folded string, bound bool) (User, error) {
	return everywhere(tx, standard, `email_folded = $2 AND email_folded <> '' AND (provider <> '') = ($3 = 1)`, folded, bit(bound))
}

func everywhereService(tx *store.Tx, standard, clientID string) (User, error) {
	return everywhere(tx, standard, `service_token = $2 AND service_token <> ''`, clientID)
}

func insertUser(tx *store.Tx, u User) error {
	folded, _, _ := principal.FoldEmail(u.Email)
	bound := int64(0)
	if !u.BoundAt.IsZero() {
		bound = u.BoundAt.UnixMilli()
	}
	_, err := tx.Exec(`INSERT INTO users (tenant_id, id, email, email_folded, service_token, name, provider, issuer, subject, bound_at, disabled, by_host, known_since, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		u.Tenant, u.ID, u.Email, folded, u.ServiceToken, u.Name, u.Bound.Provider, u.Bound.Issuer, u.Bound.Subject, bound, bit(u.Disabled),
		bit(u.ByHost), u.KnownSince.UnixMilli(), u.CreatedAt.UnixMilli(), u.UpdatedAt.UnixMilli())
	return err
}

// updateUser writes what a patch may change.
func updateUser(tx *store.Tx, u User) error {
	folded, _, _ := principal.FoldEmail(u.Email)
	_, err := tx.Exec(`UPDATE users SET email = $1, email_folded = $2, service_token = $3, name = $4, disabled = $5, by_host = $6, known_since = $7, updated_at = $8 WHERE tenant_id = $9 AND id = $10`,
		u.Email, folded, u.ServiceToken, u.Name, bit(u.Disabled), bit(u.ByHost), u.KnownSince.UnixMilli(), tx.Now().UnixMilli(), u.Tenant, u.ID)
	return err
}

// bindUser reports whether the row was still nobody's.
func bindUser(tx *store.Tx, u User, b Binding) (bool, error) {
	now := tx.Now().UnixMilli()
	n, err := tx.Exec(`UPDATE users SET provider = $1, issuer = $2, subject = $3, bound_at = $4, updated_at = $5 WHERE tenant_id = $6 AND id = $7 AND provider = ''`,
		b.Provider, b.Issuer, b.Subject, now, now, u.Tenant, u.ID)
	return n > 0, err
}

func unbindUser(tx *store.Tx, u User) error {
	_, err := tx.Exec(`UPDATE users SET provider = '', issuer = '', subject = '', bound_at = 0, updated_at = $1 WHERE tenant_id = $2 AND id = $3`,
		tx.Now().UnixMilli(), u.Tenant, u.ID)
	return err
}

func deleteUser(tx *store.Tx, u User) error {
	if err := setGone(tx, u.Tenant, u.ID); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM users WHERE tenant_id = $1 AND id = $2`, u.Tenant, u.ID)
	return err
}
