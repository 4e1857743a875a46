package explain

import (
	"container/list"
	"net/netip"
	"sync"

	"github.com/portreeve/portreeve/internal/request"
)

// The bounds of a ring.
const (
	maxRecords    = 10_000
	maxPerReason  = 100 // of one route and reason
	maxPerAddress = 20  // of one client address (IPv6: one /64), where it is known
)

// Ring holds the latest refusals. It is safe for concurrent use.
type Ring struct {
	mu        sync.Mutex
	last      uint64 // number of the latest
	byID      map[string]*entry
	all       queue
	byReason  map[reason]*queue
	byAddress map[netip.Addr]*queue
}

// queue holds entries, oldest first.
type queue = list.List

type reason struct{ site, route, code string }

// entry is a record and where it stands in its three queues.
type entry struct {
	number                     uint64
	record                     Record
	reason                     reason
	address                    netip.Addr
	inAll, inReason, inAddress *list.Element
}

// NewRing makes an empty ring.
func NewRing() *Ring {
	return &Ring{byID: map[string]*entry{}, byReason: map[reason]*queue{}, byAddress: map[netip.Addr]*queue{}}
}

// Add remembers a record. Where a bound is reached, the oldest of that kind
// makes room; a record with an id that is there already takes its place.
func (r *Ring) Add(rec Record) {
	rec = rec.kept()
	e := &entry{record: rec, reason: reason{rec.Site, rec.Route, rec.Reason}, address: request.Network(rec.Client)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.byID[rec.ID]; ok {
		r.remove(old)
	}
	if q := r.byReason[e.reason]; q != nil && q.Len() >= maxPerReason {
		r.remove(q.Front().Value.(*entry))
	}
	if q := r.byAddress[e.address]; q != nil && q.Len() >= maxPerAddress && e.address.IsValid() {
		r.remove(q.Front().Value.(*entry))
	}
	if r.all.Len() >= maxRecords {
		r.remove(r.all.Front().Value.(*entry))
	}
	r.last++
	e.number = r.last
	r.byID[rec.ID] = e
	e.inAll = r.all.PushBack(e)
	e.inReason = in(r.byReason, e.reason).PushBack(e)
	e.inAddress = in(r.byAddress, e.address).PushBack(e)
}

// Get returns the record with that id.
func (r *Ring) Get(id string) (Record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byID[id]; ok {
		return e.record, true
	}
	return Record{}, false
}

// Latest returns at most n records, the newest first.
func (r *Ring) Latest(n int) []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Record, 0, max(0, min(n, r.all.Len())))
	for x := r.all.Back(); x != nil && len(out) < n; x = x.Prev() {
		out = append(out, x.Value.(*entry).record)
	}
	return out
}

// Before returns at most n records that keep says yes to, the newest first, of
// those that came before the one with that number; 0 begins at the newest. next,
// where there are more, is the number to go on with; 0: there are none. It holds
// up everybody else meanwhile, so keep only compares.
func (r *Ring) Before(number uint64, n int, keep func(*Record) bool) (page []Record, next uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for x := r.all.Back(); x != nil; x = x.Prev() {
		e := x.Value.(*entry)
		if number != 0 && e.number >= number || !keep(&e.record) {
			continue
		}
		if len(page) >= n {
			return page, next
		}
		page, next = append(page, e.record), e.number
	}
	return page, 0
}

// Len reports how many records there are.
func (r *Ring) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.Len()
}

func (r *Ring) remove(e *entry) {
	delete(r.byID, e.record.ID)
	r.all.Remove(e.inAll)
	out(r.byReason, e.reason, e.inReason)
	out(r.byAddress, e.address, e.inAddress)
}

// in returns the queue called key, made if need be.
func in[K comparable](queues map[K]*queue, key K) *queue {
	q := queues[key]
	if q == nil {
		q = list.New()
		queues[key] = q
	}
	return q
}

// out takes an element from its queue, and the queue away when it was the last.
func out[K comparable](queues map[K]*queue, key K, x *list.Element) {
	q := queues[key]
	if q.Remove(x); q.Len() == 0 {
		delete(queues, key)
	}
}
