package sms

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// numberOf is one of many numbers that take texts, each of a prefix of its own.
func numberOf(i int) string { return fmt.Sprintf("+1415%03d%04d", 200+i, 1000+i) }

func TestATextGoesOut(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured(""), Place{})
		for i, to := range []string{"4155552671", "(415) 555-2671", "+1 415 555 2671", "1.415.555.2671", "tel:+1-415-555-2671", "011 1 415 555 2671", "+1 (415) 555‑2671"} {
			r.clock.add(time.Hour)
			n.text(visitor, "spring", to).sent(t)
			if got := r.texts(t, i+1)[i]; got.To != mobile || got.Service != service || got.Body != n.c.Campaigns["spring"] {
				t.Fatalf("%q: %+v", to, got)
			}
		}
		if log := r.log.String(); !strings.Contains(log, "text sent") || !strings.Contains(log, "…71") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestTheSameTextIsSentOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		c := r.configured("dedupeMs: 600000\nlimits: {perNumber: {windowMs: 3600000, max: 3}}")
		first, second := r.node(c, Place{}), r.node(c, Place{})
		first.text(visitor, "", mobile).sent(t)
		second.text(caller{page, "198.51.100.7"}, "default.html", "415-555-2671").sent(t)
		r.texts(t, 1)
		second.text(visitor, "spring", mobile).sent(t) // another text
		r.texts(t, 2)
		r.clock.add(10*time.Minute - time.Millisecond)
		first.text(visitor, "", mobile).sent(t)
		r.texts(t, 2)
		r.clock.add(time.Millisecond)
		first.text(visitor, "", mobile).sent(t)
		r.texts(t, 3)
		// A repeat is answered where a limit is full: it sends nothing.
		second.text(visitor, "", mobile).sent(t)
		second.text(visitor, "spring", mobile).is(t, 429, "rate_limited")
	})
}

func TestARefusedSendMayBeRepeatedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured("limits: {perNumber: {windowMs: 3600000, max: 1}}"), Place{})
		r.twilio.Bar(mobile, true)
		for range 3 {
			n.text(visitor, "", mobile).is(t, 500, "send_failed")
		}
		r.twilio.Bar(mobile, false)
		for _, how := range []standin.Mishap{standin.Denied, standin.Busy} {
			r.twilio.Fail(how)
			n.text(visitor, "", mobile).is(t, 500, "send_failed")
		}
		r.twilio.Fail(standin.Well)
		n.text(visitor, "", mobile).sent(t)
		r.texts(t, 1)
		if got := n.s.Counts(); fmt.Sprint(got) != "[{sms.example.com default refused 5} {sms.example.com default sent 1}]" {
			t.Errorf("counts %v", got)
		}
	})
}

func TestNobodyThereIsARefusal(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	c := r.configured("")
	l := listen(t)
	c.Twilio.BaseURL = "http://" + configURL(l.Addr().String())
	_ = l.Close()
	n := r.node(c, Place{})
	n.text(visitor, "", mobile).is(t, 500, "send_failed")
	if got := fmt.Sprint(n.s.Counts()); !strings.Contains(got, "refused") {
		t.Errorf("counts %s", got)
	}
}

