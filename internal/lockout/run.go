package lockout

import (
	"context"
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	pruneEvery = time.Minute
	mostPruned = 500 // of one transaction
)

// Run removes what no longer counts, until ctx ends.
func (l *Lockout) Run(ctx context.Context) {
	t := time.NewTicker(pruneEvery)
	defer t.Stop()
	for {
		if err := l.Prune(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, fault.New(fault.Unavailable, "store_unavailable", "")) { // who cannot reach the store says so elsewhere
			l.d.Log.ErrorContext(ctx, "lockout: rows that no longer count were not removed", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Prune removes what no longer counts.
func (l *Lockout) Prune(ctx context.Context) error {
	now := l.now()
	for _, s := range []struct {
		query string
		until time.Time
	}{
		{`DELETE FROM lockout_counters WHERE expires_at <= $1 AND (kind, digest) IN
			(SELECT kind, digest FROM lockout_counters WHERE expires_at <= $1 ORDER BY kind, digest LIMIT $2)`, now},
		{`DELETE FROM lockout_known WHERE seen_at <= $1 AND (account, address) IN
			(SELECT account, address FROM lockout_known WHERE seen_at <= $1 ORDER BY account, address LIMIT $2)`, now.Add(-knownFor)},
	} {
		for n := int64(mostPruned); n == mostPruned; {
			err := l.d.DB.Tx(ctx, func(tx *store.Tx) (err error) {
				n, err = tx.Exec(s.query, s.until.UnixMilli(), mostPruned)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
