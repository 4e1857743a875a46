package metric

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

const (
	flushTime = 5 * time.Second
	tries     = 3
	longest   = 5 * time.Minute // that a Retry-After is heeded
)

// Run sends what is queued until ctx ends, and then what is left, for 5 s at most.
func (f *Forwarder) Run(ctx context.Context) {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ends later: what is under way is not cut off
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(flushTime, cancel)
		context.AfterFunc(hard, func() { t.Stop() })
	})()
	tick := time.NewTicker(f.c.Interval.Or(defaultInterval))
	defer tick.Stop()
	for {
		whole := false
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-f.queue.wake:
			whole = ctx.Err() == nil // the rest waits for the tick, of which there is none at the end
		}
		for batch := f.queue.take(whole); batch != nil; batch = f.queue.take(whole) {
			f.deliver(ctx, hard, batch)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// deliver sends a batch, again where that may help, and counts what became of it.
func (f *Forwarder) deliver(ctx, hard context.Context, batch []json.RawMessage) {
	body := append([]byte{'['}, bytes.Join(raws(batch), []byte{','})...)
	body = append(body, ']')
	for try := 1; ; try++ {
		again, wait, why := f.send(hard, body)
		if why == "" {
			f.stats.sent.Add(int64(len(batch)))
			return
		}
		f.failed(ctx, why)
		if !again || try == tries || !pause(ctx, hard, wait) {
			f.stats.dropped.Add(int64(len(batch)))
			return
		}
	}
}

// pause waits before the next try; at the end of the process there is no time for
// that.
func pause(ctx, hard context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return hard.Err() == nil
}

// send makes one request. why is "" where the intake took it; again says that it
// may take it later.
func (f *Forwarder) send(ctx context.Context, body []byte) (again bool, wait time.Duration, why string) {
	h := request.Header{{Name: "Content-Type", Value: "application/json"}}
	if !f.c.Key.Empty() {
		h = append(h, request.Field{Name: "Authorization", Value: "Bearer " + f.c.Key.Reveal()})
	}
	wait = f.c.Interval.Or(defaultInterval)
	a, err := f.call.Do(ctx, outbound.Request{Method: http.MethodPost, Header: h, Body: body})
	var o *outbound.Error
	switch {
	case errors.As(err, &o):
		// An answer that cannot be read is one: the batch may well have been taken.
		return o.Why == outbound.Unreachable || o.Why == outbound.Late, wait, string(o.Why)
	case err != nil:
		return false, 0, "not sent"
	case a.Status >= 200 && a.Status <= 299:
		return false, 0, ""
	case a.Status == http.StatusTooManyRequests || a.Status >= 500:
		if s, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && s > 0 {
			wait = min(time.Duration(min(s, 3600))*time.Second, longest)
		}
		return true, wait, "status " + strconv.Itoa(a.Status)
	}
	return false, 0, "status " + strconv.Itoa(a.Status)
}

// failed says once a minute that the intake does not take events.
func (f *Forwarder) failed(ctx context.Context, why string) {
	now := f.d.Now()
	f.mu.Lock()
	quiet := !f.said.IsZero() && now.Sub(f.said) < time.Minute && !now.Before(f.said)
	if !quiet {
		f.said = now
	}
	f.mu.Unlock()
	if !quiet {
		f.d.Log.WarnContext(ctx, "metrics are not taken", "host", f.call.Host(), "why", why, "dropped", f.stats.dropped.Load())
	}
}

func raws(batch []json.RawMessage) [][]byte {
	out := make([][]byte, len(batch))
	for i, e := range batch {
		out[i] = e
	}
	return out
}