func TestAnUnknownOutcomeWaitsAMinute(t *testing.T) {
	for _, how := range []standin.Mishap{standin.Slow, standin.Reset, standin.Cut, standin.Garbage, standin.Unavailable, standin.Broken, standin.Redirect, standin.Huge} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			r := open(t, storetest.SQLite(t))
			n := r.node(r.configured("limits: {perNumber: {windowMs: 3600000, max: 1}, perDay: 2}"), Place{}).impatient(300 * time.Millisecond)
			r.twilio.Fail(how)
			n.text(visitor, "", mobile).is(t, 500, "send_failed")
			r.twilio.Fail(standin.Well)
			if got := n.text(visitor, "", mobile).is(t, 500, "send_failed"); got.header.Get("Retry-After") != "60" {
				t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
			}
			n.text(visitor, "spring", mobile).is(t, 429, "rate_limited") // it may have been paid for
			r.texts(t, 0)
			if seen := len(r.twilio.Seen()); seen != 1 {
				t.Errorf("Twilio was asked %d times", seen)
			}
			r.clock.add(time.Minute - time.Millisecond)
			n.text(visitor, "", mobile).is(t, 500, "send_failed")
			r.clock.add(time.Millisecond)
			n.text(visitor, "", mobile).sent(t)
			r.texts(t, 1)
			n.text(visitor, "", numberOf(1)).sent(t) // the repeat took the place of the first
			n.text(visitor, "", numberOf(2)).is(t, 429, "rate_limited")
			if r.twilio.Followed() > 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

func TestAProcessThatDiesLeavesAnUnknownOutcome(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured("limits: {perNumber: {windowMs: 3600000, max: 1}}"), Place{})
		w, err := digest(r.keys, number{mobile}, visitorAddr())
		if err != nil {
			t.Fatal(err)
		}
		if c, err := n.u.claim(t.Context(), "sms.example.com", "default", w); err != nil || c.id == "" {
			t.Fatalf("%+v %v", c, err)
		}
		n.text(visitor, "spring", mobile).is(t, 429, "rate_limited")
		r.clock.add(time.Minute)
		n.text(visitor, "", mobile).sent(t)
		r.texts(t, 1)
	})
}

// The same text for one number, asked for by many at once on two nodes: it is
// sent once, and all hear that it was.
func TestManyAtOnceSendOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		c := r.configured("")
		nodes := []*node{r.node(c, Place{}), r.node(c, Place{})}
		storetest.Callers(t, 16, func(i int) error {
			if got := nodes[i%2].text(caller{page, fmt.Sprintf("192.0.2.%d", i)}, "", mobile); got.status != 201 {
				return fmt.Errorf("caller %d: %d %s", i, got.status, got.body)
			}
			return nil
		})
		r.texts(t, 1)
	})
}

// Where it is refused, all hear that.
func TestManyAtOnceHearOfARefusal(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured(""), Place{})
		r.twilio.Bar(mobile, true)
		storetest.Callers(t, 16, func(i int) error {
			if got := n.text(visitor, "", mobile); got.status != 500 {
				return fmt.Errorf("%d %s", got.status, got.body)
			}
			return nil
		})
		r.texts(t, 0)
	})
}

func TestStoreAwayRefuses(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	r := open(t, db)
	n := r.node(r.configured(""), Place{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	n.text(visitor, "", mobile).is(t, 500, "send_failed")
	if seen := r.twilio.Seen(); len(seen) > 0 {
		t.Error("Twilio was asked")
	}
	if got := fmt.Sprint(n.s.Counts()); !strings.Contains(got, "unavailable") {
		t.Errorf("counts %s", got)
	}
}

func TestNoMasterKeyRefuses(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	r.keys = nil
	n := r.node(r.configured(""), Place{})
	n.text(visitor, "", mobile).is(t, 500, "send_failed")
	if seen := r.twilio.Seen(); len(seen) > 0 {
		t.Error("Twilio was asked")
	}
}

// carried is Twilio as a function.
type carried func(*http.Request) (*http.Response, error)

func (f carried) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A store that goes away while Twilio takes the text, and comes back a moment
// later, still learns that it was sent: the repeat is not a second text.
func TestAStoreThatIsAwayForAMoment(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		n := r.node(r.configured("dedupeMs: 600000"), Place{})
		rename := func(from, to string) {
			if err := r.db.Tx(context.Background(), func(tx *store.Tx) error {
				_, err := tx.Exec("ALTER TABLE " + from + " RENAME TO " + to)
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		var calls atomic.Int32
		back := make(chan struct{})
		client, err := outbound.New(outbound.Options{BaseURL: n.c.Twilio.BaseURL.String(), Plain: true, Private: true,
			Transport: carried(func(req *http.Request) (*http.Response, error) {
				if calls.Add(1) == 1 {
					rename("sms_sends", "sms_sends_away")
					time.AfterFunc(400*time.Millisecond, func() { rename("sms_sends_away", "sms_sends"); close(back) })
				}
				return http.DefaultTransport.RoundTrip(req)
			})})
		if err != nil {
			t.Fatal(err)
		}
		n.u.twilio.client = client
		n.text(visitor, "", mobile).sent(t)
		<-back
		r.clock.add(2 * time.Minute)
		n.text(visitor, "", mobile).sent(t)
		r.texts(t, 1)
	})
}
