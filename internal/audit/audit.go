package audit

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// LongestEvery is how far apart checkpoints may lie.
const LongestEvery = time.Hour

// Options are the surroundings of a Log.
type Options struct {
	DB         *store.DB
	Log        *slog.Logger
	Now        func() time.Time
	Checkpoint string        // a file that signed checkpoints are appended to; none when empty
	Every      time.Duration // between checkpoints where something changed; LongestEvery unless set, and at most that
}

// Log keeps the audit trail.
type Log struct {
	db    *store.DB
	log   *slog.Logger
	now   func() time.Time
	file  string
	every time.Duration

	keys  *seal.Keys
	keyID string // of the first master key, which new rows are kept under
	first *chainKeys
	kept  atomic.Bool // the stored copy of first is there

	refused refusals

	checking sync.Mutex
	seen     map[string]int64 // the last checkpoint of every chain; nil before the first round
}

// New makes a Log. Without a master key there is none: a trail that anybody can
// write would be worse than no trail.
func New(keys *seal.Keys, o Options) (*Log, error) {
	if keys == nil {
		return nil, errNoKey()
	}
	l := &Log{
		db: o.DB, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), now: o.Now,
		file: o.Checkpoint, every: o.Every, keys: keys, keyID: keys.First(),
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.every <= 0 || l.every > LongestEvery {
		l.every = LongestEvery
	}
	var err error
	if l.first, err = derive(keys, l.keyID); err != nil {
		return nil, err
	}
	return l, nil
}

// Run flushes the counted refusals each minute and signs checkpoints, until ctx
// ends, and once more then.
func (l *Log) Run(ctx context.Context) {
	minute, every := time.NewTicker(time.Minute), time.NewTicker(l.every)
	defer minute.Stop()
	defer every.Stop()
	l.round(ctx)
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			l.flushed(ctx, true)
			l.round(ctx)
			return
		case <-minute.C:
			l.flushed(ctx, false)
		case <-every.C:
			l.round(ctx)
		}
	}
}

// round signs what changed. A failure is told and made good by the next round.
func (l *Log) round(ctx context.Context) {
	if _, err := l.Checkpoint(ctx); err != nil && ctx.Err() == nil {
		l.log.ErrorContext(ctx, "audit checkpoint failed", "error", err)
	}
}

func (l *Log) flushed(ctx context.Context, all bool) {
	if err := l.Flush(ctx, all); err != nil && ctx.Err() == nil {
		l.log.ErrorContext(ctx, "counted refusals were not written; they are kept", "error", err)
	}
}
