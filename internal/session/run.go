package session

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

const (
	flushEvery = 15 * time.Second
	pruneEvery = time.Minute
	pruneBatch = 1000
)

// Run stores the uses of sessions and removes what is over, until ctx ends, and
// stores once more then.
func (s *Service) Run(ctx context.Context) {
	flush, prune := time.NewTicker(flushEvery), time.NewTicker(pruneEvery)
	defer flush.Stop()
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			s.told(last, "uses of sessions were not stored", s.Flush(last))
			return
		case <-flush.C:
			s.told(ctx, "uses of sessions were not stored; they are kept", s.Flush(ctx))
		case <-prune.C:
			s.told(ctx, "sessions that are over were not removed", s.Prune(ctx))
		}
	}
}

func (s *Service) told(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.d.Log.WarnContext(ctx, what, "err", err)
	}
}

// Prune removes what is over: it counts no more anyway. A session that some node
// saw used a moment ago is left for a while. It goes on until nothing is left: what
// strangers begin faster than it is removed would fill the store.
func (s *Service) Prune(ctx context.Context) error {
	for _, q := range []struct {
		query string
		args  func(now int64) []any
	}{
		{`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends_at <= $1 OR seen_at + idle <= $2 ORDER BY id LIMIT $3)`,
			func(now int64) []any { return []any{now, now - (5 * time.Minute).Milliseconds(), pruneBatch} }},
		{`DELETE FROM session_cookies WHERE hash IN (SELECT hash FROM session_cookies WHERE expires_at <> 0 AND expires_at <= $1 ORDER BY hash LIMIT $2)`, untilNow},
		{`DELETE FROM session_starts WHERE state IN (SELECT state FROM session_starts WHERE expires_at <= $1 ORDER BY state LIMIT $2)`, untilNow},
		{`DELETE FROM session_starts WHERE state IN (SELECT state FROM session_starts ORDER BY expires_at DESC, state LIMIT $1 OFFSET $2)`,
			func(int64) []any { return []any{pruneBatch, startsInAll} }},
		{`DELETE FROM session_logouts WHERE digest IN (SELECT digest FROM session_logouts WHERE expires_at <= $1 ORDER BY digest LIMIT $2)`, untilNow},
		{`DELETE FROM session_links WHERE hash IN (SELECT hash FROM session_links WHERE expires_at <= $1 ORDER BY hash LIMIT $2)`, untilNow},
		{`DELETE FROM session_owners WHERE owner IN (SELECT o.owner FROM session_owners o WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.owner = o.owner) ORDER BY o.owner LIMIT $1)`,
			func(int64) []any { return []any{pruneBatch} }},
	} {
		for gone := int64(pruneBatch); gone >= pruneBatch; {
			err := s.d.DB.Tx(ctx, func(tx *store.Tx) (err error) {
				gone, err = tx.Exec(q.query, q.args(tx.Now().UnixMilli())...)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func untilNow(now int64) []any { return []any{now, pruneBatch} }
