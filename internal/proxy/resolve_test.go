package proxy

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A name that moves takes effect within nameLife, and requests to where it was
// end there.
func TestANameThatMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.name("app", "10.0.0.1")
		n.put(one, saysName("one"))
		n.put(two, saysName("two"))
		g := n.group(nil, "app:80")
		defer g.Close()
		seen := func() string { return ask(g, "GET", "").body }
		if got := seen(); got != "one" {
			t.Fatalf("%q", got)
		}
		first := (*g.members[0].at.Load())[0]
		n.name("app", "10.0.0.2")
		if got := seen(); got != "one" || n.looked() != 1 {
			t.Errorf("%q after %d look-ups", got, n.looked())
		}
		time.Sleep(nameLife)
		seen() // starts the look-up, and does not wait for it
		synctest.Wait()
		if got := seen(); got != "two" || n.looked() != 2 {
			t.Errorf("%q after %d look-ups", got, n.looked())
		}
		if !first.up.pool.closed {
			t.Error("the connections to the former address are kept")
		}

		n.name("app") // the look-up fails
		for range 5 {
			time.Sleep(nameLife)
			if got := seen(); got != "two" {
				t.Errorf("%q while names cannot be looked up", got)
			}
		}
		if h := g.Health(); h.Members[0].Error == "" || !h.Members[0].Up {
			t.Errorf("%+v", h)
		}
		n.name("app", "10.0.0.2", "10.0.0.1")
		time.Sleep(nameRest)
		seen()
		synctest.Wait()
		got := map[string]bool{seen(): true, seen(): true}
		if !got["one"] || !got["two"] {
			t.Errorf("%v", got)
		}
		if h := g.Health(); h.Members[0].Error != "" || len(h.Members[0].Addresses) != 2 {
			t.Errorf("%+v", h)
		}
	})
}

// A connection that fails makes the name be looked up at once, but no more than
// every nameRest.
func TestAFailedConnectionHurriesTheLookUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.name("app", "10.0.0.1")
		n.put(one, nil)
		n.put(two, saysName("two"))
		g := n.group(nil, "app:80")
		defer g.Close()
		ask(g, "GET", "")
		n.name("app", "10.0.0.2")
		for range 50 {
			ask(g, "GET", "")
		}
		if n.looked() != 1 {
			t.Errorf("%d look-ups at once", n.looked())
		}
		time.Sleep(nameRest)
		ask(g, "GET", "")
		synctest.Wait()
		if got := ask(g, "GET", ""); got.body != "two" {
			t.Errorf("%v", got)
		}
	})
}

// Sixteen callers of a name that nobody asked before make one look-up, and all
// wait for it; a failed one is not repeated at once.
func TestTheFirstLookUpIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.slow = time.Second
		n.put(one, saysName("one"))
		g := n.group(nil, "app:80")
		defer g.Close()
		crowd := func(want string) {
			t.Helper()
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					if got := ask(g, "POST", ""); got.String() != want {
						t.Errorf("%v, want %s", got, want)
					}
				})
			}
			all.Wait()
		}
		crowd(CodeUnreachable)
		crowd(CodeUnreachable)
		if n.looked() != 1 || g.Health().Healthy {
			t.Errorf("%d look-ups", n.looked())
		}
		n.name("app", "10.0.0.1")
		time.Sleep(nameRest)
		crowd("200 one")
		if n.looked() != 2 {
			t.Errorf("%d look-ups", n.looked())
		}
	})
}

func TestALookUpThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.slow = time.Hour
		n.put(two, saysName("two"))
		g := n.group(nil, "app:80", two)
		start := time.Now()
		if got := ask(n.group(nil, "app:80"), "GET", ""); got.code != CodeConnectTimeout || time.Since(start) != DefaultConnectTimeout {
			t.Errorf("%v after %v", got, time.Since(start))
		}
		for range 2 { // to another member, where it may
			if got := ask(g, "GET", ""); got.body != "two" {
				t.Errorf("%v", got)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if got := askCtx(ctx, n.group(nil, "other:80"), "GET", ""); got.code != CodeClientGone {
			t.Errorf("%v", got)
		}
		time.Sleep(time.Second)
		go ask(g, "GET", "")
		synctest.Wait()
		start = time.Now()
		g.Close() // does not wait for the resolver
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		time.Sleep(time.Minute)
	})
}

func TestNoMoreAddressesThanTheBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		var many []string
		for i := range 1000 {
			many = append(many, fmt.Sprintf("10.1.%d.%d", i/250, i%250))
		}
		n.name("app", many...)
		for _, a := range many {
			n.put(a+":80", nil)
		}
		g := n.group(func(s *GroupSettings) { s.Retries = 5 }, "app:80")
		defer g.Close()
		if got := ask(g, "GET", ""); got.code != CodeUnreachable {
			t.Errorf("%v", got)
		}
		if h := g.Health(); len(h.Members[0].Addresses) != maxAddresses {
			t.Errorf("%d addresses are used", len(h.Members[0].Addresses))
		}
		tried := 0
		for _, a := range many {
			tried += n.dialled(a + ":80")
		}
		if tried != maxAttempts {
			t.Errorf("one request made %d connections", tried)
		}
	})
}
