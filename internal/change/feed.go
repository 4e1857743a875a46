package change

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/store"
)

// Options say how a Feed reads.
type Options struct {
	Poll     time.Duration // how often at least; 0: 250 ms
	MaxStale time.Duration // how old the last reading may be for Fresh; 0: 5 s
	Keep     time.Duration // how long rows are kept; 0: 1 h
	Now      func() time.Time
	Log      *slog.Logger
}

// Feed is what one node knows of changes. Its numbers are its own: they only
// grow, and mean nothing to another feed. They are the store's until something
// makes all that was remembered void.
type Feed struct {
	db    *store.DB
	o     Options
	start time.Time
	wake  chan struct{}

	// The order of writes is what makes Holds right without a lock: floor and
	// slots first, seq after them, read after that.
	floor atomic.Int64 // nothing that was asked before this holds
	seq   atomic.Int64
	slots [slots]atomic.Int64
	read  atomic.Int64 // when the last successful reading began, after start

	heard, caught atomic.Int64 // how many commits were announced, and taken in

	mu    sync.Mutex // one reading at a time
	last  int64      // the store's number up to which everything is in
	begun bool       // there was a first reading
	shift int64      // ours minus the store's
}

// never is a reading that has not happened.
const never = math.MinInt64

// NewFeed makes a feed that knows nothing yet: until its first reading nothing
// holds and it is not fresh.
func NewFeed(db *store.DB, o Options) *Feed {
	if o.Poll <= 0 {
		o.Poll = 250 * time.Millisecond
	}
	if o.MaxStale <= 0 {
		o.MaxStale = 5 * time.Second
	}
	if o.Keep <= 0 {
		o.Keep = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Feed{db: db, o: o, start: o.Now(), wake: make(chan struct{}, 1)}
	f.floor.Store(math.MaxInt64)
	f.read.Store(never)
	return f
}

// Seq is the number up to which everything has been taken in. Ask it before
// the query whose result is kept.
func (f *Feed) Seq() int64 { return f.seq.Load() }

// Holds reports whether nothing of these slots has changed after asOf, as far
// as the feed has read.
func (f *Feed) Holds(asOf int64, slots ...Slot) bool {
	if asOf < f.floor.Load() {
		return false
	}
	for _, s := range slots {
		if f.slots[s%Slot(len(f.slots))].Load() > asOf {
			return false
		}
	}
	return true
}

// Fresh reports whether the store was read within MaxStale. The reading
// counts from when it was asked, not from when it was answered.
func (f *Feed) Fresh(now time.Time) bool {
	at := f.read.Load()
	return at != never && now.Sub(f.start)-time.Duration(at) <= f.o.MaxStale
}

// Within bounds a reading that a decision waits for. After MaxStale the answer
// would be a refusal anyhow: nobody is to wait longer for a store that swallows
// what it is asked.
func (f *Feed) Within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, f.o.MaxStale)
}

// Read is when the last successful reading began; the zero time before the first.
func (f *Feed) Read() time.Time {
	at := f.read.Load()
	if at == never {
		return time.Time{}
	}
	return f.start.Add(time.Duration(at))
}

// Wake has Run read at once.
func (f *Feed) Wake() {
	f.heard.Add(1)
	select {
	case f.wake <- struct{}{}:
	default: // it is about to
	}
}

// Run reads until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	var watch sync.WaitGroup
	defer watch.Wait()
	watch.Go(func() { f.db.Watch(ctx, channel, f.Wake) })
	tick := time.NewTicker(f.o.Poll)
	defer tick.Stop()
	pruned, failing := f.o.Now(), false
	for {
		switch err := f.Poll(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			failing = true
			f.o.Log.ErrorContext(ctx, "changes cannot be read; decisions that need stored facts will be refused", "err", err)
		case err == nil && failing:
			failing = false
			f.o.Log.InfoContext(ctx, "changes are read again")
		}
		if now := f.o.Now(); !failing && now.Sub(pruned) > f.o.Keep/6 {
			pruned = now
			if err := f.prune(ctx); err != nil && ctx.Err() == nil {
				f.o.Log.WarnContext(ctx, "old changes were not removed", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-tick.C:
		}
	}
}
