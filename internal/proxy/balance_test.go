package proxy

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

const (
	one, two, three = "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"
)

func TestRoundRobinIsEven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		for _, a := range []string{one, two, three} {
			n.put(a, saysName(a))
		}
		g := n.group(nil, one, two, three)
		defer g.Close()
		var mu sync.Mutex
		got := map[string]int{}
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range 30 {
					a := ask(g, "GET", "")
					mu.Lock()
					got[a.String()]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for _, a := range []string{one, two, three} {
			if got["200 "+a] != 160 {
				t.Errorf("%s answered %d of 480: %v", a, got["200 "+a], got)
			}
		}
		settled(t, g)
	})
}

// A member that does not take requests leaves its share to all the others
// evenly, not to the one that comes after it.
func TestTheShareOfAnEjectedMemberIsSpread(t *testing.T) {
	t.Parallel()
	var turn atomic.Uint64
	got := map[int]int{}
	for range 300 {
		got[pick(4, &turn, RoundRobin, func(i int) bool { return i != 1 }, nil)]++
	}
	if got[0] != 100 || got[2] != 100 || got[3] != 100 {
		t.Errorf("%v", got)
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fit := rapid.SliceOfN(rapid.Bool(), 1, 8).Draw(t, "fit")
		load := rapid.SliceOfN(rapid.Int64Range(0, 3), len(fit), len(fit)).Draw(t, "load")
		how := rapid.SampledFrom([]Balance{RoundRobin, LeastConnections}).Draw(t, "how")
		var turn atomic.Uint64
		turn.Store(rapid.Uint64().Draw(t, "turn"))
		i := pick(len(fit), &turn, how, func(i int) bool { return fit[i] }, func(i int) int64 { return load[i] })
		for j, ok := range fit {
			switch {
			case ok && i < 0:
				t.Fatal("none, though one is fit")
			case ok && how == LeastConnections && load[j] < load[i]:
				t.Fatalf("%d has fewer than %d", j, i)
			}
		}
		if i >= 0 && !fit[i] {
			t.Fatalf("%d is not fit", i)
		}
	})
}

func TestLeastConnectionsAvoidsTheBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.put(one, silent)
		n.put(two, saysName("two"))
		n.put(three, saysName("three"))
		g := n.group(func(s *GroupSettings) { s.Balance = LeastConnections }, one, two, three)
		ctx, cancel := context.WithCancel(context.Background())
		var hung atomic.Int32
		for range 3 { // in turn: one of them stays with the silent member
			go func() {
				if a := askCtx(ctx, g, "POST", ""); a.code == CodeClientGone {
					hung.Add(1)
				}
			}()
			synctest.Wait()
		}
		got := map[string]int{}
		for range 10 {
			got[ask(g, "GET", "").body]++
		}
		if got["two"] != 5 || got["three"] != 5 {
			t.Errorf("%v: of equally idle ones each has its turn, the busy one none", got)
		}
		cancel()
		synctest.Wait()
		if hung.Load() != 1 {
			t.Errorf("%d requests hung at the silent member", hung.Load())
		}
		settled(t, g)
		g.Close()
	})
}

// A name of many addresses takes no more than one member's share, and spreads
// it.
func TestAddressesShareTheirMembersPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.name("many", "10.0.0.1", "10.0.0.2", "::ffff:10.0.0.2")
		n.put(one, saysName("one"))
		n.put(two, saysName("two"))
		n.put(three, saysName("three"))
		g := n.group(nil, "many:80", three)
		defer g.Close()
		got := map[string]int{}
		for range 400 {
			got[ask(g, "GET", "").body]++
		}
		if got["one"] != 100 || got["two"] != 100 || got["three"] != 200 {
			t.Errorf("%v", got)
		}
	})
}

// Choosing costs no allocation, whatever the balance.
func TestChoosingAllocatesNothing(t *testing.T) {
	for _, how := range []Balance{RoundRobin, LeastConnections} {
		for _, hosts := range [][]string{{one}, {one, two, three}} {
			g := newFakeNet().group(func(s *GroupSettings) { s.Balance = how }, hosts...)
			y := &way{g: g}
			if n := testing.AllocsPerRun(100, func() {
				y.n = 0
				if f, _ := y.enter(t.Context()); f != nil {
					t.Fatal(f)
				}
				y.patience()
				y.leave()
			}); n != 0 {
				t.Errorf("%d members: %v allocations", len(hosts), n)
			}
			g.Close()
		}
	}
}
