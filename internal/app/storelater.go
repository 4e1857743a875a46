package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// later is what the store is told once it is back: a configuration comes into
// service while the store is away, as long as it names no new tenant. What was
// kept is lost with the process; the log has said it.
type later struct {
	mu     sync.Mutex
	there  []string // tenants that were there once: nobody deletes one that is named
	events []audit.Event
}

// mostLater bounds the events that wait. The oldest go first.
const mostLater = 1000

// awayAfter is how long a reload waits for the store.
const awayAfter = 5 * time.Second

// away reports whether an error says that the store cannot be reached.
func away(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || fault.From(err).Kind == fault.Unavailable)
}

// known reports whether all of these tenants were there once.
func (l *later) known(ids []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(l.there, id) })
}

// made notes that these tenants are there.
func (l *later) made(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if !slices.Contains(l.there, id) {
			l.there = append(l.there, id)
		}
	}
}

// keep keeps an event until the store is back, with the time at which it happened.
func (l *later) keep(e audit.Event, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Detail["happened"] = now.UTC().Format(time.RFC3339)
	l.events = append(l.events, e)
	if n := len(l.events) - mostLater; n > 0 {
		l.events = slices.Delete(l.events, 0, n)
	}
}

// write writes what was kept, in its order.
func (l *later) write(ctx context.Context, s *Stored) error {
	l.mu.Lock()
	events := slices.Clone(l.events)
	l.mu.Unlock()
	if len(events) == 0 {
		return nil
	}
	err := s.DB.Tx(ctx, func(tx *store.Tx) error {
		for _, e := range events {
			if err := s.Audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the audit trail: %w", plainly(err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// What came in meanwhile stands behind, unless so much did that these went.
	l.events = slices.Delete(l.events, 0, min(len(events), len(l.events)))
	return nil
}

// run writes what was kept once the store is back.
func (l *later) run(s *Stored) func(context.Context) {
	return func(ctx context.Context) {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), awayAfter)
				defer cancel()
				if err := l.write(last, s); err != nil {
					s.log.Warn("events of configurations are lost with this process", "error", err.Error())
				}
				return
			case <-t.C:
				_ = l.write(ctx, s) // tried again; readiness names a store that is away
			}
		}
	}
}
