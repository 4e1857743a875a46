package store

import (
	"container/list"
	"context"
	"sync"
)

// turns gives what only one may have at a time to those who ask, first come
// first served. It lets who has the turn see whether somebody waits, which is
// what a mutex does not.
type turns struct {
	mu      sync.Mutex
	taken   bool
	waiting list.List // of chan struct{}, closed when it is one's turn
}

// wait returns when it is the caller's turn, who ends it with pass; or with the
// error of ctx when that ends first, and then there is nothing to pass.
func (t *turns) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	place := t.waiting.PushBack(mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-mine: // in the same moment: the turn is there and has to be passed
		return nil
	default:
		t.waiting.Remove(place)
		return ctx.Err()
	}
}

// pass gives the turn to the next who waits. Where nobody does it ends the turn
// only if idle, and reports whether the caller is rid of it.
func (t *turns) pass(idle bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.waiting.Front()
	if next == nil {
		if idle {
			t.taken = false
		}
		return idle
	}
	t.waiting.Remove(next)
	close(next.Value.(chan struct{})) //nolint:forcetypeassert // nothing else is in there
	return true
}
