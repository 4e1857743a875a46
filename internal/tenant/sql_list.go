package tenant

import (
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/store"
)

// Wanted are the users that a list is of; the zero value is all.
type Wanted struct {
	like  string // a pattern that the e-mail, name, service token, subject or id is like
	role  string // a stored role that they have
	state string // active or disabled
}

// where is the condition, whose parameters are the values.
func (w Wanted) where(tenant string) (text string, values []any) {
	text, values = ` FROM users WHERE tenant_id = $1`, []any{tenant}
	and := func(condition string, value any) {
		values = append(values, value)
		text += " AND " + strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(values)))
	}
	if w.state != "" {
		and(`disabled = ?`, bit(w.state == "disabled"))
	}
	if w.role != "" {
		and(`id IN (SELECT user_id FROM user_roles WHERE tenant_id = $1 AND role = ?)`, w.role)
	}
	if w.like != "" {
		and(`(email_folded LIKE ? ESCAPE '!' OR LOWER(email) LIKE ? ESCAPE '!' OR LOWER(name) LIKE ? ESCAPE '!' OR LOWER(service_token) LIKE ? ESCAPE '!'
			OR LOWER(subject) LIKE ? ESCAPE '!' OR LOWER(id) LIKE ? ESCAPE '!')`, w.like)
	}
	return text, values
}

// slice is the part of a list that is read, behind its condition.
func slice(values []any, limit, offset int) (string, []any) {
	n := len(values)
	return ` ORDER BY created_at, id LIMIT $` + strconv.Itoa(n+1) + ` OFFSET $` + strconv.Itoa(n+2), append(values, limit, offset)
}

func listUsers(tx *store.Tx, tenant string, w Wanted, limit, offset int) (list []User, total int, err error) {
	where, values := w.where(tenant)
	if err = tx.Row(`SELECT COUNT(*)`+where, values...).Scan(&total); err != nil {
		return nil, 0, err
	}
	rows, values := slice(values, limit, offset)
	list, err = store.List(tx, scanUser, `SELECT `+userColumns+where+rows, values...)
	if err != nil {
		return nil, 0, err
	}
	roles, err := rolesOfPage(tx, where+rows, values)
	for i := range list {
		list[i].Roles = append([]string{}, roles[list[i].ID]...)
	}
	return list, total, err
}

// rolesOfPage lists the stored roles of a page of users, each sorted, in one
// query: with one for each of them a large tenant could be neither exported nor
// deleted within the time that a transaction has.
func rolesOfPage(tx *store.Tx, those string, values []any) (map[string][]string, error) {
	pairs, err := store.List(tx, func(row store.Row) (r [2]string, err error) { return r, row.Scan(&r[0], &r[1]) },
		`SELECT user_id, role FROM user_roles WHERE tenant_id = $1 AND user_id IN (SELECT id`+those+`) ORDER BY role`, values...)
	out := map[string][]string{}
	for _, r := range pairs {
		out[r[0]] = append(out[r[0]], r[1])
	}
	return out, err
}
