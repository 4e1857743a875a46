package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// patient is a talker whose answer to /healthz the test chooses.
type patient struct {
	name   string
	status atomic.Int32 // 0: silence
	checks atomic.Int32
	head   atomic.Pointer[string] // of the last check
}

func (p *patient) talk(c net.Conn, in *bufio.Reader) {
	for {
		head, err := readHead(in)
		if err != nil {
			return
		}
		if !strings.HasPrefix(head, "GET /healthz") {
			_, _ = fmt.Fprintf(c, "%sContent-Length: %d\r\n\r\n%s", okHead, len(p.name), p.name)
			continue
		}
		p.checks.Add(1)
		p.head.Store(&head)
		switch status := p.status.Load(); status {
		case 0:
			_, _ = io.Copy(io.Discard, in)
			return
		default:
			_, _ = fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Length: 1000000\r\n\r\nthe rest never comes", status)
		}
	}
}

func checked(s *GroupSettings) { s.Check = Check{Path: "/healthz?x=1", Interval: 10 * time.Second} }

func TestHealthChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		a, b := &patient{name: "a"}, &patient{name: "b"}
		n.put(one, a.talk)
		n.put(two, b.talk)
		a.status.Store(200)
		b.status.Store(500)
		g := n.group(checked, one, two)
		g.Start()
		g.Start() // no second one
		time.Sleep(time.Millisecond)
		// The first check gives the verdict.
		expect := func(what string, want ...string) {
			t.Helper()
			got := map[string]bool{}
			for range 4 {
				got[ask(g, "GET", "").String()] = true
			}
			ok := len(got) == len(want)
			for _, w := range want {
				ok = ok && got[w]
			}
			if !ok {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		expect("b is ill", "200 a")
		if head := *b.head.Load(); !strings.HasPrefix(head, "GET /healthz?x=1 HTTP/1.1\r\nHost: 10.0.0.2\r\n") {
			t.Errorf("the check is %q", head)
		}
		b.status.Store(302)
		time.Sleep(11 * time.Second)
		expect("well once", "200 a")
		time.Sleep(11 * time.Second)
		expect("well twice", "200 a", "200 b")
		a.status.Store(0)
		time.Sleep(11 * time.Second)
		expect("silent once", "200 a", "200 b")
		time.Sleep(11 * time.Second)
		a.status.Store(404)
		time.Sleep(11 * time.Second)
		expect("ill for long", "200 b")
		if h := g.Health(); !h.Healthy || h.Members[0].Up || h.Members[0].Addresses[0].Error == "" || h.Members[0].Addresses[0].Since.IsZero() {
			t.Errorf("%+v", h)
		}
		b.status.Store(500)
		time.Sleep(22 * time.Second)
		expect("all ill", CodeNoMember)
		if g.Health().Healthy {
			t.Error("a group of ill members is healthy")
		}
		a.status.Store(201)
		time.Sleep(22 * time.Second)
		expect("one well again", "200 a")
		if c := a.checks.Load(); c < 8 || c > 12 {
			t.Errorf("%d checks in %d s", c, 99)
		}
		g.Close()
		before := a.checks.Load()
		time.Sleep(time.Minute)
		if a.checks.Load() != before {
			t.Error("a closed group goes on checking")
		}
		settled(t, g)
	})
}

// A member that flips at every check never changes the verdict.
func TestOneCheckIsNoVerdict(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	var h health
	for i, c := range []struct{ well, changed, down bool }{
		{true, false, false}, {false, false, false}, {true, false, false}, {false, false, false}, {false, true, true},
		{true, false, true}, {false, false, true}, {true, false, true}, {true, true, false}, {true, false, false},
	} {
		if got := h.verdict(c.well, now, ""); got != c.changed || h.down.Load() != c.down {
			t.Errorf("%d: changed %v, down %v", i, got, h.down.Load())
		}
	}
	var first health
	if !first.verdict(false, now, "") || !first.down.Load() {
		t.Error("the first check gives no verdict")
	}
}

