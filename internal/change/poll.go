package change

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// window is how many changes one reading takes in. Who is further behind than
// that lets nothing hold instead.
const window = 10_000

type row struct {
	counter int64 // the number that the store has reached
	seq     *int64
	entry   entry
}

func scan(r store.Row) (row, error) {
	var (
		v                  row
		tenant, kind, item *string
	)
	if err := r.Scan(&v.counter, &v.seq, &tenant, &kind, &item); err != nil || v.seq == nil {
		return v, err
	}
	v.entry = entry{*tenant, Kind(*kind), *item}
	return v, nil
}

// query reads the counter and what came after the last reading in one
// statement, so that both are of one snapshot. A sub-select keeps SQLite from
// reading more than it is asked for.
const query = `SELECT k.seq, c.seq, c.tenant_id, c.kind, c.entity_id
	FROM change_counter k
	LEFT JOIN (SELECT seq, tenant_id, kind, entity_id FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2) c ON c.seq <= k.seq
	WHERE k.id = 1 ORDER BY c.seq`

// Poll reads once: when it returns nil, everything that had been committed when
// it was called is taken in. A writer who answers only after it sees its own
// change wherever it asks this node.
func (f *Feed) Poll(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.poll(ctx)
}

// patience is how long a writer waits for its own change.
const patience = 250 * time.Millisecond

// Catch takes in what this process has committed, unless that has been done: who
// answers a writer after it answers nothing that its next request here does not
// see. A store that cannot be read now is tried again by Run.
func (f *Feed) Catch(ctx context.Context) {
	if f.caught.Load() >= f.heard.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.caught.Load() < f.heard.Load() { // nobody else has meanwhile
		_ = f.poll(ctx)
	}
}

// poll reads; f.mu is held.
func (f *Feed) poll(ctx context.Context) error {
	at, heard := f.o.Now(), f.heard.Load()
	// A reading that takes longer than MaxStale helps nobody.
	ctx, cancel := context.WithTimeout(ctx, f.o.MaxStale)
	defer cancel()
	var rows []row
	err := f.db.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = store.List(tx, scan, query, f.last, window)
		return err
	})
	if err != nil {
		return err
	}
	f.take(rows)
	f.read.Store(int64(at.Sub(f.start)))
	f.caught.Store(heard)
	return nil
}

// take brings one reading in. Rows are gapless by construction: if as many are
// there as the counter has moved on, none is missing.
func (f *Feed) take(rows []row) {
	if len(rows) == 0 {
		f.drop(0) // no counter: somebody emptied the store under us
		return
	}
	counter := rows[0].counter
	found := int64(0)
	all := false
	for _, r := range rows {
		if r.seq == nil {
			continue
		}
		found++
		all = all || r.entry == everything
	}
	switch {
	case !f.begun, counter < f.last, counter-f.last != found, all:
		f.drop(counter)
		return
	}
	for _, r := range rows {
		if r.seq == nil {
			continue
		}
		n := *r.seq + f.shift
		f.slots[SlotOf(r.entry.tenant, r.entry.kind, r.entry.id)].Store(n)
		f.slots[SlotOf(r.entry.tenant, r.entry.kind, "")].Store(n)
	}
	f.last = counter
	f.seq.Store(counter + f.shift)
}

// drop lets nothing hold that was asked before: the feed's number moves past
// every one that it gave out, whatever the store's did.
func (f *Feed) drop(counter int64) {
	before := f.seq.Load()
	f.shift = max(f.shift, before+1-counter)
	now := counter + f.shift
	f.floor.Store(now)
	f.begun, f.last = true, counter
	f.seq.Store(now)
}

// prune removes rows that every feed has long read. A feed that has not finds a
// gap.
func (f *Feed) prune(ctx context.Context) error {
	return f.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM changes WHERE made_at < $1`, tx.Now().Add(-f.o.Keep).UnixMilli())
		return err
	})
}
