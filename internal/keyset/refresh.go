package keyset

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// Run keeps the set fresh until ctx ends: a fetch now unless one is not due
// yet, then each before Refresh is over, counted from the start of the one
// before, so that a key the issuer has withdrawn is gone within Refresh. After
// a failure it tries again soon, at growing distances up to a minute. A static
// set returns at once.
func (s *Set) Run(ctx context.Context) {
	if s.fetch == nil {
		return
	}
	timer := time.NewTimer(s.untilDue())
	defer timer.Stop()
	retry := firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait := s.period()
		started := s.config.Now()
		if err := s.wait(ctx, s.takeOff()); err != nil {
			wait = min(retry, wait)
			retry = min(2*retry, lastRetry)
		} else {
			retry = firstRetry
			wait -= min(wait, s.config.Now().Sub(started))
		}
		timer.Reset(wait)
	}
}

// period leaves a tenth of Refresh for the fetch itself.
func (s *Set) period() time.Duration { return s.config.Refresh - s.config.Refresh/10 }

func (s *Set) untilDue() time.Duration {
	good := s.good.Load()
	if good == nil {
		return 0
	}
	return max(0, good.at.Add(s.period()).Sub(s.config.Now()))
}

// MayRefetch reports whether Refetch would do something: a fetch is under way,
// or the last one on demand began at least RefetchEvery before now. A static
// set never may.
func (s *Set) MayRefetch(now time.Time) bool {
	if s.fetch == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flight != nil || s.mayAsk(now)
}

func (s *Set) mayAsk(now time.Time) bool {
	return s.asked.IsZero() || now.Sub(s.asked) >= RefetchEvery
}

// Refetch fetches the set on demand: a token named an unknown key, or the
// issuer was not reached yet. Callers at one time share one fetch, Run's
// included. It returns when that fetch is over or ctx ends; the fetch itself
// goes on. ErrTooSoon when MayRefetch would say no.
func (s *Set) Refetch(ctx context.Context) error {
	if s.fetch == nil {
		return ErrTooSoon
	}
	s.mu.Lock()
	f := s.flight
	if f == nil {
		now := s.config.Now()
		if !s.mayAsk(now) {
			s.mu.Unlock()
			return ErrTooSoon
		}
		s.asked = now
		f = s.launch()
	}
	s.mu.Unlock()
	return s.wait(ctx, f)
}

// takeOff joins the fetch under way or begins one.
func (s *Set) takeOff() *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight
	}
	return s.launch()
}

// launch begins a fetch; s.mu is held. It belongs to no caller, so that one who
// leaves does not take the answer from the others; its own time is bounded.
func (s *Set) launch() *flight {
	f := &flight{done: make(chan struct{})}
	s.flight = f
	go func() {
		f.err = s.attempt(context.Background())
		s.mu.Lock()
		s.flight = nil
		s.mu.Unlock()
		close(f.done)
	}()
	return f
}

func (s *Set) wait(ctx context.Context, f *flight) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt fetches once and takes in what came. A panic in a reader of foreign
// bytes is an error here: it would end the process.
func (s *Set) attempt(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("key set %s: panic: %v", s.config.Name, p)
		}
		if err != nil {
			s.fail(err)
		}
	}()
	h, err := s.fetch(ctx)
	if err != nil {
		return fmt.Errorf("key set %s: %w", s.config.Name, err)
	}
	s.take(h)
	return nil
}

// take puts h in place and says what is new about it.
func (s *Set) take(h *harvest) {
	before := s.good.Swap(h)
	if s.failed.Swap(nil) != nil || before == nil {
		s.config.Log.Info("key set fetched", "issuer", s.config.Name, "keys", len(h.keys))
	}
	if before != nil && slices.Equal(before.skipped, h.skipped) {
		return
	}
	for _, no := range h.skipped {
		s.logSkipped(no)
	}
}

func (s *Set) logSkipped(no jws.Skipped) {
	if no.Alarm {
		s.config.Log.Error("the issuer publishes a secret; the key is not used", "issuer", s.config.Name, "key", no.String())
		return
	}
	s.config.Log.Info("key not used", "issuer", s.config.Name, "key", no.String())
}

// fail notes why; the last good keys stay. The same reason is logged once.
func (s *Set) fail(err error) {
	why := err.Error()
	if before := s.failed.Swap(&why); before == nil || *before != why {
		s.config.Log.Warn("key set not fetched; the last good keys stay", "issuer", s.config.Name, "error", why)
	}
}
