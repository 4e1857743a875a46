package audit

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Filter narrows a list. Empty fields narrow nothing.
type Filter struct {
	Action   string // whole, or with its dot at the end for all of a kind: "apikey."
	Target   string
	Result   string
	Decision string
	Actor    string    // a subject or a user's id
	Email    string    // of the actor or of the person it was done to
	From, To time.Time // from on, and before
}

// matches is the WHERE of a Filter, whose arguments are $2 to $11.
const matches = `WHERE e.tenant_id = $1
	AND ($2 = '' OR e.action = $2 OR (substr($2, length($2), 1) = '.' AND substr(e.action, 1, length($2)) = $2))
	AND ($3 = '' OR e.target = $3) AND ($4 = '' OR e.result = $4) AND ($5 = '' OR e.decision = $5)
	AND ($6 = '' OR e.actor_id = $6 OR e.actor_user = $6)
	AND ($7 = '' OR EXISTS (SELECT 1 FROM audit_people p WHERE p.tenant_id = e.tenant_id AND p.n = e.n AND p.email_folded = $7))
	AND e.at >= $8 AND e.at < $9`

func (f Filter) args(tenant string) []any {
	from, to := int64(0), int64(1)<<62
	if !f.From.IsZero() {
		from = f.From.UnixMilli()
	}
	if !f.To.IsZero() {
		to = f.To.UnixMilli()
	}
	email := ""
	if f.Email != "" {
		email = folded(f.Email)
	}
	return []any{tenant, f.Action, f.Target, f.Result, f.Decision, f.Actor, email, from, to}
}

// Page lists a tenant's events, the newest first, and says how many there are.
func (l *Log) Page(ctx context.Context, tenant string, f Filter, limit, offset int) (list []Record, total int64, err error) {
	args := f.args(tenant)
	err = l.db.Read(ctx, func(tx *store.Tx) (err error) {
		if err = tx.Row(`SELECT count(*) FROM audit_events e `+matches, args...).Scan(&total); err != nil {
			return err
		}
		list, err = store.List(tx, scanRecord, selectRows+matches+` ORDER BY e.n DESC LIMIT $10 OFFSET $11`, append(args, int64(limit), int64(offset))...)
		return err
	})
	return list, total, err
}

func scanRecord(r store.Row) (Record, error) {
	x, err := scanRow(r)
	if err != nil {
		return Record{}, err
	}
	return x.record(), nil
}
