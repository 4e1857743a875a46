package castle

import (
	"context"
	"sync"
	"time"
)

const (
	mostQueued = 1000
	mostBytes  = 8 << 20
	workers    = 4
	flushTime  = 5 * time.Second
	pruneEvery = time.Minute
)

// told is an event on its way.
type told struct {
	path string
	body []byte
}

// queue is what Castle is still to be told, oldest first.
type queue struct {
	mu    sync.Mutex
	list  []told
	bytes int
	wake  chan struct{}
}

// put adds an event and says how many of the oldest had to go for it.
func (q *queue) put(t told) (dropped int) {
	q.mu.Lock()
	q.list, q.bytes = append(q.list, t), q.bytes+len(t.body)
	for len(q.list) > mostQueued || q.bytes > mostBytes {
		q.shift()
		dropped++
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return dropped
}

func (q *queue) take() (told, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return told{}, false
	}
	return q.shift(), true
}

func (q *queue) shift() told {
	t := q.list[0]
	q.list[0] = told{}
	q.list, q.bytes = q.list[1:], q.bytes-len(t.body)
	return t
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}

// Queue tells Castle about an event later: a success of somebody who is known at
// /v1/risk, anything else at /v1/filter. It never waits. An event without a token
// that counts is not told: Castle would refuse it.
func (c *Client) Queue(e Event) {
	token, bad := oneToken(e.Token)
	if bad != "" {
		return
	}
	t := told{filterPath, nil}
	if e.UserID != "" && (e.Status == "$succeeded" || e.Name != "") { // a custom event has no status
		t.path, t.body = riskPath, e.risk(token)
	} else {
		t.body = e.filter(token)
	}
	c.stats.dropped.Add(int64(c.queue.put(t)))
}

// Run sends what is queued and forgets old tokens until ctx ends; then it sends
// what is left, for 5 s at most.
func (c *Client) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { c.pruning(ctx) })
	all.Go(func() { c.sending(ctx) })
}

func (c *Client) sending(ctx context.Context) {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ends later: what is under way is not cut off
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(flushTime, cancel)
		context.AfterFunc(hard, func() { t.Stop() })
	})()
	var all sync.WaitGroup
	defer all.Wait()
	for range workers {
		all.Go(func() {
			for {
				c.tellAll(hard)
				if ctx.Err() != nil {
					return
				}
				select {
				case <-ctx.Done():
				case <-c.queue.wake:
				}
			}
		})
	}
}

// tellAll sends until there is nothing left; without time it drops.
func (c *Client) tellAll(ctx context.Context) {
	for {
		t, ok := c.queue.take()
		if !ok {
			return
		}
		if c.queue.len() > 0 {
			select { // a put wakes one worker, which wakes the next
			case c.queue.wake <- struct{}{}:
			default:
			}
		}
		if ctx.Err() != nil {
			c.stats.dropped.Add(1)
			continue
		}
		if _, err := c.ask(ctx, c.later, t.path, t.body); err != nil {
			c.stats.dropped.Add(1)
			continue
		}
		c.stats.sent.Add(1)
	}
}

func (c *Client) pruning(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if err := c.prune(ctx); err != nil && ctx.Err() == nil && c.alarm.ring("prune", c.d.Now()) {
			c.d.Log.WarnContext(ctx, "castle: used device tokens were not removed", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
