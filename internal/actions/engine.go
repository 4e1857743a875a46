package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/outbound"
)

// Defaults of Options.
const (
	standardTimeout = 5 * time.Second
	longestTimeout  = 20 * time.Second // Auth0's, for a whole flow
	standardWait    = 5 * time.Second
	longestLine     = 1024 // runs that wait
	maxScripts      = 20   // of a trigger, as at Auth0
)

// Options say what an engine may use. The zero value is a good one.
type Options struct {
	// Children is how many run at once; 0: four for each processor. Idle is how
	// many wait ready, started but used by nobody; 0: two, below 0: none.
	Children, Idle int
	// Wait is how long a run waits for a child; 0: 5 s.
	Wait time.Duration
	// Timeout is the wall limit of one script; 0: 5 s, at most 20 s.
	Timeout time.Duration
	// Plain is for test and dev: egress may be http, and an address of a private
	// network where it is listed as one.
	Plain bool
	// Refuse reports addresses that fetch never dials: our own listeners.
	Refuse func(netip.AddrPort) bool
	Now    func() time.Time
	Log    *slog.Logger
}

// Engine runs scripts. It may be used by any number at once, and across reloads
// of a configuration: scripts come with each Run.
type Engine struct {
	o       Options
	slots   chan struct{}
	line    chan struct{}
	idle    chan *child
	starts  chan startRequest
	closing chan struct{}
	closed  sync.Once
	group   sync.WaitGroup // goroutines of the engine, and children that live
	cache   caches
	clients pooled
	lowered lowered
}

// New makes an engine; Close ends it.
func New(o Options) *Engine {
	o.Children = cmp.Or(max(o.Children, 0), 4*runtime.GOMAXPROCS(0))
	switch {
	case o.Idle == 0:
		o.Idle = 2
	case o.Idle < 0:
		o.Idle = 0
	}
	o.Idle = min(o.Idle, o.Children)
	o.Wait = cmp.Or(max(o.Wait, 0), standardWait)
	o.Timeout = min(cmp.Or(max(o.Timeout, 0), standardTimeout), longestTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{o: o, slots: make(chan struct{}, o.Children), line: make(chan struct{}, longestLine), idle: make(chan *child, o.Idle),
		starts: make(chan startRequest), closing: make(chan struct{}), cache: caches{now: o.Now}}
	e.group.Go(e.starter)
	if o.Idle > 0 {
		e.group.Go(e.prepare)
	}
	return e
}

// Close ends every child and waits for their ends.
func (e *Engine) Close() {
	e.closed.Do(func() { close(e.closing) })
	e.group.Wait()
	e.clients.close()
}

// Run runs the scripts of a trigger in their order. An error is a refusal: a
// script that failed is a *Failure in it. event is anything that JSON has; what
// in it opens a login is taken out.
func (e *Engine) Run(ctx context.Context, t Trigger, scripts []Script, event any) (*Outcome, error) {
	out := &Outcome{}
	if t.Handler() == "" || len(scripts) > maxScripts {
		return nil, broken(fmt.Errorf("trigger %q with %d scripts", t, len(scripts)))
	}
	for _, s := range scripts {
		j, f, err := e.prepareRun(t, s, event)
		if err != nil {
			return nil, broken(fmt.Errorf("%s: %w", s.Name, err))
		}
		if err := e.one(ctx, t, s, j, f, out); err != nil {
			return nil, err
		}
		if out.Denied {
			break
		}
	}
	return out, nil
}

func (e *Engine) prepareRun(t Trigger, s Script, event any) (job, *fetcher, error) {
	code, err := e.lowered.get(s, t)
	if err != nil {
		return job{}, nil, err
	}
	ev, err := scrub(event, s)
	if err != nil {
		return job{}, nil, err
	}
	f := &fetcher{options: outbound.Options{Plain: e.o.Plain, Timeout: fetchTime, MaxAnswer: maxAnswer, Refuse: e.o.Refuse}, clients: e.clients.client}
	for _, entry := range s.Egress {
		o, err := parseOrigin(entry, e.o.Plain)
		if err != nil {
			return job{}, nil, fmt.Errorf("egress %w", err)
		}
		f.allowed = append(f.allowed, o)
	}
	return job{Name: s.Name, Code: code, Handler: t.Handler(), Event: ev, Methods: methods(t)}, f, nil
}

// broken is an error that nobody outside caused.
func broken(err error) error {
	return fault.Wrap(fault.Unavailable, "action_failed", "The request could not be completed", err)
}

// one runs one script in a child of its own.
func (e *Engine) one(ctx context.Context, t Trigger, s Script, j job, f *fetcher, out *Outcome) error {
	c, release, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	limit := min(cmp.Or(max(s.Timeout, 0), e.o.Timeout), longestTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := &run{engine: e, child: c, trigger: t, script: s, fetches: f, out: out, until: time.Now().Add(limit)}
	err = r.converse(ctx, j)
	var failure *Failure
	if errors.As(err, &failure) {
		e.o.Log.WarnContext(ctx, "an action failed", "action", failure.Error())
	}
	if err != nil {
		return broken(err)
	}
	return nil
}

// Probe starts a child and says what this machine does not enforce on it, in
// words for the log at start; an error: no child can be had at all.
func (e *Engine) Probe(ctx context.Context) (lacks []string, err error) {
	c, release, err := e.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return slices.Clone(c.lacks), nil
}

// hide takes the values of secrets out of a line that a script wrote.
func hide(line string, s Script) string {
	values := slices.SortedFunc(maps.Values(s.Secrets), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, v := range values { // the longest first: one may hold another
		if len(v) >= 4 { // shorter ones would tear holes into words
			line = strings.ReplaceAll(line, v, "***")
		}
	}
	return line
}
