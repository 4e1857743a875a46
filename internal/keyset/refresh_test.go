package keyset_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portreeve/portreeve/internal/keyset"
)

func zipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Bytes()
}

// wire is an issuer without a network, for tests in synctest's time: it answers
// after a while with a set, or with an error.
type wire struct {
	after atomic.Int64 // nanoseconds
	set   atomic.Pointer[string]
	asked atomic.Int64
	times []time.Time
	mu    sync.Mutex
}

func newWire(set string) *wire {
	w := &wire{}
	w.say(set)
	return w
}

// say sets the answer; "" is no answer at all.
func (w *wire) say(set string) { w.set.Store(&set) }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked.Add(1)
	w.mu.Lock()
	w.times = append(w.times, time.Now())
	w.mu.Unlock()
	select {
	case <-time.After(time.Duration(w.after.Load())):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	set := *w.set.Load()
	if set == "" {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(set)), Request: r}, nil
}

func setOn(w *wire) *keyset.Set {
	return keyset.New(keyset.Config{URL: "https://issuer.example/jwks", Client: &http.Client{Transport: w}})
}

func run(t *testing.T, s *keyset.Set) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func TestAWithdrawnKeyIsGoneWithinRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		w.after.Store(int64(9 * time.Second))
		s := setOn(w)
		run(t, s)
		time.Sleep(10 * time.Second)
		want(t, s, "kid-1")
		for range 20 {
			w.say(setOf(1))
			time.Sleep(11 * time.Minute)
			want(t, s, "kid-1")
			w.say(setOf(2))
			time.Sleep(10*time.Minute + time.Second)
			want(t, s, "kid-2")
		}
		if n := w.asked.Load(); n < 40 || n > 50 {
			t.Errorf("%d fetches in seven hours", n)
		}
	})
}

func TestTheFetchItselfCountsAsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		w.after.Store(int64(9 * time.Second))
		s := keyset.New(keyset.Config{URL: "https://issuer.example/jwks", Client: &http.Client{Transport: w}, Refresh: time.Minute})
		run(t, s)
		time.Sleep(10 * time.Second)
		w.say(setOf(2))
		time.Sleep(61 * time.Second)
		want(t, s, "kid-2")
	})
}

// plainly answers https with a redirect to http on the same host, and http with
// a set.
type plainly struct{}

func (plainly) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(setOf(9))), Request: r}
	if r.URL.Scheme == "https" {
		answer.StatusCode = 302
		answer.Header.Set("Location", "http://"+r.Host+"/")
	}
	return answer, nil
}

func TestNoRedirectFromHTTPSToHTTP(t *testing.T) {
	t.Parallel()
	for _, allow := range []bool{false, true} {
		s := keyset.New(keyset.Config{URL: "https://issuer.example", AllowHTTP: allow, Client: &http.Client{Transport: plainly{}}})
		if err := s.Refetch(t.Context()); err == nil {
			t.Errorf("followed, with http allowed: %t", allow)
		}
	}
}

func TestDownAtStartThenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire("")
		s := setOn(w)
		run(t, s)
		time.Sleep(time.Hour)
		want(t, s, "not ready")
		if h := s.Health(); h.Ready || !strings.Contains(h.Err, "connection refused") || !h.Fetched.IsZero() {
			t.Errorf("health %+v", h)
		}
		if n := w.asked.Load(); n < 50 || n > 75 {
			t.Errorf("%d attempts in an hour", n)
		}
		w.say(setOf(1))
		time.Sleep(61 * time.Second)
		want(t, s, "kid-1")
		if h := s.Health(); !h.Ready || h.Err != "" {
			t.Errorf("health %+v", h)
		}
	})
}

func TestStaleKeysLastADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		s := setOn(w)
		run(t, s)
		synctest.Wait()
		want(t, s, "kid-1")
		good := s.Health().Fetched
		print := signer(1).Public().Thumbprint()
		w.say("")
		time.Sleep(23*time.Hour + 59*time.Minute)
		want(t, s, "kid-1")
		if h := s.Health(); h.Err == "" || !h.Fetched.Equal(good) || !s.Has(print) {
			t.Errorf("health %+v", h)
		}
		time.Sleep(2 * time.Minute)
		want(t, s, "not ready")
		if s.Has(print) || s.Health().Ready {
			t.Error("a key older than a day is still in the set")
		}
		w.say(setOf(1))
		time.Sleep(2 * time.Minute)
		want(t, s, "kid-1")
	})
}

func TestASlowIssuerIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		w.after.Store(int64(time.Hour))
		s := setOn(w)
		begun := time.Now()
		if err := s.Refetch(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestUnknownKeysCauseOneFetchIn30Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		w.after.Store(int64(time.Second))
		s := setOn(w)
		var joined, refused atomic.Int64
		storm := func() {
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					switch err := s.Refetch(t.Context()); {
					case err == nil:
						joined.Add(1)
					case errors.Is(err, keyset.ErrTooSoon):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		for range 60 { // one storm a second, the first of which takes a second
			if !s.MayRefetch(time.Now()) {
				if err := s.Refetch(t.Context()); !errors.Is(err, keyset.ErrTooSoon) {
					t.Errorf("MayRefetch says no, Refetch %v", err)
				}
			}
			storm()
			time.Sleep(time.Second)
		}
		if joined.Load() == 0 || joined.Load()%64 != 0 || refused.Load() == 0 {
			t.Errorf("%d joined, %d refused", joined.Load(), refused.Load())
		}
		for i := 1; i < len(w.times); i++ {
			if d := w.times[i].Sub(w.times[i-1]); d < keyset.RefetchEvery {
				t.Errorf("fetches %v apart", d)
			}
		}
		if n := w.asked.Load(); n != 3 {
			t.Errorf("%d fetches in about a minute", n)
		}
	})
}

func TestACallerWhoLeavesDoesNotStopTheFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		w.after.Store(int64(5 * time.Second))
		s := setOn(w)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Refetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if !s.MayRefetch(time.Now()) {
			t.Error("a fetch is under way and cannot be joined")
		}
		if err := s.Refetch(t.Context()); err != nil {
			t.Errorf("joined: %v", err)
		}
		want(t, s, "kid-1")
		if w.asked.Load() != 1 {
			t.Errorf("%d fetches", w.asked.Load())
		}
	})
}

// TestRunAgain: after a reload the same set gets another Run, which does not
// fetch what is fresh.
func TestRunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(setOf(1))
		s := setOn(w)
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			s.Run(ctx)
			cancel()
		}
		if w.asked.Load() != 1 {
			t.Errorf("%d fetches", w.asked.Load())
		}
	})
}

func TestReadersNeverWait(t *testing.T) {
	s := keyset.New(keyset.Config{URL: "https://issuer.example", Client: &http.Client{Transport: newWire(setOf(1))}})
	if err := s.Refetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	print := signer(1).Public().Thumbprint()
	if n := testing.AllocsPerRun(100, func() { s.Keys(); s.Has(print) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
