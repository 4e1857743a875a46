package limit

import (
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"
)

const (
	maxShards     = 64
	slotsPerShard = 256 // at least; fewer shards rather than smaller ones
	overflowSlots = 16  // shared windows of a full shard, for each rule
)

// Table holds the counters of a process. It is safe for concurrent use and
// bounded by its number of entries, each of which takes some 100 bytes and
// 8 more for each admission in its window (at most 1.5 KB).
type Table struct {
	origin time.Time // where moments begin; keeps the monotonic clock in play
	seed   maphash.Seed
	shards []shard
}

// shard is one lock's part of the table.
type shard struct {
	mu       sync.Mutex
	live     map[Key]*slot
	slots    []*slot // all that live points to, for the sweep
	spare    []*slot
	room     int   // how many slots there may be
	sweepAt  int64 // no slot is idle before
	overflow map[shared]*slot
	_        [64]byte // shards do not share a cache line
}

// slot is a window and what it is of.
type slot struct {
	key    Key
	idleAt int64 // when its last admission stops counting
	pins   int   // claims of the request that holds the lock
	window window
}

// shared names an overflow window: keys of one rule with the same low bits.
type shared struct {
	rule uint64
	slot uint8
}

// NewTable makes a table for that many keys with admissions in their window.
func NewTable(entries int) *Table {
	entries = max(1, entries)
	n := 1
	for n < maxShards && entries/(2*n) >= slotsPerShard {
		n *= 2
	}
	t := &Table{origin: time.Now(), seed: maphash.MakeSeed(), shards: make([]shard, n)}
	for i := range t.shards {
		t.shards[i].live = make(map[Key]*slot)
		t.shards[i].room = (entries + n - 1) / n
		t.shards[i].sweepAt = math.MinInt64
	}
	return t
}

// Take admits one request under a rule, or refuses it; a refused request counts
// nothing. A now that lies before one that the key has already seen counts as
// that.
func (t *Table) Take(key Key, r Rule, now time.Time) Result {
	moment := int64(now.Sub(t.origin))
	p := t.place(0, Claim{Key: key, Rule: r})
	p.shard.mu.Lock()
	defer p.shard.mu.Unlock()
	p.find(moment)
	result := p.look(now, moment)
	p.settle(moment, result.Allowed)
	return result
}

// Look reports what TakeAll would come to, and counts nothing.
func (t *Table) Look(claims []Claim, now time.Time) Result {
	moment := int64(now.Sub(t.origin))
	var worst Result
	for i := range claims {
		p := t.place(i, claims[i])
		p.shard.mu.Lock()
		p.find(moment)
		worst = Tighter(worst, p.look(now, moment))
		p.settle(moment, false)
		p.shard.mu.Unlock()
	}
	return worst
}

// TakeAll admits one request under several limits at once: under all of them,
// or, if one refuses, under none, so that a refusal by one uses nothing up of
// another. A key that stands twice counts once. Without claims the zero Result
// is returned, which is not Allowed: there is no limit, ask len(claims) first.
func (t *Table) TakeAll(claims []Claim, now time.Time) Result {
	moment := int64(now.Sub(t.origin))
	places := make([]place, 0, 8)
	for i := range claims {
		if !slices.ContainsFunc(places, func(p place) bool { return p.claim.Key == claims[i].Key }) {
			places = append(places, t.place(i, claims[i]))
		}
	}
	t.lock(places)
	defer t.unlock(places)
	var worst Result
	refused := false
	for i := range places {
		places[i].find(moment)
		result := places[i].look(now, moment)
		refused = refused || !result.Allowed
		worst = Tighter(worst, result)
	}
	for i := range places {
		places[i].settle(moment, !refused)
	}
	return worst
}

// Len reports how many keys have a slot, for metrics.
func (t *Table) Len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.live)
		s.mu.Unlock()
	}
	return n
}

func (t *Table) place(index int, c Claim) place {
	h := maphash.Comparable(t.seed, c.Key)
	n := int(h % uint64(len(t.shards)))
	return place{claim: c, index: index, shard: &t.shards[n], number: n, shared: uint8(h >> 56 % overflowSlots)}
}

// lock takes the locks in the order of the shards, each once.
func (t *Table) lock(places []place) {
	slices.SortFunc(places, func(a, b place) int { return a.number - b.number })
	for i := range places {
		if i == 0 || places[i].number != places[i-1].number {
			places[i].shard.mu.Lock()
		}
	}
}

func (t *Table) unlock(places []place) {
	for i := range places {
		if i == 0 || places[i].number != places[i-1].number {
			places[i].shard.mu.Unlock()
		}
	}
}
