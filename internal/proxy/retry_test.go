package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// What may be tried at another member, and what may not.
func TestRetries(t *testing.T) {
	t.Parallel()
	says := func(text string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, in *bufio.Reader) {
			_, _ = readHead(in)
			_, _ = io.WriteString(c, text)
		}
	}
	failures := []struct {
		name  string
		talk  func(net.Conn, *bufio.Reader) // nil: refused
		alone string                        // what comes of it where nothing is retried
		again bool                          // it may be
	}{
		{"refused", nil, CodeUnreachable, true},
		{"reset before any byte", hangsUp, CodeBroke, true},
		{"one byte, then the end", says("H"), CodeBroke, false},
		{"half a head", says("HTTP/1.1 200 OK\r\nA: b"), CodeBroke, false},
		{"after 103", says("HTTP/1.1 103 Early Hints\r\n\r\n"), CodeBroke, false},
		{"no HTTP", says("SSH-2.0-x\r\n\r\n"), CodeMalformed, false},
		{"both lengths", says(okHead + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"), CodeMalformed, false},
		{"silence", silent, CodeTimeout, false},
		{"a 503 of its own", says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "503 ", false},
	}
	for _, f := range failures {
		for _, q := range []struct {
			method, body string
			safe         bool
		}{
			{"GET", "", true}, {"HEAD", "", true}, {"OPTIONS", "", true}, {"PUT", "", true}, {"DELETE", "", true},
			{"PUT", "x", false}, {"DELETE", "x", false}, {"GET", "x", false},
			{"POST", "", false}, {"POST", "x", false}, {"PATCH", "", false}, {"PROPFIND", "", false}, {"get", "", false},
		} {
			t.Run(fmt.Sprintf("%s/%s %q", f.name, q.method, q.body), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					n := newFakeNet()
					n.put(one, f.talk)
					n.put(two, saysName("two"))
					g := n.group(nil, one, two)
					got, want := ask(g, q.method, q.body), f.alone
					if f.again && q.safe {
						want = "200 two"
						if q.method == "HEAD" {
							want = "200 "
						}
					}
					if got.String() != want {
						t.Errorf("%v, want %s", got, want)
					}
					if tried := n.dialled(two) > 0; tried != (f.again && q.safe) {
						t.Errorf("the other member was asked: %v", tried)
					}
					settled(t, g)
					g.Close()
				})
			})
		}
	}
}

func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	for retries, want := range map[int]int{0: 1, 1: 2, 2: 3, 5: 4} { // members asked, of four
		synctest.Test(t, func(t *testing.T) {
			n := newFakeNet()
			hosts := []string{one, two, three, "10.0.0.4:80"}
			for _, h := range hosts {
				n.put(h, nil)
			}
			g := n.group(func(s *GroupSettings) { s.Retries = retries }, hosts...)
			defer g.Close()
			g.budget.tenths.Store(mostSaved)
			if got := ask(g, "GET", ""); got.code != CodeUnreachable {
				t.Errorf("%v", got)
			}
			dials := 0
			for _, h := range hosts {
				if n.dialled(h) > 1 {
					t.Errorf("retries %d: %s was asked twice", retries, h)
				}
				dials += n.dialled(h)
			}
			if dials != want {
				t.Errorf("retries %d: %d members were asked, want %d", retries, dials, want)
			}
			if got := g.Health().Retries; got != uint64(want-1) {
				t.Errorf("retries %d: %d are counted", retries, got)
			}
			if left := g.budget.tenths.Load(); left != mostSaved-int64(want-1)*oneRetry {
				t.Errorf("retries %d: %d tenths are left", retries, left)
			}
		})
	}
}

// A client that left is no failure of a member, and nothing is tried for it.
func TestNothingIsRetriedForAClientThatLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.put(two, saysName("two")) // one is a black hole
		g := n.group(nil, one, two)
		defer g.Close()
		for range 5 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			if got := askCtx(ctx, g, "GET", ""); got.code != CodeClientGone && got.body != "two" {
				t.Errorf("%v", got)
			}
			cancel()
		}
		if h := g.Health(); !h.Members[0].Up {
			t.Errorf("%+v", h)
		}
	})
}

// Whatever comes in whatever order: no more than one retry for ten requests,
// but for the one to begin with, and no more than ten saved up.
func TestBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b budget
		b.begin()
		type point struct{ requests, retries int }
		var past []point
		var now point
		for range rapid.IntRange(1, 40).Draw(t, "spans") {
			for range rapid.IntRange(0, 60).Draw(t, "requests") {
				b.earn()
				now.requests++
				if rapid.Bool().Draw(t, "fails") && b.spend() {
					now.retries++
				}
			}
			past = append(past, now)
		}
		for i, from := range append([]point{{}}, past...) {
			for _, to := range past[min(i, len(past)):] {
				requests, retries := to.requests-from.requests, to.retries-from.retries
				if retries*10 > requests+mostSaved {
					t.Fatalf("%d retries in %d requests", retries, requests)
				}
			}
		}
		if now.retries*10 > now.requests+oneRetry {
			t.Fatalf("%d retries in %d requests from the start", now.retries, now.requests)
		}
	})
}

// The same of a whole group that sixteen callers use at once, with a member
// that resets every connection and is never ejected for it.
func TestBudgetOfAGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.put(one, hangsUp)
		n.put(two, saysName("two"))
		g := n.group(nil, one, two)
		defer g.Close()
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range 50 {
					ask(g, "GET", "")
				}
			})
		}
		all.Wait()
		if got := g.Health().Retries; got < 70 || got > 81 {
			t.Errorf("%d retries in 800 requests", got)
		}
		settled(t, g)
	})
}

// A name's addresses are tried in turn until one can be connected to, whatever
// the method: nothing was sent. That is no retry.
func TestAnAddressThatRefusesIsPassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.name("localhost", "::1", "127.0.0.1")
		n.put("[::1]:80", nil)
		n.put("127.0.0.1:80", saysName("v4"))
		g := n.group(func(s *GroupSettings) { s.Retries = 0 }, "localhost:80")
		defer g.Close()
		for i := range 50 {
			if got := ask(g, "POST", "body"); got.body != "v4" {
				t.Fatalf("request %d: %v", i, got)
			}
		}
		if d := n.dialled("[::1]:80"); d != ejectAfter {
			t.Errorf("the address that refuses was tried %d times", d)
		}
		if h := g.Health(); h.Retries != 0 || !h.Healthy {
			t.Errorf("%+v", h)
		}
	})
}

// A black hole among the addresses costs its part of the time to connect.
func TestABlackHoleLeavesTimeForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.name("app", "10.0.0.1", "10.0.0.2")
		n.put(two, saysName("two"))
		g := n.group(nil, "app:80")
		defer g.Close()
		for range 2 {
			start := time.Now()
			if got := ask(g, "POST", "x"); got.body != "two" || time.Since(start) > DefaultConnectTimeout/2 {
				t.Errorf("%v after %v", got, time.Since(start))
			}
		}
		n.mu.Lock()
		delete(n.at, two)
		n.mu.Unlock()
		for _, c := range *g.members[0].at.Load() {
			c.up.pool.close()
		}
		start := time.Now()
		if got := ask(g, "GET", ""); got.code != CodeConnectTimeout || time.Since(start) > DefaultConnectTimeout {
			t.Errorf("%v after %v", got, time.Since(start))
		}
	})
}
