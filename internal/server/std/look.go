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
// configuration or by keys that are no longer in service. It runs while
// anything does.
func (l *life) look() {
	now, rt := l.e.Now(), l.e.Runtime()
	var over, doubted []*alive
	l.mu.Lock()
	changed := map[*identity.Provider]bool{}
	for a := range l.all {
		if !a.until.IsZero() && !now.Before(a.until) {
			over = append(over, a)
			continue
		}
		if a.who != nil {
			new, known := changed[a.who]
			if !known {
				new = l.notice(a.who)
				changed[a.who] = new
			}
			a.again = a.again || new
		}
		if a.again || a.rt != rt {
			a.again = true
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
		clear(l.known)
	}
	l.mu.Unlock()
	for _, a := range over {
		a.end(a.expired())
	}
	if begin {
		go l.judge(doubted, rt)
	}
}

// notice reports whether the keys of a provider are others than when it was
// last asked. The first time they are not.
func (l *life) notice(p *identity.Provider) (changed bool) {
	if p == nil {
		return false
	}
	for _, set := range p.KeySets() {
		var first any
		if keys, ready := set.Keys(); ready && len(keys) > 0 {
			first = keys[0] // each fetch makes new ones
		}
		before, known := l.keys[set]
		if !known || before != first {
			l.keys[set] = first
			changed = changed || known
		}
	}
	return changed
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
	v := l.e.Gate.Again(ctx, rt.Snapshot, a.arrival)
	now := l.e.Now()
	l.mu.Lock()
	unsure := v.Kind != gateway.Allow && unknown(v.Fault)
	switch {
	case !unsure:
		a.rt, a.again, a.doubt = rt, false, time.Time{}
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
