package session

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// touches are the uses of sessions that are not stored yet. A use is stored at most
// once a minute for each session, many in one transaction: a request must not wait
// for a writer.
type touches struct {
	mu   sync.Mutex
	seen map[string]int64 // unix milliseconds
}

// of is when this node last saw a session used; 0 where the store knows better.
func (t *touches) of(id string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen[id]
}

// mark notes a use, where the one that is stored is older than every. stored is
// what the store says.
func (t *touches) mark(id string, stored int64, now time.Time, every time.Duration) {
	if now.UnixMilli()-stored < every.Milliseconds() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = map[string]int64{}
	}
	t.seen[id] = max(t.seen[id], now.UnixMilli())
}

// take hands out what is to be stored.
func (t *touches) take() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.seen)
}

// stored forgets what was.
func (t *touches) stored(what map[string]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, at := range what {
		if t.seen[id] == at {
			delete(t.seen, id)
		}
	}
}

// touchBatch is how many uses one transaction stores.
const touchBatch = 500

// Flush stores the uses of sessions.
func (s *Service) Flush(ctx context.Context) error {
	due := s.touched.take()
	ids := slices.Sorted(maps.Keys(due)) // in one order: two nodes do not wait for each other in a circle
	for len(ids) > 0 {
		part := ids[:min(touchBatch, len(ids))]
		ids = ids[len(part):]
		done := make(map[string]int64, len(part))
		err := s.d.DB.Tx(ctx, func(tx *store.Tx) error {
			for _, id := range part {
				if _, err := tx.Exec(`UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2`, id, due[id]); err != nil {
					return err
				}
				done[id] = due[id]
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.touched.stored(done)
	}
	return nil
}
