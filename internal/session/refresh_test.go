package session

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func long(d time.Duration) *config.Duration { v := config.Duration(d); return &v }

// Two tabs, each on its own node, meet with expired tokens again and again. The
// provider takes each refresh token once and a second use of one for theft.
func TestTwoTabsNeverLogEachOtherOut(t *testing.T) {
	t.Parallel()
	for engine, c := range map[string]struct {
		url    func(testing.TB) string
		rounds int
	}{"sqlite": {storetest.SQLiteURL, 1000}, "postgres": {storetest.PostgresURL, 1000}} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				c.rounds = 50
			}
			k := newKit(t, c.url(t), Config{Idle: long(longest), Absolute: long(longest)})
			two := k.newNode(k.rogue.URL)
			one := k.browser()
			one.signIn()
			tabs := [...]*browser{one, one.tab(k.node), one.tab(two)}
			for round := range c.rounds {
				k.advance(61 * time.Second)
				for _, n := range []*node{k.node, two} {
					if err := n.feed.Poll(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				var all sync.WaitGroup
				for _, b := range tabs {
					all.Go(func() {
						if r := b.send("GET /private", ""); r.status != 200 {
							t.Errorf("round %d: %d %s %v", round, r.status, r.body, r.fault)
						}
					})
				}
				all.Wait()
				if t.Failed() {
					return
				}
			}
			if k.rogue.reused != 0 || k.rogue.refreshes != c.rounds {
				t.Errorf("%d refreshes in %d rounds, %d tokens spent twice", k.rogue.refreshes, c.rounds, k.rogue.reused)
			}
		})
	}
}

func TestSixteenCallersSpendOneRefreshToken(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		nodes := []*node{k.node, k.newNode(k.rogue.URL), k.newNode(k.rogue.URL), k.newNode(k.rogue.URL)}
		b := k.browser()
		b.signIn()
		id := ""
		k.tx(readID(&id))
		k.advance(2 * time.Minute)
		storetest.Callers(t, 16, func(i int) error { return nodes[i%4].s.refreshed(context.Background(), id) })
		if k.rogue.refreshes != 1 || k.rogue.reused != 0 || !b.in() {
			t.Errorf("%d refreshes, %d reused", k.rogue.refreshes, k.rogue.reused)
		}
	})
}

func TestWhatARefreshComesTo(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		fresh := func() *browser {
			b := k.browser()
			b.signIn()
			return b
		}
		// Nothing new: the session goes on under its cookie.
		b := fresh()
		was := b.jar["__Host-portreeve"]
		k.advance(2 * time.Minute)
		if !b.in() || k.rogue.refreshes != 1 || b.jar["__Host-portreeve"] != was {
			t.Fatalf("%d refreshes", k.rogue.refreshes)
		}
		// The provider says other things of the person: they count from now on, under
		// a new cookie, and the one before is good for other tabs for a moment.
		k.rogue.set(func() { k.rogue.extra = map[string]any{"email": "alice@new.example", "groups": []string{"admins"}} })
		tab := b.tab(k.node)
		k.advance(2 * time.Minute)
		if !b.in() || b.jar["__Host-portreeve"] == was {
			t.Error("no new cookie")
		}
		if w := b.who(); w["email"] != "alice@new.example" {
			t.Errorf("%v", w["email"])
		}
		if !tab.in() || tab.jar["__Host-portreeve"] != b.jar["__Host-portreeve"] {
			t.Error("the other tab was left behind")
		}
		late := b.tab(k.node)
		late.jar["__Host-portreeve"] = was
		k.advance(oldCookie)
		if late.in() || !b.in() {
			t.Error("the old cookie is good for too long, or the new one is not")
		}
		k.rogue.set(func() { k.rogue.extra = nil })

		// No ID token at a refresh: what was said stands.
		k.rogue.set(func() { k.rogue.noID = true })
		b = fresh()
		k.advance(2 * time.Minute)
		if !b.in() {
			t.Error("without an ID token")
		}
		k.rogue.set(func() { k.rogue.noID = false })

		// The provider is away: ten minutes, then 503; and back again.
		b = fresh()
		k.rogue.set(func() { k.rogue.down = true })
		k.advance(2 * time.Minute)
		for range 8 {
			if r := b.ask("GET /private", ""); r.status != 200 {
				t.Fatalf("within the grace: %d %v", r.status, r.fault)
			}
			k.advance(time.Minute)
		}
		k.advance(2 * time.Minute)
		if r := b.ask("GET /private", ""); r.status != 503 || r.header("Retry-After") == "" {
			t.Errorf("after the grace: %d %v", r.status, r.fault)
		}
		k.rogue.set(func() { k.rogue.down = false })
		k.advance(retryEvery)
		if r := b.ask("GET /private", ""); r.status != 200 {
			t.Errorf("when it is back: %d %v", r.status, r.fault)
		}

		// The provider has ended it, or lies: the session has ended, for good.
		for name, trouble := range map[string]func(){
			"invalid_grant":  func() { clear(k.rogue.refresh) },
			"another person": func() { k.rogue.lie = func(c map[string]any) { c["sub"] = "mallory" } },
			"another nonce":  func() { k.rogue.lie = func(c map[string]any) { c["nonce"] = "x" } },
			"another client": func() { k.rogue.lie = func(c map[string]any) { c["aud"] = "x" } },
			"expired":        func() { k.rogue.lie = func(c map[string]any) { c["exp"] = 1 } },
			"alg none": func() {
				k.rogue.forge = func(s string) string { return "eyJhbGciOiJub25lIn0." + strings.Split(s, ".")[1] + "." }
			},
		} {
			b := fresh()
			k.rogue.set(trouble)
			k.advance(2 * time.Minute)
			if r := b.ask("GET /private", ""); r.status != 401 || b.jar["__Host-portreeve"] != "" {
				t.Errorf("%s: %d %v", name, r.status, r.fault)
			}
			k.rogue.set(func() { k.rogue.lie, k.rogue.forge = nil, nil })
			if n := k.count(`SELECT COUNT(*) FROM session_cookies c WHERE c.hash = $1`, hashOf(b.jar["__Host-portreeve"])); n != 0 {
				t.Errorf("%s: the session is still there", name)
			}
		}
	})
}
