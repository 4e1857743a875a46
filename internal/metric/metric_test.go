package metric

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/secret"
)

const key = "intake-key-of-tests"

// intake keeps what it is sent and answers as it is told, without sockets.
type intake struct {
	mu     sync.Mutex
	bodies []string
	at     []time.Time
	heads  []http.Header
	answer func(n int) (*http.Response, error) // of the nth request, from 1
	hang   bool
}

func (i *intake) RoundTrip(r *http.Request) (*http.Response, error) {
	b, _ := io.ReadAll(r.Body)
	i.mu.Lock()
	i.bodies, i.heads, i.at = append(i.bodies, r.Method+" "+r.URL.Path+" "+string(b)), append(i.heads, r.Header.Clone()), append(i.at, time.Now())
	n, hang := len(i.bodies), i.hang
	i.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if i.answer != nil {
		return i.answer(n)
	}
	return says(202, "")
}

func (i *intake) got() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.bodies...)
}

func says(code int, retry string) (*http.Response, error) {
	h := http.Header{}
	if retry != "" {
		h.Set("Retry-After", retry)
	}
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func open(t *testing.T, i *intake, c Config) (*Forwarder, *bytes.Buffer) {
	t.Helper()
	c.URL, c.Key = "https://intake.example/v1/events", secret.New(key)
	log := &bytes.Buffer{}
	f, err := New(Deps{Transport: i, Log: slog.New(slog.NewTextHandler(log, nil))}, &c)
	if err != nil {
		t.Fatal(err)
	}
	return f, log
}

// run runs the forwarder until end is called, which waits for it.
func run(f *Forwarder) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func track(t *testing.T, f *Forwarder, body string) {
	t.Helper()
	if refused := f.Track([]byte(body)); refused != nil {
		t.Fatal(refused)
	}
}

func TestEventsAreForwardedAsTheyCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &intake{}
		f, _ := open(t, i, Config{Batch: 3})
		defer run(f)()
		track(t, f, ` {"event":"a", "n":1.50, "n":2, "é":"\u00e9"} `)
		track(t, f, `[{"event": "b"} , {"event":"c"},{"event":"d"}]`)
		synctest.Wait()
		if got := i.got(); len(got) != 1 || got[0] != `POST /v1/events [{"event":"a", "n":1.50, "n":2, "é":"\u00e9"},{"event": "b"},{"event":"c"}]` {
			t.Errorf("%q", got)
		}
		time.Sleep(defaultInterval)
		synctest.Wait()
		if got := i.got(); len(got) != 2 || got[1] != `POST /v1/events [{"event":"d"}]` {
			t.Errorf("%q", got)
		}
		if h := i.heads[0]; h.Get("Authorization") != "Bearer "+key || h.Get("Content-Type") != "application/json" {
			t.Errorf("%v", h)
		}
		if s := f.Stats(); s != (Stats{Taken: 4, Sent: 4}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	f, _ := open(t, &intake{}, Config{})
	for body, kind := range map[string]fault.Kind{
		``: fault.BadRequest, `"x"`: fault.BadRequest, `1`: fault.BadRequest, `null`: fault.BadRequest, `[1]`: fault.BadRequest, `[{},null]`: fault.BadRequest, `[[{}]]`: fault.BadRequest, `{`: fault.BadRequest, `{}{}`: fault.BadRequest,
		"{\"a\":\"\xff\"}": fault.BadRequest, `[` + strings.Repeat(`{},`, mostEvents) + `{}]`: fault.BadRequest, `{"a":"` + strings.Repeat("x", longestBody) + `"}`: fault.TooLarge,
	} {
		if refused := f.Track([]byte(body)); refused == nil || refused.Kind != kind {
			t.Errorf("%.40q: %v", body, refused)
		}
	}
	for _, body := range []string{`{}`, `[]`, `[` + strings.Repeat(`{},`, mostEvents-1) + `{}]`, `{"a":"` + strings.Repeat("x", longestBody-8) + `"}`} {
		if refused := f.Track([]byte(body)); refused != nil {
			t.Errorf("%.40q: %v", body, refused)
		}
	}
}

func TestTheQueueIsBoundedAndDropsTheOldest(t *testing.T) {
	t.Parallel()
	f, _ := open(t, &intake{}, Config{})
	for n := range mostQueued + 5 { // nobody sends
		track(t, f, fmt.Sprintf(`{"n":%d}`, n))
	}
	if s := f.Stats(); s.Queued != mostQueued || s.Dropped != 5 || string(f.queue.list[0]) != `{"n":5}` {
		t.Errorf("%+v, the oldest is %s", s, f.queue.list[0])
	}
	for range 1000 {
		track(t, f, `{"a":"`+strings.Repeat("x", longestBody-8)+`"}`)
	}
	if f.queue.bytes > mostBytes {
		t.Errorf("%d bytes", f.queue.bytes)
	}
}

// What an intake that fails costs, and what is sent again.
func TestAnIntakeThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(n int) (*http.Response, error)
		sent   bool
		calls  int
		wait   time.Duration // before the second
	}{
		"429 and then well": {func(n int) (*http.Response, error) { return says(map[bool]int{true: 429, false: 202}[n == 1], "7") }, true, 2, 7 * time.Second},
		"503 for good":      {func(int) (*http.Response, error) { return says(503, "") }, false, 3, defaultInterval},
		"500 and a far off time": {func(n int) (*http.Response, error) {
			return says(map[bool]int{true: 500, false: 200}[n == 1], "99999999")
		}, true, 2, longest},
		"Retry-After of words": {func(n int) (*http.Response, error) { return says(map[bool]int{true: 500, false: 200}[n == 1], "soon") }, true, 2, defaultInterval},
		"a reset and then well": {func(n int) (*http.Response, error) {
			return either(n == 1, &net.OpError{Op: "read", Err: errors.New("reset")})
		}, true, 2, defaultInterval},
		"our key is wrong": {func(int) (*http.Response, error) { return says(401, "") }, false, 1, 0},
		"400":              {func(int) (*http.Response, error) { return says(400, "") }, false, 1, 0},
		"a redirect":       {func(int) (*http.Response, error) { return says(307, "") }, false, 1, 0},
		"no HTTP":          {func(int) (*http.Response, error) { return nil, errors.New("malformed HTTP response") }, false, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := &intake{answer: c.answer}
				f, log := open(t, i, Config{Batch: 1})
				end := run(f)
				track(t, f, `{"event":"secret-of-a-user"}`)
				time.Sleep(time.Hour)
				synctest.Wait()
				end()
				s := f.Stats()
				if n := len(i.got()); n != c.calls || (s.Sent == 1) != c.sent || (s.Dropped == 1) == c.sent {
					t.Errorf("%d calls, %+v", n, s)
				}
				if c.calls > 1 && i.at[1].Sub(i.at[0]) != c.wait {
					t.Errorf("again after %s", i.at[1].Sub(i.at[0]))
				}
				if said := log.String(); strings.Contains(said, key) || strings.Contains(said, "secret-of") || strings.Count(said, "\n") != 1 {
					t.Errorf("the log: %s", said)
				}
			})
		})
	}
}

