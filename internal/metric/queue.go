package metric

import (
	"encoding/json"
	"sync"
)

const (
	mostQueued = 10_000
	mostBytes  = 8 << 20
)

// queue is what is still to be sent, oldest first.
type queue struct {
	mu    sync.Mutex
	list  []json.RawMessage
	bytes int
	full  int           // from how many on a batch is worth sending at once
	wake  chan struct{} // says that there are so many
}

// put adds events and says how many of the oldest had to go for them.
func (q *queue) put(events []json.RawMessage) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range events {
		q.list, q.bytes = append(q.list, e), q.bytes+len(e)
	}
	for len(q.list) > mostQueued || q.bytes > mostBytes {
		q.shift()
		dropped++
	}
	if len(q.list) >= q.full {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	return dropped
}

// take takes a batch: whole, or whatever there is.
func (q *queue) take(whole bool) []json.RawMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 || whole && len(q.list) < q.full {
		return nil
	}
	batch := make([]json.RawMessage, 0, min(q.full, len(q.list)))
	for len(batch) < cap(batch) {
		batch = append(batch, q.shift())
	}
	return batch
}

func (q *queue) shift() json.RawMessage {
	e := q.list[0]
	q.list[0] = nil
	q.list, q.bytes = q.list[1:], q.bytes-len(e)
	return e
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}