// A check bounds what it takes of an answer, and how long.
func TestChecksAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		var written atomic.Int64
		n.put(one, func(c net.Conn, in *bufio.Reader) { // a head without end
			if _, err := readHead(in); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				k, err := io.WriteString(c, "A: b\r\n")
				if written.Add(int64(k)); err != nil {
					return
				}
			}
		})
		n.put(two, func(c net.Conn, in *bufio.Reader) { // a byte a second
			for range 100 {
				if _, err := c.Write([]byte("H")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		g := n.group(checked, one, two, three) // three is a black hole
		g.Start()
		time.Sleep(maxCheckTime + time.Millisecond)
		for i, m := range g.Health().Members {
			if m.Up {
				t.Errorf("member %d is up", i)
			}
		}
		if w := written.Load(); w > 2*maxHeadBytes {
			t.Errorf("%d bytes of a head were read", w)
		}
		g.Close()
	})
}

// Failed connections keep requests away, for longer each time, and one request
// alone finds out whether that is over.
func TestEjection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.lag = time.Microsecond // so that the sixteen are under way at once
		n.put(one, nil)
		n.put(two, saysName("two"))
		g := n.group(func(s *GroupSettings) { s.Retries = 5 }, one, two)
		g.budget.tenths.Store(mostSaved)
		try := func() (dials int) {
			t.Helper()
			before := n.dialled(one)
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					if a := ask(g, "GET", ""); a.body != "two" {
						t.Errorf("%v", a)
					}
				})
			}
			all.Wait()
			return n.dialled(one) - before
		}
		for range 6 {
			ask(g, "GET", "")
		}
		if d := n.dialled(one); d != ejectAfter {
			t.Fatalf("%d connections before the ejection", d)
		}
		if h := g.Health(); h.Members[0].Up || h.Members[0].Addresses[0].Error == "" || !h.Healthy {
			t.Errorf("%+v", h)
		}
		for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
			time.Sleep(pause - time.Millisecond)
			if d := try(); d != 0 {
				t.Errorf("%d connections before %v were over", d, pause)
			}
			time.Sleep(time.Millisecond)
			if d := try(); d != 1 {
				t.Errorf("%d connections after %v", d, pause)
			}
		}
		n.put(one, saysName("one"))
		time.Sleep(30 * time.Second)
		got := map[string]int{}
		for range 10 {
			got[ask(g, "GET", "").body]++
		}
		if got["one"] != 5 || !g.Health().Members[0].Up {
			t.Errorf("%v after it came back", got)
		}
		settled(t, g)
		g.Close()
	})
}

// Where every one of several members is ejected, requests are refused at once;
// where there is only one, it is tried all the same.
func TestNobodyIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.put(one, nil)
		n.put(two, nil)
		g := n.group(func(s *GroupSettings) { s.Retries = 0 }, one, two)
		for range 2 * ejectAfter {
			if got := ask(g, "GET", ""); got.code != CodeUnreachable {
				t.Errorf("%v", got)
			}
		}
		before := n.dialled(one) + n.dialled(two)
		if got := ask(g, "GET", ""); got.code != CodeNoMember || n.dialled(one)+n.dialled(two) != before {
			t.Errorf("%v", got)
		}
		n.put(two, saysName("two"))
		time.Sleep(time.Second)
		codes := map[string]bool{}
		for range 4 {
			codes[ask(g, "POST", "").String()] = true
		}
		if !codes["200 two"] {
			t.Errorf("%v", codes)
		}
		g.Close()

		lone := n.group(nil, one)
		for range 10 {
			if got := ask(lone, "GET", ""); got.code != CodeUnreachable {
				t.Errorf("lone: %v", got)
			}
		}
		if lone.Health().Healthy {
			t.Error("a member that refuses connections is healthy")
		}
		n.put(one, saysName("one"))
		if got := ask(lone, "POST", "x"); got.body != "one" || !lone.Health().Healthy {
			t.Errorf("lone, at once after it came back: %v", got)
		}
		lone.Close()
	})
}

// What answers slowly, badly or breaks off is not ejected: a request of
// anybody's choice may be why.
func TestOnlyFailedConnectionsEject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		n.put(one, hangsUp)
		n.put(two, saysName("two"))
		g := n.group(func(s *GroupSettings) { s.Retries = 0 }, one, two)
		got := map[string]int{}
		for range 40 {
			got[ask(g, "GET", "").String()]++
		}
		if got[CodeBroke] != 20 {
			t.Errorf("%v", got)
		}
		g.Close()
	})
}
