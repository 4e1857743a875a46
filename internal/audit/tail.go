package audit

import (
	"context"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// followEvery is how often Tail looks for new events.
const followEvery = 500 * time.Millisecond

// Tail calls fn with the last events of a scope, in the order of their times, and
// with follow goes on with those that come, until ctx ends, which is no error.
func (l *Log) Tail(ctx context.Context, s Scope, last int, follow bool, fn func(Record) error) error {
	ends, err := l.ends(ctx, s) // before the rows, so that none falls between
	if err != nil {
		return err
	}
	rows, err := l.lastRows(ctx, s, min(max(last, 0), mostRead))
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		if r.n > ends[r.tenant] {
			ends[r.tenant] = r.n
		}
		if err := fn(r.record()); err != nil {
			return err
		}
	}
	if !follow {
		return nil
	}
	t := time.NewTicker(followEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := l.news(ctx, s, ends, fn); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// news hands over what came after ends, and moves them on.
func (l *Log) news(ctx context.Context, s Scope, ends map[string]int64, fn func(Record) error) error {
	now, err := l.ends(ctx, s)
	if err != nil {
		return err
	}
	for tenant, n := range now {
		if n <= ends[tenant] {
			continue
		}
		err := l.each(ctx, tenant, ends[tenant], func(r *row) error {
			ends[tenant] = r.n
			return fn(r.record())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ends are the last numbers of the chains of a scope.
func (l *Log) ends(ctx context.Context, s Scope) (map[string]int64, error) {
	out := map[string]int64{}
	if !s.All {
		err := l.db.Read(ctx, func(tx *store.Tx) error {
			var n *int64
			err := tx.Row(`SELECT max(n) FROM audit_heads WHERE tenant_id = $1`, s.Tenant).Scan(&n)
			if n != nil {
				out[s.Tenant] = *n
			}
			return err
		})
		return out, err
	}
	tenant, first := "", true
	for {
		heads, err := l.heads(ctx, tenant, first)
		if err != nil || len(heads) == 0 {
			return out, err
		}
		for _, h := range heads {
			out[h.tenant] = h.n
		}
		tenant, first = heads[len(heads)-1].tenant, false
	}
}

// lastRows reads the newest rows of a scope, the oldest of them first.
func (l *Log) lastRows(ctx context.Context, s Scope, most int) (rows []row, err error) {
	err = l.db.Read(ctx, func(tx *store.Tx) (err error) {
		if s.All {
			rows, err = store.List(tx, scanRow, selectRows+`ORDER BY e.at DESC, e.tenant_id DESC, e.n DESC LIMIT $1`, int64(most))
			return err
		}
		rows, err = store.List(tx, scanRow, selectRows+`WHERE e.tenant_id = $1 ORDER BY e.n DESC LIMIT $2`, s.Tenant, int64(most))
		return err
	})
	slices.Reverse(rows)
	return rows, err
}
