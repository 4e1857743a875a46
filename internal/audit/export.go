package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Export writes the events of a scope as lines of JSON, chain by chain and in
// order, those from a time on and before another; the zero time is no bound. It
// says how many.
func (l *Log) Export(ctx context.Context, to io.Writer, s Scope, from, before time.Time) (int64, error) {
	b := bufio.NewWriter(to)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	var count int64
	err := l.chains(ctx, s, func(tenant string) error {
		return l.each(ctx, tenant, 0, func(r *row) error {
			if !from.IsZero() && r.at < from.UnixMilli() || !before.IsZero() && r.at >= before.UnixMilli() {
				return nil
			}
			count++
			return e.Encode(r.record())
		})
	})
	if err != nil {
		return count, err
	}
	return count, b.Flush()
}

// each reads a chain after a number, a batch at a time. fn runs outside the
// transaction: it may take as long as it likes.
func (l *Log) each(ctx context.Context, tenant string, after int64, fn func(*row) error) error {
	for {
		var rows []row
		err := l.db.Read(ctx, func(tx *store.Tx) (err error) {
			rows, err = next(tx, tenant, after)
			return err
		})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := fn(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < mostRead {
			return nil
		}
		after = rows[len(rows)-1].n
	}
}
