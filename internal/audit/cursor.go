package audit

import (
	"context"

	"github.com/portreeve/portreeve/internal/store"
)

// Before lists a tenant's events before a number, the newest first; 0 is from the
// newest of all. What is recorded meanwhile moves nothing, as it would by offset.
func (l *Log) Before(ctx context.Context, tenant string, f Filter, n int64, limit int) ([]Record, error) {
	if n <= 0 {
		n = 1 << 62
	}
	return l.part(ctx, tenant, f, ` AND e.n < $10 ORDER BY e.n DESC LIMIT $11`, n, limit)
}

// After lists a tenant's events after a number, in their order.
func (l *Log) After(ctx context.Context, tenant string, f Filter, n int64, limit int) ([]Record, error) {
	return l.part(ctx, tenant, f, ` AND e.n > $10 ORDER BY e.n LIMIT $11`, n, limit)
}

func (l *Log) part(ctx context.Context, tenant string, f Filter, rest string, n int64, limit int) (list []Record, err error) {
	args := append(f.args(tenant), n, int64(min(limit, mostRead)))
	err = l.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = store.List(tx, scanRecord, selectRows+matches+rest, args...)
		return err
	})
	return list, err
}
