package sms

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func configURL(s string) config.URL { return config.URL(s) }

func visitorAddr() netip.Addr { return netip.MustParseAddr(visitor.ip) }

func TestEachLimit(t *testing.T) {
	v6 := func(i int) caller { return caller{page, fmt.Sprintf("2001:db8:0:7::%x", i)} }
	somebody := func(i int) caller { return caller{page, fmt.Sprintf("198.51.100.%d", i)} }
	for _, c := range []struct {
		name, limits string
		who          func(i int) caller
		to           func(i int) string
		campaign     func(i int) string
		retry        string
	}{
		{"by number, over all campaigns", "perNumber: {windowMs: 3600000, max: 2}", somebody, func(int) string { return mobile }, func(i int) string { return [...]string{"", "spring", "third"}[i] }, "3540"},
		{"by address", "perIP: {windowMs: 3600000, max: 2}", func(int) caller { return visitor }, numberOf, func(int) string { return "" }, "3540"},
		{"by a line's IPv6 network", "perIP: {windowMs: 3600000, max: 2}", v6, numberOf, func(int) string { return "" }, "3540"},
		{"by prefix", "perPrefix: {windowMs: 3600000, max: 2}", somebody, func(i int) string { return fmt.Sprintf("+1415555%04d", 2000+i) }, func(int) string { return "" }, "3540"},
		{"by day", "perDay: 2", somebody, numberOf, func(int) string { return "" }, "86340"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, r *room) {
				conf := r.configured("limits: {" + c.limits + "}")
				conf.Campaigns["third"] = "Third"
				n := r.node(conf, Place{})
				n.text(c.who(0), c.campaign(0), c.to(0)).sent(t)
				r.clock.add(time.Minute)
				n.text(c.who(1), c.campaign(1), c.to(1)).sent(t)
				restarted := r.node(conf, Place{}) // another process, or the same one later
				if got := restarted.text(c.who(2), c.campaign(2), c.to(2)).is(t, 429, "rate_limited"); got.header.Get("Retry-After") != c.retry || got.header.Get("Access-Control-Allow-Origin") != page {
					t.Errorf("%v", got.header)
				}
				// Somebody else, and what was refused, count nothing.
				if !strings.Contains(c.limits, "perDay") {
					n.text(caller{page, "203.0.113.9"}, "", "+12125557001").sent(t)
				}
				left, _ := time.ParseDuration(c.retry + "s")
				r.clock.add(left - time.Millisecond)
				n.text(c.who(2), c.campaign(2), c.to(2)).is(t, 429, "rate_limited")
				r.clock.add(time.Millisecond)
				n.text(c.who(2), c.campaign(2), c.to(2)).sent(t)
			})
		})
	}
}

// However many ask at once, on two nodes, no more than max are sent, and max are.
func TestLimitsHoldForManyAtOnce(t *testing.T) {
	for _, limits := range []string{"perNumber: {windowMs: 3600000, max: 5}", "perIP: {windowMs: 3600000, max: 5}", "perPrefix: {windowMs: 3600000, max: 5}", "perDay: 5"} {
		t.Run(limits, func(t *testing.T) {
			each(t, func(t *testing.T, r *room) {
				conf := r.configured("limits: {" + limits + "}")
				for i := range 16 {
					conf.Campaigns[fmt.Sprint("c", i)] = "text"
				}
				nodes := []*node{r.node(conf, Place{}), r.node(conf, Place{})}
				var sent, refused atomic.Int32
				storetest.Callers(t, 16, func(i int) error {
					to := fmt.Sprintf("+1415555%04d", 2000+i)
					if strings.Contains(limits, "perNumber") {
						to = mobile
					}
					switch got := nodes[i%2].text(visitor, fmt.Sprint("c", i), to); got.status {
					case 201:
						sent.Add(1)
					case 429:
						refused.Add(1)
					default:
						return fmt.Errorf("%d %s", got.status, got.body)
					}
					return nil
				})
				if sent.Load() != 5 || refused.Load() != 11 {
					t.Errorf("%d sent, %d refused", sent.Load(), refused.Load())
				}
				r.texts(t, 5)
			})
		})
	}
}

