package mfa

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
)

const (
	standardEntries = 1 << 13 // step-ups that are remembered
	ways            = 8       // of which compete for one place
)

// table is the step-ups that are remembered, built like tenant's table of
// callers: reads take no lock, and a new entry in a full place displaces the
// oldest. That an entry is of the same principal, not one that looks like it, is
// what spares a digest over the whole credential at each request.
type table struct {
	mask  uint64
	slots []atomic.Pointer[entry]
}

// entry is what a token proves, and from what that was read. It is immutable.
type entry struct {
	key          [32]byte // digest of the token
	who          *principal.Principal
	tenant, site string
	stepUp       *policy.StepUp // nil: none
	expires      time.Time
	asOf         int64
	slots        []change.Slot
	born         int64
}

func newTable(entries int) *table {
	if entries <= 0 {
		entries = standardEntries
	}
	places := uint64(1) << bits.Len64(uint64((entries+ways-1)/ways)-1)
	return &table{mask: places - 1, slots: make([]atomic.Pointer[entry], places*ways)}
}

func (t *table) place(key [32]byte) []atomic.Pointer[entry] {
	i := (binary.LittleEndian.Uint64(key[:8]) & t.mask) * ways
	return t.slots[i : i+ways]
}

func (t *table) get(key [32]byte, who *principal.Principal, tenant, site string) *entry {
	place := t.place(key)
	for i := range place {
		if e := place[i].Load(); e != nil && e.key == key && e.who == who && e.tenant == tenant && e.site == site {
			return e
		}
	}
	return nil
}

// put remembers e: over its older self, else in a free slot, else over the
// oldest. A lost race costs one reading more.
func (t *table) put(e *entry) {
	place := t.place(e.key)
	var slot *atomic.Pointer[entry]
	var old *entry
	for i := range place {
		x := place[i].Load()
		if x != nil && x.key == e.key && x.who == e.who && x.tenant == e.tenant && x.site == e.site {
			slot, old = &place[i], x
			break
		}
		if slot == nil || old != nil && (x == nil || x.born < old.born) {
			slot, old = &place[i], x
		}
	}
	if old != nil && old.key == e.key && old.who == e.who && old.asOf > e.asOf {
		return // somebody read later
	}
	slot.CompareAndSwap(old, e)
}
