package limit

import (
	"math"
	"time"
)

// place is where a claim is counted, while its shard is locked.
type place struct {
	claim  Claim
	index  int // among the request's claims
	shard  *shard
	number int   // of the shard
	shared uint8 // which overflow window, if it comes to that
	slot   *slot
}

// find finds the key's slot, or makes one, or falls back on the overflow, and
// pins it: finding the next claim's place must not sweep it away.
func (p *place) find(now int64) {
	p.slot = p.shard.find(p.claim.Key, p.shared, now)
	p.slot.pins++
}

func (s *shard) find(key Key, common uint8, now int64) *slot {
	if found, ok := s.live[key]; ok {
		return found
	}
	name := shared{key.Rule, common}
	made := s.make(now)
	beside := s.overflow[name] // after make, whose sweep may have taken it away
	switch {
	case made != nil:
		made.key, made.idleAt = key, now
		if beside != nil && beside.idleAt > now {
			// The key may have been admitted there: it takes the whole count
			// along, since nobody knows which part is its own.
			made.window, made.idleAt = beside.window.copyOf(), beside.idleAt
		}
		s.live[key] = made
		return made
	case beside != nil:
		return beside
	case s.overflow == nil:
		s.overflow = make(map[shared]*slot)
	}
	s.overflow[name] = &slot{idleAt: now}
	return s.overflow[name]
}

// look reports how the claim stands; it records nothing.
func (p *place) look(now time.Time, moment int64) Result {
	r, w := p.claim.Rule, &p.slot.window
	r.Max = min(r.Max, math.MaxInt32)
	if r.Max < 1 {
		return Result{Claim: p.index, Reset: now.Add(r.Window), RetryAfter: max(1, r.Window)}
	}
	at := max(moment, w.lastOr(moment))
	w.expire(at, r)
	if w.total >= r.Max {
		wait := max(1, time.Duration(w.free(r)-moment))
		return Result{Claim: p.index, Limit: r.Max, Reset: now.Add(wait), RetryAfter: wait}
	}
	oldest := at
	if w.count > 0 {
		oldest = w.moment(0)
	}
	return Result{
		Allowed: true, Claim: p.index, Limit: r.Max, Remaining: r.Max - w.total - 1,
		Reset: now.Add(time.Duration(oldest + int64(r.Window) - moment)),
	}
}

// settle records the admission, if it is one, and lets go of the slot. What was
// made for a request that is refused is idle, and goes with the next sweep.
func (p *place) settle(moment int64, admitted bool) {
	x := p.slot
	x.pins--
	if admitted {
		r := p.claim.Rule
		at := max(moment, x.window.lastOr(moment))
		x.window.add(at, r)
		x.idleAt = max(x.idleAt, at+int64(r.Window))
	}
	p.shard.sweepAt = min(p.shard.sweepAt, x.idleAt)
}

// make returns an empty slot, or nil when all are live.
func (s *shard) make(now int64) *slot {
	if len(s.slots) == s.room && now >= s.sweepAt {
		s.sweep(now)
	}
	if len(s.slots) == s.room {
		return nil
	}
	made := &slot{}
	if n := len(s.spare); n > 0 {
		made = s.spare[n-1]
		s.spare = s.spare[:n-1]
	}
	s.slots = append(s.slots, made)
	return made
}

// sweep frees all slots whose admissions no longer count, and the overflow
// windows likewise.
func (s *shard) sweep(now int64) {
	s.sweepAt = math.MaxInt64
	for i := 0; i < len(s.slots); {
		if s.slots[i].idleAt <= now && s.slots[i].pins == 0 {
			s.drop(i)
			continue
		}
		s.sweepAt = min(s.sweepAt, s.slots[i].idleAt)
		i++
	}
	for name, x := range s.overflow {
		if x.idleAt <= now && x.pins == 0 {
			delete(s.overflow, name)
		}
	}
}

// drop frees one slot; the last one takes its place.
func (s *shard) drop(i int) {
	x, last := s.slots[i], len(s.slots)-1
	s.slots[i] = s.slots[last]
	s.slots[last] = nil
	s.slots = s.slots[:last]
	delete(s.live, x.key)
	x.window.reset()
	s.spare = append(s.spare, x)
}
