package identity

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/principal"
)

// rememberFor is how long verified claims are believed without verifying the
// signature again.
const rememberFor = 5 * time.Minute

// DefaultMemory is how many tokens a Memory holds unless told otherwise.
const DefaultMemory = 1 << 16

// ways is how many entries compete for one place.
const ways = 8

// Memory is the table of remembered tokens: what was verified, never an outcome
// of a decision. Reads take no lock and allocate nothing. It is bounded: a new
// token in a full place displaces the one that would be forgotten soonest.
// Failures are not remembered.
//
// It serves all sites of a process and outlives reloads: an entry is found only
// by the digest of the whole token together with the digest of the provider's
// name and settings.
type Memory struct {
	seed  maphash.Seed
	mask  uint64
	slots []atomic.Pointer[entry]
}

// entry is one verified token. It is immutable.
type entry struct {
	token    [32]byte // SHA-256 of the token as presented
	provider [32]byte // Provider.Digest
	verified
	until int64 // unix nanoseconds; forgotten from then on
}

// verified is what a verification proved, and by which key.
type verified struct {
	who *principal.Principal
	key string // thumbprint of the verifying key; "" of what is looked up
}

// NewMemory makes a table for at least that many tokens; 0 means
// DefaultMemory. A token costs about four times its own length.
func NewMemory(tokens int) *Memory {
	if tokens <= 0 {
		tokens = DefaultMemory
	}
	places := uint64(1) << bits.Len64(uint64((tokens+ways-1)/ways)-1)
	return &Memory{
		seed:  maphash.MakeSeed(),
		mask:  places - 1,
		slots: make([]atomic.Pointer[entry], places*ways),
	}
}

// place returns the slots in which a token may stand. The seed keeps it from
// being foreseeable which tokens displace each other.
func (m *Memory) place(token *[32]byte) []atomic.Pointer[entry] {
	i := (maphash.Bytes(m.seed, token[:]) & m.mask) * ways
	return m.slots[i : i+ways]
}

// put remembers what v says about a token until the token expires, at most
// rememberFor. A key does not expire by itself.
func (m *Memory) put(token, provider [32]byte, v verified, now time.Time) {
	until := now.Add(rememberFor)
	if end := v.who.Expires; !end.IsZero() && end.Before(until) {
		until = v.who.Expires
	}
	if !until.After(now) {
		return
	}
	e := &entry{token: token, provider: provider, verified: v, until: until.UnixNano()}
	for range ways { // each lost race means that another entry came in
		slot, old := m.victim(e, now.UnixNano())
		if slot.CompareAndSwap(old, e) {
			return
		}
	}
}

// victim picks where an entry goes: over its older self, else a free or
// forgotten slot, else the one that is forgotten soonest.
func (m *Memory) victim(e *entry, now int64) (slot *atomic.Pointer[entry], old *entry) {
	place := m.place(&e.token)
	for i := range place {
		x := place[i].Load()
		if x != nil && x.token == e.token && x.provider == e.provider {
			return &place[i], x
		}
		switch {
		case slot == nil:
		case old == nil || old.until <= now: // found a free one before
			continue
		case x != nil && x.until >= old.until:
			continue
		}
		slot, old = &place[i], x
	}
	return slot, old
}

// get returns what is remembered about a token under that provider's settings,
// or nil. The caller checks what changes: the key set and the site's audience.
func (m *Memory) get(token, provider *[32]byte, now time.Time) *entry {
	place := m.place(token)
	for i := range place {
		e := place[i].Load()
		if e != nil && e.token == *token && e.provider == *provider {
			if end := e.who.Expires; now.UnixNano() < e.until && (end.IsZero() || now.Before(end)) {
				return e
			}
			return nil
		}
	}
	return nil
}

// Len counts the tokens that are remembered at now. It walks the whole table:
// for metrics and tests.
func (m *Memory) Len(now time.Time) int {
	n := 0
	for i := range m.slots {
		if e := m.slots[i].Load(); e != nil && e.until > now.UnixNano() {
			n++
		}
	}
	return n
}
