package agents

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/principal"
)

// DefaultEntries is how many roles are remembered unless told otherwise.
const DefaultEntries = 1 << 15

// ways is how many entries compete for one place.
const ways = 8

// table is the roles that were read: reads take no lock and allocate nothing, and
// a new entry in a full place displaces the oldest. It is keyed by the principal's
// address, which the entry keeps from being another's.
type table struct {
	seed  maphash.Seed
	mask  uint64
	slots []atomic.Pointer[entry]
}

// place is a caller and a thing.
type place struct {
	who                    *principal.Principal
	tenant, collection, id string
}

// entry is a role that was read, "" for none. It is immutable.
type entry struct {
	place
	role  string
	asOf  int64 // the change up to which it is right
	slots [3]change.Slot
	born  int64 // unix nanoseconds
}

func newTable(entries int) *table {
	if entries <= 0 {
		entries = DefaultEntries
	}
	places := uint64(1) << bits.Len64(uint64((entries+ways-1)/ways)-1)
	return &table{seed: maphash.MakeSeed(), mask: places - 1, slots: make([]atomic.Pointer[entry], places*ways)}
}

func (t *table) set(at place) []atomic.Pointer[entry] {
	h := maphash.Comparable(t.seed, at.who) // of the whole place it would put that on the heap
	for _, part := range [...]string{at.tenant, at.collection, at.id} {
		h = h*1099511628211 ^ maphash.String(t.seed, part)
	}
	i := (h >> 20 & t.mask) * ways
	return t.slots[i : i+ways]
}

// get finds what was read. Whether it still holds is the caller's to ask.
func (t *table) get(at place) *entry {
	set := t.set(at)
	for i := range set {
		if e := set[i].Load(); e != nil && e.place == at {
			return e
		}
	}
	return nil
}

// put remembers e: over its older self, else in a free slot, else over the oldest.
func (t *table) put(e *entry) {
	for range ways { // each lost race means that another entry came in
		slot, old := t.victim(e)
		if old != nil && old.place == e.place && old.asOf > e.asOf {
			return // somebody read later
		}
		if slot.CompareAndSwap(old, e) {
			return
		}
	}
}

func (t *table) victim(e *entry) (slot *atomic.Pointer[entry], old *entry) {
	set := t.set(e.place)
	for i := range set {
		x := set[i].Load()
		if x != nil && x.place == e.place {
			return &set[i], x
		}
		switch {
		case slot == nil:
		case old == nil: // found a free one before
			continue
		case x != nil && x.born >= old.born:
			continue
		}
		slot, old = &set[i], x
	}
	return slot, old
}
