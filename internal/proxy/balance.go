package proxy

import (
	"sync/atomic"

	"github.com/portreeve/portreeve/internal/fault"
)

// Balance is how a group chooses among members that can take a request.
type Balance uint8

// The ways to balance. Both hold for members, and again for the addresses of
// the member that was chosen, so that a name of many addresses takes no more
// than its member's share.
const (
	RoundRobin       Balance = iota
	LeastConnections         // the fewest requests that are there now
)

// CodeNoMember is the code of the fault when no member is healthy: 503.
const CodeNoMember = "no_healthy_member"

func noMember() *fault.Error {
	return fault.New(fault.Unavailable, CodeNoMember, "No healthy member of the upstream")
}

// pick chooses one of n, -1 when none is fit: of those that are best, each in
// its turn. What is not fit leaves its turns to all the others evenly.
func pick(n int, turn *atomic.Uint64, how Balance, fit func(int) bool, load func(int) int64) int {
	best, count, least := -1, 0, int64(0)
	for i := range n {
		if !fit(i) {
			continue
		}
		l := int64(0)
		if how == LeastConnections {
			l = load(i)
		}
		switch {
		case count == 0 || l < least:
			best, count, least = i, 1, l
		case l == least:
			count++
		}
	}
	if count < 2 {
		return best
	}
	t := int((turn.Add(1) - 1) % uint64(count))
	for i := best; i < n; i++ {
		if !fit(i) || how == LeastConnections && load(i) > least {
			continue
		}
		if t == 0 {
			return i
		}
		t--
	}
	return best // meanwhile others are
}

// lone reports that the group has one member: then there is nothing to steer
// to, and a member that could not be reached is tried again all the same.
func (g *Group) lone() bool { return len(g.members) == 1 }

// choose picks a member for a request: one that it has not been at, if there
// is any.
func (g *Group) choose(now int64, y *way) *member {
	if g.lone() {
		if m := g.members[0]; m.open(y) {
			return m
		}
		return nil
	}
	load := func(i int) int64 { return g.members[i].load() }
	i := -1
	if y.n > 0 {
		i = pick(len(g.members), &g.turn, g.set.Balance, func(i int) bool { return !y.wasAt(g.members[i]) && g.members[i].usable(now, y) }, load)
	}
	if i < 0 {
		i = pick(len(g.members), &g.turn, g.set.Balance, func(i int) bool { return g.members[i].usable(now, y) }, load)
	}
	if i < 0 {
		return nil
	}
	return g.members[i]
}

// usable reports whether some address of the member takes requests now that y
// has not tried. A member whose name was never resolved is worth a look-up,
// unless one has just failed.
func (m *member) usable(now int64, y *way) bool {
	list := m.at.Load()
	if list == nil {
		return m.names.due(now)
	}
	for _, e := range *list {
		if e.health.ready(now) && !y.tried(e) {
			return true
		}
	}
	return false
}

// open is usable where ejection does not count: only a failed check does.
func (m *member) open(y *way) bool {
	list := m.at.Load()
	if list == nil {
		return true
	}
	for _, e := range *list {
		if !e.health.down.Load() && !y.tried(e) {
			return true
		}
	}
	return false
}

func (m *member) load() (n int64) {
	if list := m.at.Load(); list != nil {
		for _, e := range *list {
			n += e.running.Load()
		}
	}
	return n
}

// endpoint picks an address, nil when none is left for y.
func (m *member) endpoint(list []*endpoint, now int64, y *way) *endpoint {
	load := func(i int) int64 { return list[i].running.Load() }
	for range list { // somebody else may have taken the one trial of an address
		i := pick(len(list), &m.turn, m.g.set.Balance, func(i int) bool { return list[i].health.ready(now) && !y.tried(list[i]) }, load)
		if i < 0 {
			break
		}
		if list[i].health.claim(now) {
			return list[i]
		}
	}
	if !m.g.lone() {
		return nil
	}
	i := pick(len(list), &m.turn, m.g.set.Balance, func(i int) bool { return !list[i].health.down.Load() && !y.tried(list[i]) }, load)
	if i < 0 {
		return nil
	}
	return list[i]
}
