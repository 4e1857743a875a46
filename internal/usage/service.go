package usage

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// Toucher is told what keys were used. It writes in the transaction that it is
// given; a key that is gone is passed over.
type Toucher interface {
	Touch(tx *store.Tx, tenant, id string, uses int64, last time.Time) error
}

// Keys knows which keys a tenant has, for their usage.
type Keys interface {
	// Exists reports whether the tenant has, or had, a key or machine token of
	// this id.
	Exists(tx *store.Tx, tenant, id string) (bool, error)
}

// Flusher is a feature that counts in memory too and writes when usage does.
type Flusher interface {
	Flush(ctx context.Context) error
}

// Deps is what a Service works with.
type Deps struct {
	DB    *store.DB
	Touch Toucher   // nil: nobody is told
	Keys  Keys      // nil: no key has usage to show
	Also  []Flusher // written together with usage
	Now   func() time.Time
	Log   *slog.Logger
	// Every is how often what was counted is written: 5 s unless set, and never
	// more rarely.
	Every time.Duration
	// Keep is how long it is kept: 400 days unless set, a year and the month
	// that one compares with.
	Keep time.Duration
}

const (
	every      = 5 * time.Second
	keep       = 400 * 24 * time.Hour
	batch      = 200             // lines of one transaction
	finalFlush = 5 * time.Second // what the last one may take
)

// Service counts and tells.
type Service struct {
	*Counter
	d      Deps
	tidied time.Time
}

// New makes a Service. Run writes what it counts.
func New(d Deps) *Service {
	if d.Every <= 0 || d.Every > every {
		d.Every = every
	}
	if d.Keep <= 0 {
		d.Keep = keep
	}
	return &Service{Counter: NewCounter(), d: d}
}

// Run writes every few seconds until ctx ends, and then once more.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(s.d.Every)
	defer t.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalFlush)
			defer cancel()
			if err := s.Flush(last); err != nil {
				s.d.Log.Error("usage that was counted last could not be written", "error", err.Error())
			}
			return
		case <-t.C:
		}
		err := s.Flush(ctx)
		if err != nil && !failed { // once for an outage, not every five seconds
			s.d.Log.Warn("usage could not be written; it is kept and tried again", "error", err.Error())
		}
		failed = err != nil
		s.tidy(ctx)
	}
}

// Flush writes what was counted so far. What cannot be written is counted again.
func (s *Service) Flush(ctx context.Context) error {
	taken := s.take()
	// One order for all nodes: two that write the same lines never wait for each other in a circle.
	lines := slices.SortedFunc(maps.Keys(taken), func(a, b line) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.key, b.key), cmp.Compare(a.hour, b.hour))
	})
	size := batch
	for n := 0; len(lines) > 0; lines = lines[n:] {
		n = min(len(lines), size)
		err := s.d.DB.Tx(ctx, func(tx *store.Tx) error { return s.write(tx, lines[:n], taken) })
		switch {
		case err == nil:
		case fault.From(err).Kind == fault.Unavailable || ctx.Err() != nil:
			s.again(lines, taken)
			return err
		case n > 1: // one of them is at fault: the others are not to wait for it
			size, n = 1, 0
		default:
			s.lost.Add(taken[lines[0]].Calls())
			s.d.Log.Error("a line of usage cannot be written and is lost", "error", err.Error())
		}
	}
	var errs []error
	for _, f := range s.d.Also {
		errs = append(errs, f.Flush(ctx))
	}
	return errors.Join(errs...)
}

func (s *Service) write(tx *store.Tx, lines []line, taken map[line]*counter) error {
	for _, l := range lines {
		if err := add(tx, l, taken[l].Counts); err != nil {
			return err
		}
	}
	if s.d.Touch == nil {
		return nil
	}
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		if l.key == "" {
			continue
		}
		uses, last := taken[l].Calls(), taken[l].last
		for ; i+1 < len(lines) && lines[i+1].tenant == l.tenant && lines[i+1].key == l.key; i++ { // its other hours
			uses, last = uses+taken[lines[i+1]].Calls(), max(last, taken[lines[i+1]].last)
		}
		if err := s.d.Touch.Touch(tx, l.tenant, l.key, uses, time.UnixMilli(last)); err != nil {
			return err
		}
	}
	return nil
}

// again puts lines back that could not be written.
func (s *Service) again(lines []line, taken map[line]*counter) {
	for _, l := range lines {
		if !s.add(l, taken[l]) {
			s.lost.Add(taken[l].Calls())
		}
	}
}

// tidy removes what is older than what is kept, once an hour.
func (s *Service) tidy(ctx context.Context) {
	now := s.d.Now()
	if now.Sub(s.tidied) < time.Hour {
		return
	}
	s.tidied = now
	if err := s.d.DB.Tx(ctx, func(tx *store.Tx) error { return forget(tx, tx.Now().Add(-s.d.Keep)) }); err != nil {
		s.d.Log.Warn("old usage could not be removed", "error", err.Error())
	}
}
