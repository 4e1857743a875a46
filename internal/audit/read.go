package audit

import (
	"github.com/portreeve/portreeve/internal/store"
)

// Scope says whose chains are meant: one tenant's, the host's own with the empty
// Tenant, or all of them.
type Scope struct {
	Tenant string
	All    bool
}

// selectRows is every column of a row with what is left of its persons. What
// follows is a WHERE on e.
const selectRows = `SELECT e.tenant_id, e.n, e.id, e.at, e.action, e.target, e.result, e.decision, e.request,
	e.actor_kind, e.actor_provider, e.actor_issuer, e.actor_id, e.actor_user, e.detail, e.actor_mark, e.target_mark, e.key_id, e.hash,
	a.salt, a.email, a.email_folded, a.ip, t.salt, t.email, t.email_folded, t.ip
	FROM audit_events e
	LEFT JOIN audit_people a ON a.tenant_id = e.tenant_id AND a.n = e.n AND a.part = 'actor'
	LEFT JOIN audit_people t ON t.tenant_id = e.tenant_id AND t.n = e.n AND t.part = 'target' `

func scanRow(r store.Row) (row, error) {
	var x row
	var a, t maybe
	err := r.Scan(&x.tenant, &x.n, &x.id, &x.at, &x.action, &x.target, &x.result, &x.decision, &x.request,
		&x.actorKind, &x.provider, &x.issuer, &x.actorID, &x.actorUser, &x.detail, &x.actorMark, &x.targetMark, &x.keyID, &x.hash,
		&a.salt, &a.email, &a.folded, &a.ip, &t.salt, &t.email, &t.folded, &t.ip)
	x.actor, x.targetPerson = a.person(), t.person()
	return x, err
}

// maybe is a person that may be missing.
type maybe struct {
	salt              []byte
	email, folded, ip *string
}

func (m maybe) person() person {
	if m.email == nil || m.folded == nil || m.ip == nil {
		return person{}
	}
	return person{true, m.salt, *m.email, *m.folded, *m.ip}
}

// mostRead is how many rows one transaction reads: the store bounds its time.
const mostRead = 1000

// next reads the rows of a chain after a number.
func next(tx *store.Tx, tenant string, after int64) ([]row, error) {
	return store.List(tx, scanRow, selectRows+`WHERE e.tenant_id = $1 AND e.n > $2 ORDER BY e.n LIMIT $3`, tenant, after, int64(mostRead))
}

// chainAfter returns the tenant of the next chain, in the store's own order.
// Every table is asked: a chain of which somebody removed the head is one too.
func chainAfter(tx *store.Tx, tenant string, first bool) (string, bool, error) {
	op := ">"
	if first {
		op = ">="
	}
	var next *string
	err := tx.Row(`SELECT min(m) FROM (
		SELECT min(tenant_id) AS m FROM audit_heads WHERE tenant_id `+op+` $1
		UNION ALL SELECT min(tenant_id) FROM audit_events WHERE tenant_id `+op+` $2
		UNION ALL SELECT min(tenant_id) FROM audit_people WHERE tenant_id `+op+` $3) AS all_of_them`, tenant, tenant, tenant).Scan(&next)
	if err != nil || next == nil {
		return "", false, err
	}
	return *next, true, nil
}
