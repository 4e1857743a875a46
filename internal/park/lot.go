package park

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// Options bound a Lot. Zero values mean the defaults.
type Options struct {
	Workers    int           // jobs that compute at once; 2
	Waiters    int           // jobs that wait (Job.Waits) at once; 64
	Queue      int           // jobs of either sort that wait for a worker; 1024
	PerAddress int           // jobs of one client address (IPv6: /64), waiting or running; 16
	Timeout    time.Duration // of one job's context; 30 s
}

// Stats are counters since the Lot was made, and its present load.
type Stats struct {
	Running, Queued int
	Done            uint64 // jobs that ran
	Merged          uint64 // callers that found their job already there
	Full            uint64 // callers refused because the queue was full
	Crowded         uint64 // callers refused because their address had too many jobs
}

// Lot runs jobs for whoever holds a socket. Its work is bounded in every
// direction: workers, queue, jobs per client address, time per job. A full
// queue refuses at once; nobody ever waits for a place in it.
type Lot struct {
	queue, perAddress int
	timeout           time.Duration

	mu      sync.Mutex
	flights map[Key]*flight
	byAddr  map[netip.Addr]int
	compute lane
	await   lane
	stats   Stats
}

// lane is the workers of one sort of job.
type lane struct {
	workers, running int
	waiting          []*flight // first in, first out
}

func (l *Lot) lane(j *Job) *lane {
	if j.Waits {
		return &l.await
	}
	return &l.compute
}

// flight is one job on its way, with everybody who waits for it.
type flight struct {
	job     *Job
	owner   netip.Addr // whose count it stands in; zero: nobody's
	done    chan struct{}
	settled Settled // written before done is closed
}

// NewLot makes a Lot. It has no goroutines while there is nothing to do, so
// there is nothing to close.
func NewLot(o Options) *Lot {
	or := func(v, fallback int) int {
		if v > 0 {
			return v
		}
		return fallback
	}
	l := &Lot{
		queue: or(o.Queue, 1024), perAddress: or(o.PerAddress, 16), timeout: o.Timeout,
		compute: lane{workers: or(o.Workers, 2)}, await: lane{workers: or(o.Waiters, 64)},
		flights: make(map[Key]*flight), byAddr: make(map[netip.Addr]int),
	}
	if l.timeout <= 0 {
		l.timeout = 30 * time.Second
	}
	return l
}

// Do runs j, or waits for the equal job that is already there, until it is
// settled or ctx ends; a job that was begun goes on for others even then.
// client is whom the job counts against; the zero address (a unix socket's
// peer) counts against nobody. Refusals and failures of the Lot itself are a
// *fault.Error: Unavailable "park_full" when the queue is full,
// TooManyRequests "park_crowded" when the address has too many jobs,
// Unavailable "park_left" when ctx ended, Internal "job_panicked".
func (l *Lot) Do(ctx context.Context, client netip.Addr, j *Job) Settled {
	f, refusal := l.enter(request.Network(client), j)
	if refusal != nil {
		return Settled{Key: j.Key, Err: refusal}
	}
	select {
	case <-f.done:
		return f.settled
	case <-ctx.Done():
		return Settled{Key: j.Key, Err: fault.Wrap(fault.Unavailable, "park_left", "", fmt.Errorf("wait for %s job: %w", j.Kind, ctx.Err()))}
	}
}

// Stats reads the counters.
func (l *Lot) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Running = l.compute.running + l.await.running
	s.Queued = len(l.compute.waiting) + len(l.await.waiting)
	return s
}

func (l *Lot) enter(client netip.Addr, j *Job) (*flight, *fault.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.flights[j.Key]; ok {
		l.stats.Merged++
		return f, nil
	}
	if client.IsValid() && l.byAddr[client] >= l.perAddress {
		l.stats.Crowded++
		return nil, &fault.Error{Kind: fault.TooManyRequests, Code: "park_crowded", RetryAfter: time.Second}
	}
	lane := l.lane(j)
	idle := lane.running < lane.workers
	if !idle && len(lane.waiting) >= l.queue {
		l.stats.Full++
		return nil, &fault.Error{Kind: fault.Unavailable, Code: "park_full", RetryAfter: time.Second}
	}
	f := &flight{job: j, owner: client, done: make(chan struct{})}
	l.flights[j.Key] = f
	if client.IsValid() {
		l.byAddr[client]++
	}
	if idle {
		lane.running++
		go l.work(lane, f)
	} else {
		lane.waiting = append(lane.waiting, f)
	}
	return f, nil
}

// work runs jobs of one lane until none waits.
func (l *Lot) work(lane *lane, f *flight) {
	for f != nil {
		l.run(lane, f)
		f = l.next(lane)
	}
}

// next takes the job that waits longest. Without one the worker is gone.
func (l *Lot) next(lane *lane) *flight {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(lane.waiting) == 0 {
		lane.waiting = nil // gives a flood's memory back
		lane.running--
		return nil
	}
	f := lane.waiting[0]
	lane.waiting[0] = nil
	lane.waiting = lane.waiting[1:]
	return f
}

// errNoResult is of a job that ended its goroutine instead of returning.
var errNoResult = errors.New("the job ended without a result")

// run runs one job and settles it, whatever the job does.
func (l *Lot) run(lane *lane, f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	settled := Settled{Key: f.job.Key}
	returned := false
	defer func() {
		cancel()
		cause := recover()
		if !returned {
			err := errNoResult
			if cause != nil {
				err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			}
			settled.Err = fault.Wrap(fault.Internal, "job_panicked", "", fmt.Errorf("%s job: %w", f.job.Kind, err))
		}
		l.settle(f, settled)
		if !returned && cause == nil { // runtime.Goexit takes this worker along
			go l.work(lane, l.next(lane))
		}
	}()
	settled.Value, settled.Err = f.job.Run(ctx)
	returned = true
}

// settle hands the result to everybody who waits. Callers that come later make
// a new job; the job's own memory is what spares them.
func (l *Lot) settle(f *flight, s Settled) {
	l.mu.Lock()
	delete(l.flights, f.job.Key)
	if f.owner.IsValid() {
		if l.byAddr[f.owner]--; l.byAddr[f.owner] == 0 {
			delete(l.byAddr, f.owner)
		}
	}
	l.stats.Done++
	l.mu.Unlock()
	f.settled = s
	close(f.done)
}
