package agents

import (
	"errors"

	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

const memberColumns = `id, email, service_token, provider, issuer, subject, role, created_at`

func scanMember(row store.Row) (Member, error) {
	var m Member
	var created int64
	err := row.Scan(&m.ID, &m.Email, &m.ServiceToken, &m.Identity.Provider, &m.Identity.Issuer, &m.Identity.Subject, &m.Role, &created)
	m.CreatedAt = at(created)
	return m, err
}

// selectMember reads a member of a thing by its id; ErrNoMember where there is none.
func selectMember(tx *store.Tx, a Agent, id string) (Member, error) {
	return there(scanMember(tx.Row(`SELECT `+memberColumns+` FROM agent_admins WHERE tenant_id = $1 AND collection = $2 AND agent_id = $3 AND id = $4`,
		a.Tenant, a.Collection, a.ID, id)))
}

// sameMember reads the member of a thing that is known by the same as m.
func sameMember(tx *store.Tx, a Agent, m Member) (Member, error) {
	folded, _, _ := principal.FoldEmail(m.Email)
	return there(scanMember(tx.Row(`SELECT `+memberColumns+` FROM agent_admins WHERE tenant_id = $1 AND collection = $2 AND agent_id = $3 AND (
		email_folded <> '' AND email_folded = $4 OR service_token <> '' AND service_token = $5
		OR provider <> '' AND provider = $6 AND issuer = $7 AND subject = $8)`,
		a.Tenant, a.Collection, a.ID, folded, m.ServiceToken, m.Identity.Provider, m.Identity.Issuer, m.Identity.Subject)))
}

func there(m Member, err error) (Member, error) {
	if errors.Is(err, store.ErrNone) {
		return Member{}, ErrNoMember
	}
	return m, err
}

// memberOrders are what a list of members can be sorted by.
var memberOrders = map[string]string{"createdAt": "created_at", "email": "email_folded", "role": "role", "id": "id"}

func listMembers(tx *store.Tx, a Agent, l Listing) (list []Member, total int, err error) {
	const from = ` FROM agent_admins WHERE tenant_id = $1 AND collection = $2 AND agent_id = $3 AND (LOWER(email_folded) LIKE $4 ESCAPE '!' OR LOWER(service_token) LIKE $4 ESCAPE '!' OR LOWER(subject) LIKE $4 ESCAPE '!')`
	args := []any{a.Tenant, a.Collection, a.ID, l.pattern(principal.FoldASCII)}
	if err := tx.Row(`SELECT COUNT(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, scanMember, `SELECT `+memberColumns+from+` ORDER BY `+memberOrders[l.Sort]+l.direction()+`, id`+l.direction()+` LIMIT $5 OFFSET $6`,
		append(args, l.Limit, l.Offset)...)
	return list, total, err
}

func insertMember(tx *store.Tx, a Agent, m Member) error {
	folded, _, _ := principal.FoldEmail(m.Email)
	_, err := tx.Exec(`INSERT INTO agent_admins (tenant_id, collection, agent_id, id, email, email_folded, service_token, provider, issuer, subject, role, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		a.Tenant, a.Collection, a.ID, m.ID, m.Email, folded, m.ServiceToken, m.Identity.Provider, m.Identity.Issuer, m.Identity.Subject, m.Role, m.CreatedAt.UnixMilli())
	return err
}

func updateMember(tx *store.Tx, a Agent, m Member) error {
	_, err := tx.Exec(`UPDATE agent_admins SET role = $1 WHERE tenant_id = $2 AND collection = $3 AND agent_id = $4 AND id = $5`,
		m.Role, a.Tenant, a.Collection, a.ID, m.ID)
	return err
}

func deleteMember(tx *store.Tx, a Agent, m Member) error {
	if err := setGone(tx, a.Tenant, a.Collection, a.ID, m.ID); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM agent_admins WHERE tenant_id = $1 AND collection = $2 AND agent_id = $3 AND id = $4`, a.Tenant, a.Collection, a.ID, m.ID)
	return err
}

// counts says how many members and how many owners a thing has.
func counts(tx *store.Tx, a Agent) (members, owners int, err error) {
	err = tx.Row(`SELECT COUNT(*), COALESCE(SUM(CASE role WHEN 'owner' THEN 1 ELSE 0 END), 0) FROM agent_admins WHERE tenant_id = $1 AND collection = $2 AND agent_id = $3`,
		a.Tenant, a.Collection, a.ID).Scan(&members, &owners)
	return members, owners, err
}

// counted is a caller without the e-mail that does not count for it: one that a
// users row has which is bound to another identity, or to none yet.
func counted(tx *store.Tx, tenantID string, c caller) (caller, error) {
	var others int
	err := tx.Row(`SELECT COUNT(*) FROM users u WHERE u.tenant_id = $1 AND u.email_folded = $2 AND u.email_folded <> ''
		AND NOT (u.provider <> '' AND u.provider = $3 AND u.issuer = $4 AND u.subject = $5)`,
		tenantID, c.email, c.identity.Provider, c.identity.Issuer, c.identity.Subject).Scan(&others)
	if others > 0 {
		c.email, c.written = "", ""
	}
	return c, err
}
