package datadog

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

// intake is Datadog's, as its reference has it: it complains of all that it does
// not know.
type intake struct {
	mu         sync.Mutex
	statuses   []int // of the next answers; 202 when they are over, 0 breaks off
	requests   int
	entries    []map[string]any
	largest    int
	complaints []string
	hold       chan struct{} // closed when answers may come; nil: at once
}

func (d *intake) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	status := http.StatusAccepted
	if len(d.statuses) > 0 {
		status, d.statuses = d.statuses[0], d.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("connection reset")
	}
	if status == http.StatusAccepted {
		d.check(r, raw)
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("{}")), Header: http.Header{}, Request: r}, nil
}

func (d *intake) check(r *http.Request, raw []byte) {
	say := func(format string, args ...any) { d.complaints = append(d.complaints, fmt.Sprintf(format, args...)) }
	if got := r.Method + " " + r.URL.String(); got != "POST https://http-intake.logs.datadoghq.eu/api/v2/logs" {
		say("%s", got)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip", "Dd-Api-Key": "the-key"} {
		if got := r.Header.Values(name); len(got) != 1 || got[0] != want {
			say("%s is %q", name, got)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		say("not gzip: %v", err)
		return
	}
	plain, err := io.ReadAll(z)
	if err != nil || len(plain) > 5_000_000 {
		say("%d bytes, %v", len(plain), err)
	}
	var list []map[string]any
	if err := json.Unmarshal(plain, &list); err != nil || len(list) == 0 || len(list) > 1000 {
		say("%d entries, %v", len(list), err)
	}
	d.largest = max(d.largest, len(list))
	for _, e := range list {
		for _, name := range []string{"ddsource", "ddtags", "hostname", "service", "message", "status"} {
			if s, _ := e[name].(string); s == "" {
				say("%s is %v", name, e[name])
			}
		}
	}
	d.entries = append(d.entries, list...)
}

func shipping(t *testing.T, d *intake, log io.Writer) *Shipper {
	t.Helper()
	s, err := New(&Config{APIKey: secret.New("the-key"), Site: "datadoghq.eu", Service: "edge", Tags: config.List[string]{"team:identity"}},
		Options{Env: "test", Version: "1.2.3", Host: "node-1", Transport: d, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(s *Shipper) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestAnEntryAsTheIntakeGetsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		s := shipping(t, d, io.Discard)
		stop := run(s)
		s.Add(&Entry{Time: time.UnixMilli(1_700_000_000_123), Status: "warn", Message: "POST /oauth/token 502", Client: "203.0.113.9", User: "u1", Took: 3 * time.Millisecond,
			Error: "late", HTTP: &HTTP{Method: "POST", Path: "/oauth/token", Status: 502, RequestID: "r1", Bytes: 17}, Own: map[string]any{"site": "auth.example.com"}})
		time.Sleep(interval + time.Second)
		stop()
		want := map[string]any{"ddsource": "portreeve", "ddtags": "team:identity,env:test,version:1.2.3", "hostname": "node-1", "service": "edge", "message": "POST /oauth/token 502",
			"status": "warn", "timestamp": 1_700_000_000_123.0, "duration": 3e6, "usr": map[string]any{"id": "u1"}, "network": map[string]any{"client": map[string]any{"ip": "203.0.113.9"}},
			"error": map[string]any{"message": "late"}, "portreeve": map[string]any{"site": "auth.example.com"},
			"http": map[string]any{"method": "POST", "status_code": 502.0, "request_id": "r1", "url_details": map[string]any{"path": "/oauth/token"}, "response": map[string]any{"bytes_written": 17.0}}}
		if diff := cmp.Diff([]map[string]any{want}, d.entries); diff != "" || len(d.complaints) > 0 {
			t.Errorf("%s %v", diff, d.complaints)
		}
		if s.o.Totals.Sent.Load() != 1 || s.o.Totals.Dropped.Load() != 0 {
			t.Error("the totals")
		}
	})
}

func TestManyEntriesGoInRequestsOfBoundedSize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		s := shipping(t, d, io.Discard)
		for i := range 2500 {
			s.Add(&Entry{Message: fmt.Sprint(i), Status: "info"})
		}
		for range 700 {
			s.Add(&Entry{Message: strings.Repeat("x", 10_000), Status: "info", Error: strings.Repeat("ü", 10_000)})
		}
		stop := run(s)
		time.Sleep(interval + time.Second)
		stop()
		if len(d.complaints) > 0 || len(d.entries) != 3200 || d.largest != 1000 || d.requests < 4 {
			t.Errorf("%d entries in %d requests, at most %d at once, %d dropped, %v", len(d.entries), d.requests, d.largest, s.o.Totals.Dropped.Load(), d.complaints)
		}
	})
}

