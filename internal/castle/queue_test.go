package castle

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// until polls until ok, or fails.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func TestRefusalsAreToldLater(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{})
	ctx, end := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { k.Run(ctx); close(done) }()
	e := k.event()
	e.Status = "$failed"
	k.Queue(e)
	until(t, "the event is told", func() bool { return k.Stats().Sent == 1 })
	if path, body, _ := k.peer.last(t); path != "POST /v1/filter" || body["status"] != "$failed" || body["request_token"] != e.Token[0] {
		t.Errorf("%s %v", path, body)
	}
	e.Status, e.UserID = "$succeeded", "auth0|1"
	k.Queue(e)
	until(t, "the success is told", func() bool { return k.Stats().Sent == 2 })
	if path, body, _ := k.peer.last(t); path != "POST /v1/risk" || body["user"].(map[string]any)["id"] != "auth0|1" {
		t.Errorf("%s %v", path, body)
	}
	e.Type, e.Status, e.Name = "$custom", "", "Token refresh" // which has no status
	k.Queue(e)
	until(t, "the refresh is told", func() bool { return k.Stats().Sent == 3 })
	if path, body, _ := k.peer.last(t); path != "POST /v1/risk" || body["name"] != "Token refresh" || body["user"].(map[string]any)["id"] != "auth0|1" {
		t.Errorf("%s %v", path, body)
	}
	e.Token = nil
	k.Queue(e)
	end()
	<-done
	if s := k.Stats(); s.Sent != 3 || s.Dropped != 0 || s.Queued != 0 {
		t.Errorf("%+v", s)
	}
}

func TestTheQueueIsBoundedAndDropsTheOldest(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{})
	var eighth Event
	for n := range mostQueued + 7 { // nobody sends
		e := k.event()
		if n == 7 {
			eighth = e
		}
		k.Queue(e)
	}
	if s := k.Stats(); s.Queued != mostQueued || s.Dropped != 7 {
		t.Errorf("%+v", s)
	}
	if first, _ := k.queue.take(); string(first.body) == "" || first.path != filterPath || !bytes.Contains(first.body, []byte(eighth.Token[0])) {
		t.Errorf("the oldest is %s", first.body)
	}
	e := k.event()
	e.Headers[0].Value = string(make([]byte, 1<<20)) // six bytes each in JSON
	for range 3 {
		k.Queue(e)
	}
	k.queue.mu.Lock()
	defer k.queue.mu.Unlock()
	if k.queue.bytes > mostBytes || len(k.queue.list) > 1 {
		t.Errorf("%d bytes in %d events", k.queue.bytes, len(k.queue.list))
	}
}

// At the end there are five seconds for what is left, and then it is over.
func TestWhatIsLeftIsSentAtTheEndWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil, Config{})
	for range 20 {
		k.Queue(k.event())
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	k.Run(ctx)
	if s := k.Stats(); s.Sent != 20 || s.Queued != 0 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

func TestACastleThatHangsHoldsNothingUpForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Deps{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}, &Config{OnError: "deny"})
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			c.queue.put(told{filterPath, []byte("{}")})
		}
		ctx, end := context.WithCancel(t.Context())
		end()
		began := time.Now()
		var over time.Duration
		run := make(chan struct{})
		go func() { defer close(run); c.sending(ctx) }()
		<-run
		over = time.Since(began)
		if s := c.Stats(); over > flushTime || s.Dropped != 50 || s.Queued != 0 {
			t.Errorf("after %s: %+v", over, s)
		}
	})
}
