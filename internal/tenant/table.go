package tenant

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

// DefaultEntries is how many callers a Directory remembers unless told
// otherwise.
const DefaultEntries = 1 << 16

// ways is how many entries compete for one place.
const ways = 8

// table is what is known of callers, built like identity.Memory: reads take no
// lock and allocate nothing, and a new entry in a full place displaces the
// oldest. It is keyed by the principal's address, which the entry keeps from
// being another's; identity.Memory hands out the same one for five minutes.
type table struct {
	seed  maphash.Seed
	mask  uint64
	slots []atomic.Pointer[entry]
}

// entry is what was read about a caller, and for how long it holds. It is
// immutable.
type entry struct {
	who             *principal.Principal
	claim, standard string
	auto            bool // whether unknown tenants were made when it was read
	known           *policy.Known
	asOf            int64         // the change up to which it is right
	slots           []change.Slot // what it was read from
	born            int64         // unix nanoseconds
}

func newTable(entries int) *table {
	if entries <= 0 {
		entries = DefaultEntries
	}
	places := uint64(1) << bits.Len64(uint64((entries+ways-1)/ways)-1)
	return &table{seed: maphash.MakeSeed(), mask: places - 1, slots: make([]atomic.Pointer[entry], places*ways)}
}

func (t *table) place(who *principal.Principal) []atomic.Pointer[entry] {
	i := (maphash.Comparable(t.seed, who) & t.mask) * ways
	return t.slots[i : i+ways]
}

// get finds what was read about a caller under the same circumstances. Whether
// it still holds is the caller's to ask.
func (t *table) get(who *principal.Principal, claim, standard string, auto bool) *entry {
	place := t.place(who)
	for i := range place {
		if e := place[i].Load(); e != nil && e.who == who && e.claim == claim && e.standard == standard && e.auto == auto {
			return e
		}
	}
	return nil
}

// put remembers e: over its older self, else in a free slot, else over the
// oldest.
func (t *table) put(e *entry) {
	for range ways { // each lost race means that another entry came in
		slot, old := t.victim(e)
		if old != nil && old.who == e.who && old.asOf > e.asOf && old.claim == e.claim && old.standard == e.standard && old.auto == e.auto {
			return // somebody read later
		}
		if slot.CompareAndSwap(old, e) {
			return
		}
	}
}

func (t *table) victim(e *entry) (slot *atomic.Pointer[entry], old *entry) {
	place := t.place(e.who)
	for i := range place {
		x := place[i].Load()
		if x != nil && x.who == e.who && x.claim == e.claim && x.standard == e.standard && x.auto == e.auto {
			return &place[i], x
		}
		switch {
		case slot == nil:
		case old == nil: // found a free one before
			continue
		case x != nil && x.born >= old.born:
			continue
		}
		slot, old = &place[i], x
	}
	return slot, old
}

// len counts the entries. It walks the whole table: for metrics and tests.
func (t *table) len() int {
	n := 0
	for i := range t.slots {
		if t.slots[i].Load() != nil {
			n++
		}
	}
	return n
}
