package std

import (
	"context"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/proxy"
)

// look ends what is over and decides again whatever was decided by a
// configuration, by keys or by what is stored about a caller that has changed
// since. It runs while anything does.
func (l *life) look() {
	now, rt := l.e.Now(), l.e.Runtime()
	facts := rt.changes()
	var doubted []*alive
	over := map[*alive]*proxy.Ended{}
	l.mu.Lock()
	l.known = map[*identity.Provider]uint64{} // of those that run
	for a := range l.all {
		if !a.until.IsZero() && !now.Before(a.until) {
			over[a] = a.expired()
			continue
		}
		last, known := l.known[a.who]
		if !known {
			last = l.newest(a.who)
			l.known[a.who] = last
		}
		if a.rt != rt || a.seen < last || a.who != nil && a.facts != facts {
			doubted = append(doubted, a)
		}
	}
	begin := len(doubted) > 0 && !l.looking
	l.looking = l.looking || begin
	if len(l.all) > 0 {
		l.timer.Reset(lookEvery)
	} else {
		l.timer = nil
		clear(l.keys)
	}
	l.mu.Unlock()
	for a, why := range over {
		a.end(why)
	}
	if begin {
		go l.judge(doubted, rt)
	}
}

// held are the keys of a set, and the change that they came with.
type held struct {
	first any // each fetch makes new ones
	since uint64
}

// newest is the last change among the keys of a provider. Providers share sets,
// over a reload too, so a change is compared with what each exchange knows:
// whoever notices it first does not take it from the others.
func (l *life) newest(p *identity.Provider) (last uint64) {
	if p == nil {
		return 0
	}
	for _, set := range p.KeySets() {
		var first any
		if keys, ready := set.Keys(); ready && len(keys) > 0 {
			first = keys[0]
		}
		has, known := l.keys[set]
		if !known || has.first != first {
			l.changes++
			has = held{first, l.changes}
			l.keys[set] = has
		}
		last = max(last, has.since)
	}
	return last
}

// judge decides exchanges again. A key set that is fetched, or a queue that is
// full, makes it wait; it never makes it guess.
func (l *life) judge(list []*alive, rt *Runtime) {
	work := make(chan *alive)
	var all sync.WaitGroup
	for range min(judges, len(list)) {
		all.Go(func() {
			for a := range work {
				l.decide(a, rt)
			}
		})
	}
	for _, a := range list {
		work <- a
	}
	close(work)
	all.Wait()
	l.mu.Lock()
	l.looking = false
	l.mu.Unlock()
}

// decide asks whether a running exchange would be let through now, and ends it
// if not.
func (l *life) decide(a *alive, rt *Runtime) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l.mu.Lock()
	l.newest(a.who)
	seen := l.changes // what comes from here on is a reason to ask again
	l.mu.Unlock()
	facts := rt.changes()
	v, x := l.e.Gate.Again(ctx, rt.Snapshot, a.arrival)
	now := l.e.Now()
	l.mu.Lock()
	unsure := v.Kind != gateway.Allow && unknown(v.Fault)
	switch {
	case !unsure:
		a.rt, a.seen, a.facts, a.doubt = rt, seen, facts, time.Time{}
		a.goesBy(x)
	case a.doubt.IsZero():
		a.doubt = now
	}
	late := unsure && now.Sub(a.doubt) >= doubtFor
	l.mu.Unlock()
	if v.Kind != gateway.Allow && (!unsure || late) {
		a.end(&proxy.Ended{Fault: v.Fault, Close: proxy.ClosePolicy})
	}
}

// unknown reports whether a decision could not be made: that is no reason yet
// to end what was allowed before.
func unknown(f *fault.Error) bool {
	return f != nil && (f.Kind == fault.Unavailable || f.Kind == fault.TooManyRequests)
}
