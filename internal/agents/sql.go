package agents

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// mine is the highest rank that a caller has on a thing whose row is a, 0 for
// none. $1 is the tenant; $3 to $7 are the caller. An e-mail that a users row has
// counts only for the identity that the row is bound to: whoever is found under
// another one is somebody else who shows the same address.
const mine = `COALESCE((SELECT MAX(CASE m.role WHEN 'owner' THEN 3 WHEN 'admin' THEN 2 WHEN 'viewer' THEN 1 ELSE 0 END) FROM agent_admins m
	WHERE m.tenant_id = $1 AND m.collection = a.collection AND m.agent_id = a.id AND (
		m.email_folded <> '' AND m.email_folded = $3 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.email_folded = $3
			AND NOT (u.provider <> '' AND u.provider = $5 AND u.issuer = $6 AND u.subject = $7))
		OR m.service_token <> '' AND m.service_token = $4
		OR m.provider <> '' AND m.provider = $5 AND m.issuer = $6 AND m.subject = $7)), 0)`

const agentColumns = `a.id, a.description, a.public, a.settings, a.created_at, a.updated_at, ` + mine + ` AS standing`

// of are the parameters $1 to $7.
func (c caller) of(tenantID, collection string) []any {
	return []any{tenantID, collection, c.email, c.service, c.identity.Provider, c.identity.Issuer, c.identity.Subject}
}

func scanAgent(tenantID, collection string) func(store.Row) (Agent, error) {
	return func(row store.Row) (Agent, error) {
		a := Agent{Tenant: tenantID, Collection: collection}
		var settings string
		var public, created, updated, standing int64
		err := row.Scan(&a.ID, &a.Description, &public, &settings, &created, &updated, &standing)
		a.Public, a.Settings, a.CreatedAt, a.UpdatedAt = public != 0, json.RawMessage(settings), at(created), at(updated)
		a.Role = roleOf(int(standing))
		return a, err
	}
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// selectAgent reads a thing with a caller's role on it; ErrNoAgent where there is
// none of this name.
func selectAgent(tx *store.Tx, tenantID, collection, id string, c caller) (Agent, error) {
	a, err := scanAgent(tenantID, collection)(tx.Row(`SELECT `+agentColumns+` FROM agents a WHERE a.tenant_id = $1 AND a.collection = $2 AND a.id = $8`,
		append(c.of(tenantID, collection), id)...))
	if errors.Is(err, store.ErrNone) {
		return Agent{}, ErrNoAgent
	}
	return a, err
}

// orders are what a list of things can be sorted by.
var orders = map[string]string{"name": "v.id", "id": "v.id", "createdAt": "v.created_at", "updatedAt": "v.updated_at"}

// listAgents reads a page of what a caller sees: the public ones and its own.
func listAgents(tx *store.Tx, tenantID, collection string, c caller, l Listing) (list []Agent, total int, err error) {
	from := ` FROM (SELECT ` + agentColumns + `, a.sought FROM agents a WHERE a.tenant_id = $1 AND a.collection = $2) v
		WHERE (v.public = 1 OR v.standing > 0) AND v.sought LIKE $8 ESCAPE '!' AND v.id <> $9 AND v.standing BETWEEN $10 AND $11`
	least, most := l.ranks()
	args := append(c.of(tenantID, collection), l.pattern(strings.ToLower), l.without, least, most)
	if err := tx.Row(`SELECT COUNT(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	list, err = store.List(tx, scanAgent(tenantID, collection),
		`SELECT v.id, v.description, v.public, v.settings, v.created_at, v.updated_at, v.standing`+from+
			` ORDER BY `+orders[l.Sort]+l.direction()+`, v.id`+l.direction()+` LIMIT $12 OFFSET $13`, append(args, l.Limit, l.Offset)...)
	return list, total, err
}

// insertAgent makes a thing; ErrTaken where its name is in use or was.
func insertAgent(tx *store.Tx, a Agent) error {
	switch gone, err := isGone(tx, a.Tenant, a.Collection, a.ID, ""); {
	case err != nil:
		return err
	case gone:
		return ErrTaken
	}
	n, err := tx.Exec(`INSERT INTO agents (tenant_id, collection, id, description, public, settings, sought, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, collection, id) DO NOTHING`,
		a.Tenant, a.Collection, a.ID, a.Description, a.Public, string(a.Settings), soughtIn(a), a.CreatedAt.UnixMilli(), a.UpdatedAt.UnixMilli())
	if err == nil && n == 0 {
		return ErrTaken
	}
	return err
}

func updateAgent(tx *store.Tx, a Agent) error {
	_, err := tx.Exec(`UPDATE agents SET description = $1, public = $2, settings = $3, sought = $4, updated_at = $5 WHERE tenant_id = $6 AND collection = $7 AND id = $8`,
		a.Description, a.Public, string(a.Settings), soughtIn(a), a.UpdatedAt.UnixMilli(), a.Tenant, a.Collection, a.ID)
	return err
}

func deleteAgent(tx *store.Tx, a Agent) error {
	if err := setGone(tx, a.Tenant, a.Collection, a.ID, ""); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM agents WHERE tenant_id = $1 AND collection = $2 AND id = $3`, a.Tenant, a.Collection, a.ID)
	return err
}

// isGone reports whether the name of a thing (member ""), or the id of one of its
// members, is one that is not given again.
func isGone(tx *store.Tx, tenantID, collection, id, member string) (bool, error) {
	var n int
	err := tx.Row(`SELECT COUNT(*) FROM agent_gone WHERE tenant_id = $1 AND collection = $2 AND agent_id = $3 AND id = $4`, tenantID, collection, id, member).Scan(&n)
	return n > 0, err
}

func setGone(tx *store.Tx, tenantID, collection, id, member string) error {
	_, err := tx.Exec(`INSERT INTO agent_gone (tenant_id, collection, agent_id, id, gone_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id, collection, agent_id, id) DO NOTHING`, tenantID, collection, id, member, tx.Now().UnixMilli())
	return err
}

// soughtIn is what a search looks through: both engines compare it as it stands.
func soughtIn(a Agent) string { return strings.ToLower(a.ID + "\n" + a.Description) }
