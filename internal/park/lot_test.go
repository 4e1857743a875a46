package park

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

var someone = netip.MustParseAddr("203.0.113.1")

func key(n int) (k Key) {
	k[0], k[1] = byte(n), byte(n>>8)
	return k
}

func addr(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

// job counts its runs and ends when gate is closed.
func job(n int, runs *atomic.Int32, gate <-chan struct{}) *Job {
	return &Job{Kind: "verify", Key: key(n), Run: func(context.Context) (any, error) {
		runs.Add(1)
		<-gate
		return n, nil
	}}
}

func code(s Settled) string {
	var e *fault.Error
	if errors.As(s.Err, &e) {
		return e.Code
	}
	return ""
}

func TestEqualJobsRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, gate, runs := NewLot(Options{Workers: 4, PerAddress: 1}), make(chan struct{}), atomic.Int32{}
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if s := l.Do(t.Context(), addr(i), job(7, &runs, gate)); s.Err != nil || s.Value != 7 || s.Key != key(7) {
					t.Errorf("Do = %+v", s)
				}
			})
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		if runs.Load() != 1 || l.Stats().Merged != 15 {
			t.Errorf("%d runs, %+v", runs.Load(), l.Stats())
		}
		if s := l.Do(t.Context(), someone, job(7, &runs, gate)); s.Err != nil || runs.Load() != 2 {
			t.Errorf("a job that is over was not run anew: %+v", s)
		}
	})
}

func TestAFullQueueRefusesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, gate, runs := NewLot(Options{Workers: 2, Queue: 3, PerAddress: 100}), make(chan struct{}), atomic.Int32{}
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() { l.Do(t.Context(), someone, job(i, &runs, gate)) })
		}
		synctest.Wait()
		if runs.Load() != 2 {
			t.Errorf("%d jobs run at once, want 2", runs.Load())
		}
		s := l.Do(t.Context(), someone, job(99, &runs, gate))
		var e *fault.Error
		if !errors.As(s.Err, &e) || e.Kind != fault.Unavailable || e.Code != "park_full" || s.Key != key(99) {
			t.Errorf("Do with a full queue = %+v", s)
		}
		close(gate)
		wg.Wait()
		if runs.Load() != 5 {
			t.Errorf("%d of 5 jobs ran", runs.Load())
		}
	})
}

func TestJobsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, gate, runs := NewLot(Options{Workers: 1, PerAddress: 2}), make(chan struct{}), atomic.Int32{}
		var wg sync.WaitGroup
		do := func(client string, n int) {
			wg.Go(func() { l.Do(t.Context(), netip.MustParseAddr(client), job(n, &runs, gate)) })
			synctest.Wait()
		}
		do("2001:db8::1", 1)
		do("2001:db8::2", 2) // the same /64
		s := l.Do(t.Context(), netip.MustParseAddr("2001:db8::3"), job(3, &runs, gate))
		if code(s) != "park_crowded" || fault.From(s.Err).Kind != fault.TooManyRequests {
			t.Errorf("a third job of one /64: %+v", s)
		}
		do("2001:db8:0:1::1", 4)
		for n := range 4 {
			wg.Go(func() { l.Do(t.Context(), netip.Addr{}, job(10+n, &runs, gate)) })
		}
		synctest.Wait()
		if st := l.Stats(); st.Queued != 6 || st.Crowded != 1 {
			t.Errorf("another /64 and peers without address were refused: %+v", st)
		}
		close(gate)
		wg.Wait()
		if s := l.Do(t.Context(), netip.MustParseAddr("2001:db8::3"), job(3, &runs, gate)); s.Err != nil {
			t.Errorf("the count was not given back: %v", s.Err)
		}
		if len(l.byAddr) != 0 || len(l.flights) != 0 {
			t.Errorf("left behind: %v %v", l.byAddr, l.flights)
		}
	})
}

func TestAJobThatBreaksSettlesWithAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := NewLot(Options{Workers: 1})
		for i, run := range []func(context.Context) (any, error){
			func(context.Context) (any, error) { panic("boom") },
			func(context.Context) (any, error) { runtime.Goexit(); return nil, nil },
			func(context.Context) (any, error) { var none []int; return none[len(none)], nil },
		} {
			s := l.Do(t.Context(), someone, &Job{Kind: "verify", Key: key(i), Run: run})
			if code(s) != "job_panicked" || fault.From(s.Err).Kind.Status() != 500 {
				t.Errorf("job %d: %+v", i, s)
			}
		}
		if s := l.Do(t.Context(), someone, &Job{Key: key(9), Run: func(context.Context) (any, error) { return "fine", nil }}); s.Value != "fine" {
			t.Errorf("after that the lot is stuck: %+v", s)
		}
		synctest.Wait()
		if st := l.Stats(); st.Running != 0 {
			t.Errorf("a worker was lost: %+v", st)
		}
	})
}

func TestWhoLeavesDoesNotTakeTheJobAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, gate, runs := NewLot(Options{Workers: 1}), make(chan struct{}), atomic.Int32{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var stays Settled
		var wg sync.WaitGroup
		wg.Go(func() {
			if s := l.Do(ctx, someone, job(1, &runs, gate)); code(s) != "park_left" || !errors.Is(s.Err, context.DeadlineExceeded) {
				t.Errorf("who left got %+v", s)
			}
			close(gate)
		})
		synctest.Wait()
		wg.Go(func() { stays = l.Do(t.Context(), addr(2), job(1, &runs, gate)) })
		wg.Wait()
		if stays.Value != 1 || stays.Err != nil || runs.Load() != 1 {
			t.Errorf("who stayed got %+v after %d runs", stays, runs.Load())
		}
	})
}

func TestAJobsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := NewLot(Options{Timeout: time.Minute})
		start := time.Now()
		s := l.Do(t.Context(), someone, &Job{Run: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }})
		if !errors.Is(s.Err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("settled after %v with %+v", time.Since(start), s)
		}
	})
}

func TestSixteenCallersAtOnce(t *testing.T) {
	t.Parallel()
	l := NewLot(Options{Workers: 3, Queue: 8, PerAddress: 4})
	var running, most atomic.Int32
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 300 {
				n := (c*7 + i) % 23
				s := l.Do(context.Background(), addr(c%5), &Job{Kind: "verify", Key: key(n), Run: func(context.Context) (any, error) {
					now := running.Add(1)
					defer running.Add(-1)
					for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
					}
					runtime.Gosched()
					return n, nil
				}})
				if s.Err == nil && s.Value != n || s.Err != nil && code(s) != "park_full" && code(s) != "park_crowded" {
					t.Errorf("Do = %+v, want %d", s, n)
				}
			}
		})
	}
	wg.Wait()
	l.mu.Lock()
	left := fmt.Sprint(len(l.flights), len(l.byAddr), len(l.compute.waiting), len(l.await.waiting))
	l.mu.Unlock()
	if most.Load() > 3 || left != "0 0 0 0" {
		t.Errorf("%d jobs ran at once; left behind %s", most.Load(), left)
	}
}

func BenchmarkDo(b *testing.B) {
	l := NewLot(Options{})
	j := &Job{Run: func(context.Context) (any, error) { return nil, nil }}
	b.ReportAllocs()
	for b.Loop() {
		l.Do(context.Background(), someone, j)
	}
}

func TestJobsThatWaitForOthersHoldUpNoOtherJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, gate, runs := NewLot(Options{Workers: 1, Waiters: 2, PerAddress: 100}), make(chan struct{}), atomic.Int32{}
		var wg sync.WaitGroup
		for i := range 3 {
			slow := job(i, &runs, gate)
			slow.Kind, slow.Waits = "keys", true
			wg.Go(func() { l.Do(t.Context(), someone, slow) })
		}
		synctest.Wait()
		if st := l.Stats(); runs.Load() != 2 || st.Running != 2 || st.Queued != 1 {
			t.Errorf("%d run, %+v; want two and one that waits for a worker", runs.Load(), st)
		}
		quick := &Job{Kind: "verify", Key: key(9), Run: func(context.Context) (any, error) { return "done", nil }}
		if s := l.Do(t.Context(), someone, quick); s.Value != "done" {
			t.Errorf("a job beside them came to %+v", s)
		}
		close(gate)
		wg.Wait()
		synctest.Wait()
		if st := l.Stats(); runs.Load() != 3 || st.Running != 0 || st.Queued != 0 {
			t.Errorf("%d ran, %+v left", runs.Load(), st)
		}
	})
}