func TestTheOldestGoWhereThereIsNoRoom(t *testing.T) {
	t.Parallel()
	s := shipping(t, &intake{}, io.Discard)
	for i := range maxQueued + 7 {
		s.Add(&Entry{Message: fmt.Sprint("n", i), Status: "info"})
	}
	if s.Queued() != maxQueued || s.o.Totals.Dropped.Load() != 7 || !bytes.Contains(s.queue[0], []byte(`"n7"`)) {
		t.Errorf("%d queued, %d dropped, first %s", s.Queued(), s.o.Totals.Dropped.Load(), s.queue[0])
	}
	for range 4000 {
		s.Add(&Entry{Message: strings.Repeat("x", 9000), Status: "info"})
	}
	if s.size > maxPending {
		t.Errorf("%d bytes wait", s.size)
	}
}

func TestWhatTheIntakeSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		statuses      []int
		sent, dropped int64
		requests      int
	}{
		{"accepted", []int{202}, 1, 0, 1},
		{"limited, then accepted", []int{429, 408, 202}, 1, 0, 3},
		{"down, then accepted", []int{0, 500, 503, 202}, 1, 0, 4},
		{"a wrong key", []int{403}, 0, 1, 1},
		{"a redirect", []int{302}, 0, 1, 1},
		{"too large", []int{413}, 0, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d, log := &intake{statuses: c.statuses}, &bytes.Buffer{}
				s := shipping(t, d, log)
				stop := run(s)
				s.Add(&Entry{Message: "x", Status: "info"})
				time.Sleep(2 * time.Minute)
				stop()
				if s.o.Totals.Sent.Load() != c.sent || s.o.Totals.Dropped.Load() != c.dropped || d.requests != c.requests {
					t.Errorf("%d sent, %d dropped, %d requests", s.o.Totals.Sent.Load(), s.o.Totals.Dropped.Load(), d.requests)
				}
				if text := log.String(); (c.name != "accepted") != strings.Contains(text, "Datadog") || strings.Contains(text, "the-key") {
					t.Errorf("the log says %q", text)
				}
			})
		})
	}
}

func TestTheEndTakesFiveSecondsAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, log := &intake{hold: make(chan struct{})}, &bytes.Buffer{}
		s := shipping(t, d, log)
		stop := run(s)
		s.Add(&Entry{Message: "on its way", Status: "info"})
		time.Sleep(interval + time.Second) // it hangs there
		s.Add(&Entry{Message: "behind it", Status: "info"})
		began := time.Now()
		stop()
		if took := time.Since(began); took > flushTime+time.Second || s.o.Totals.Dropped.Load() != 2 || !strings.Contains(log.String(), "entries=2") {
			t.Errorf("took %s, %d dropped, log %s", took, s.o.Totals.Dropped.Load(), log)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := &intake{hold: make(chan struct{})}
		s := shipping(t, d, io.Discard)
		stop := run(s)
		s.Add(&Entry{Message: "on its way", Status: "info"})
		time.Sleep(interval + time.Second)
		s.Add(&Entry{Message: "behind it", Status: "info"})
		time.AfterFunc(2*time.Second, func() { close(d.hold) })
		stop()
		if len(d.entries) != 2 || d.requests != 2 {
			t.Errorf("%v in %d requests", d.entries, d.requests)
		}
	})
}

func TestWhatIsNoConfiguration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{apiKey: k, site: "https://x.com"}`:                    "site",
		`{apiKey: k, site: app.datadoghq.com}`:                  "site",
		`{apiKey: k, tags: ["a b:c", "plain", "ok:1"]}`:         "tags[0]",
		`{apiKey: k, tags: ["plain"]}`:                          "tags",
		`{apiKey: "a b"}`:                                       "apiKey",
		`{apiKey: k, service: "a b"}`:                           "service",
		`{apiKey: k, baseURL: "http://127.0.0.1:1"}`:            "baseURL",
		`{apiKey: k, site: us5.datadoghq.com, tags: "team:id"}`: "",
		`{}`: "",
	} {
		var c Config
		doc := config.Decode([]byte(text), &c, config.Options{Name: "p.yaml", Env: func(string) (string, bool) { return "", false }})
		c.Validate(doc.Report(""), false)
		if failed := doc.Failed(); failed != (want != "") || failed && !strings.Contains(fmt.Sprint(doc.Problems()), want) {
			t.Errorf("%s: %v", text, doc.Problems())
		}
		if text == "{}" && (c.On() || c.Site != "datadoghq.com" || c.Service != "portreeve") {
			t.Errorf("%+v", c)
		}
	}
	if (*Config)(nil).On() {
		t.Error("on without its key")
	}
}