func either(fail bool, err error) (*http.Response, error) {
	if fail {
		return nil, err
	}
	return says(200, "")
}

func TestAtTheEndWhatIsLeftIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &intake{}
		f, _ := open(t, i, Config{Batch: 50})
		for n := range 120 {
			track(t, f, fmt.Sprintf(`{"n":%d}`, n))
		}
		track(t, f, `{}`)
		ctx, end := context.WithCancel(t.Context())
		end()
		f.Run(ctx)
		if s := f.Stats(); s.Sent != 121 || s.Queued != 0 || len(i.got()) != 3 {
			t.Errorf("%+v, %d calls", s, len(i.got()))
		}
	})
}

func TestAnIntakeThatHangsHoldsTheEndUpForFiveSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _ := open(t, &intake{hang: true}, Config{Batch: 1})
		end := run(f)
		for range 30 {
			began := time.Now()
			track(t, f, `{}`)
			if time.Since(began) != 0 {
				t.Error("Track waited")
			}
		}
		time.Sleep(time.Second)
		began := time.Now()
		end()
		if over := time.Since(began); over > flushTime {
			t.Errorf("over after %s", over)
		}
		if s := f.Stats(); s.Sent != 0 || s.Dropped != 30 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestOverASocket(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + r.URL.Path + " " + string(b)
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) // which nobody reads: it was taken
	}))
	defer server.Close()
	f, err := New(Deps{Plain: true}, &Config{URL: config.URL(server.URL + "/in"), Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer run(f)()
	track(t, f, `{"a":1}`)
	select {
	case g := <-got:
		if g != `POST /in [{"a":1}]` {
			t.Error(g)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing came")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `[{}]`, `[{"a":[1,2]},{}]`, ``, "\xff", `{"a":1}{"b":2}`, `[[]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, refused := parse(body)
		if refused != nil {
			return
		}
		for _, e := range events {
			if !json.Valid(e) || e[0] != '{' || !bytes.Contains(body, e) {
				t.Errorf("%q holds %q", body, e)
			}
		}
	})
}
