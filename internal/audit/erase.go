package audit

import (
	"context"
	"errors"
	"strconv"

	"github.com/portreeve/portreeve/internal/store"
)

const (
	// ActionErased is the action of events that tell of an erasure; Detail has
	// the number of rows, which Verify holds against what is missing.
	ActionErased = "audit.erased"
	// mostErased is how many rows one transaction erases.
	mostErased = 500
)

// Erase removes what the trail says of a person: the e-mail address wherever it
// stands, and the IP addresses beside it. The events stay, and the chains
// verify. Refusals that are counted and not written yet, here or on another node, are
// written without the name. It says how many rows were erased; by is who did it.
func (l *Log) Erase(ctx context.Context, s Scope, email string, by Actor) (int64, error) {
	key := folded(email)
	if key == "" {
		return 0, errors.New("audit: erase whom? no address was given")
	}
	if err := l.db.Tx(ctx, func(tx *store.Tx) error { return l.note(tx, s, key) }); err != nil {
		return 0, err
	}
	var total int64
	err := l.chains(ctx, s, func(tenant string) error {
		for {
			n, err := l.eraseSome(ctx, tenant, key, by)
			if total += n; err != nil || n < mostErased {
				return err
			}
		}
	})
	return total, err
}

// eraseSome erases up to mostErased rows of one chain, and says so in it.
func (l *Log) eraseSome(ctx context.Context, tenant, key string, by Actor) (n int64, err error) {
	err = l.db.Tx(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.Exec(`DELETE FROM audit_people WHERE tenant_id = $1 AND email_folded = $2 AND (n, part) IN
			(SELECT n, part FROM audit_people WHERE tenant_id = $1 AND email_folded = $2 ORDER BY n, part LIMIT $3)`, tenant, key, int64(mostErased))
		if err != nil || n == 0 {
			return err
		}
		return l.Append(tx, Event{Tenant: tenant, Action: ActionErased, Actor: by, Detail: map[string]string{"rows": strconv.FormatInt(n, 10)}})
	})
	return n, err
}