func TestCapsOfProd(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	for _, c := range []struct {
		name, text string
		at         Place
		want       []rule
	}{
		{"nothing written", "{}", Place{Prod: true}, []rule{{byNetwork, hour, 3}, {byAll, day, 200}}},
		{"looser", "limits: {perIP: {windowMs: 60000, max: 3}, perDay: 5000}", Place{Prod: true}, []rule{{byNetwork, time.Minute, 3}, {byAll, day, 5000}, {byNetwork, hour, 3}, {byAll, day, 200}}},
		{"as tight", "limits: {perIP: {windowMs: 7200000, max: 3}, perDay: 200}", Place{Prod: true}, []rule{{byNetwork, 2 * hour, 3}, {byAll, day, 200}}},
		{"accepted", "acceptAbuseRisk: true", Place{Prod: true}, nil},
		{"with turnstile", "turnstile: {secret: x}", Place{Prod: true}, nil},
		{"not in prod", "{}", Place{}, nil},
	} {
		text := c.text
		if text == "{}" {
			text = ""
		}
		conf, problems := parse(strings.TrimSpace(whole+"\n"+text), c.at)
		if got := conf.rules(c.at); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
		warned := false
		for _, p := range problems {
			warned = warned || strings.Contains(p, "acceptAbuseRisk")
		}
		if want := c.at.Prod && len(c.want) > len(conf.written()); warned != want {
			t.Errorf("%s: warned %v: %q", c.name, warned, problems)
		}
	}
}

func TestTheStoreHoldsNoNumberAndNoAddress(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured(""), Place{})
		n.text(visitor, "", mobile).sent(t)
		if err := r.db.Read(t.Context(), func(tx *store.Tx) error {
			var all string
			err := tx.Row(`SELECT id || number || network || prefix || site || campaign FROM sms_sends`).Scan(&all)
			if strings.Contains(all, "4155552671") || strings.Contains(all, "1415555") || strings.Contains(all, visitor.ip) {
				t.Errorf("stored: %s", all)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLimitsOutliveANewMasterKey(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		conf := r.configured("limits: {perNumber: {windowMs: 3600000, max: 1}}")
		r.node(conf, Place{}).text(visitor, "", mobile).sent(t)
		var err error
		r.keys, err = seal.New([]seal.Key{{ID: "next", Secret: secret.New(seal.NewKey())}, {ID: "test", Secret: secret.New("cG9ydHJlZXZlIHBvcnRyZWV2ZSBwb3J0cmVldmUgISE=")}})
		if err != nil {
			t.Fatal(err)
		}
		n := r.node(conf, Place{})
		n.text(visitor, "", mobile).sent(t)
		r.texts(t, 1) // a repeat
		n.text(visitor, "spring", mobile).is(t, 429, "rate_limited")
	})
}

func TestSweeping(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured("limits: {perNumber: {windowMs: 172800000, max: 1}}"), Place{})
		n.text(visitor, "", mobile).sent(t)
		rows := func() (count int) {
			if err := n.s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := r.db.Read(t.Context(), func(tx *store.Tx) error { return tx.Row(`SELECT count(*) FROM sms_sends`).Scan(&count) }); err != nil {
				t.Fatal(err)
			}
			return count
		}
		r.clock.add(48*time.Hour - time.Millisecond)
		if rows() != 1 {
			t.Error("what a limit counts was removed")
		}
		r.clock.add(time.Millisecond)
		if rows() != 0 {
			t.Error("what nothing counts was kept")
		}
	})
}

// Where Twilio takes texts and its answers are lost, a limit holds all the same, but
// for the one try more that a lost answer is worth.
func TestLimitsHoldWhereOutcomesAreLost(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured("limits: {perNumber: {windowMs: 3600000, max: 3}, perIP: {windowMs: 3600000, max: 6}}"), Place{})
		r.twilio.Fail(standin.Cut)
		for range 30 {
			n.text(visitor, "", mobile)
			n.text(visitor, "", numberOf(1))
			n.text(visitor, "", numberOf(2))
			r.clock.add(61 * time.Second)
		}
		if sent := len(r.twilio.Seen()); sent < 6 || sent > 7 {
			t.Errorf("%d texts left for one address in half an hour, whose limit is 6", sent)
		}
	})
}
