package sms

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const (
	account = "AC00112233445566778899aabbccddeeff"
	service = "MGffeeddccbbaa99887766554433221100"
	token   = "an-auth-token-of-twilio"
	page    = "https://example.com"
	mobile  = "+14155552671"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// room is nodes on one store before stand-ins of Twilio and Turnstile.
type room struct {
	t         testing.TB
	db        *store.DB
	keys      *seal.Keys
	clock     *clock
	log       *lines
	twilio    *standin.Twilio
	turnstile *standin.Turnstile
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t testing.TB, db *store.DB) *room {
	t.Helper()
	r := &room{t: t, db: db, keys: audittest.Keys(t), clock: &clock{at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}, log: &lines{},
		twilio:    standin.NewTwilio(listen(t), standin.TwilioOptions{AccountSid: account, AuthToken: token, Services: []string{service}}),
		turnstile: standin.NewTurnstile(listen(t), standin.TurnstileOptions{Secret: "a-secret"})}
	t.Cleanup(func() {
		_, _ = r.twilio.Close(), r.turnstile.Close()
		for _, c := range append(r.twilio.Complaints(), r.turnstile.Complaints()...) {
			t.Errorf("a stand-in complains: %s", c)
		}
		if log := r.log.String(); strings.Contains(log, "4155552671") || strings.Contains(log, "+1") || strings.Contains(log, token) {
			t.Errorf("the log tells: %s", log)
		}
	})
	return r
}

func each(t *testing.T, fn func(t *testing.T, r *room)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, open(t, db)) })
}

// configured is a site's configuration; text is what stands beside the usual keys.
func (r *room) configured(text string) *Config {
	r.t.Helper()
	c, problems := parse(`
origins: [`+page+`, "http://localhost:8080"]
regions: [US, GB]
twilio: {accountSid: `+account+`, authToken: `+token+`, messagingServiceSid: `+service+`, baseURL: "`+r.twilio.URL()+`"}
campaigns: {default: "Get the app: https://example.com/app", spring: "Spring is here & it costs 100 %: https://example.com/s"}
`+text, Place{Plain: true})
	if len(problems) > 0 {
		r.t.Fatalf("%q", problems)
	}
	return c
}

func parse(text string, at Place) (*Config, []string) {
	var root struct {
		SMS Config `json:"sms"`
	}
	indented := "sms:\n  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
	doc := config.Decode([]byte(indented), &root, config.Options{})
	root.SMS.Validate(doc.Report("sms"), at)
	var out []string
	for _, p := range doc.Problems() {
		out = append(out, p.Path+": "+p.Message)
	}
	return &root.SMS, out
}

// node is a process that serves a configuration.
type node struct {
	*room
	s *Service
	c *Config
	u *surface
}

// node starts one. Services answer within a moment there, or are late.
func (r *room) node(c *Config, at Place) *node {
	r.t.Helper()
	at.Plain = true
	n := &node{room: r, c: c, s: New(Deps{DB: r.db, Keys: r.keys, Now: r.clock.now, Log: slog.New(slog.NewTextHandler(r.log, nil))})}
	n.u = n.s.surface(c, at)
	return n
}

// impatient makes the node wait no longer than that for Twilio and Turnstile.
func (n *node) impatient(d time.Duration) *node {
	n.t.Helper()
	client := func(base string) *outbound.Client {
		c, err := outbound.New(outbound.Options{BaseURL: base, Plain: true, Private: true, Timeout: d, MaxAnswer: 64 << 10})
		if err != nil {
			n.t.Fatal(err)
		}
		return c
	}
	n.u.twilio.client = client(n.c.Twilio.BaseURL.String())
	if n.u.turnstile != nil {
		n.u.turnstile.client = client(n.c.Turnstile.BaseURL.String())
	}
	return n
}

// caller is who asks.
type caller struct{ origin, ip string }

var visitor = caller{page, "192.0.2.1"}

type answer struct {
	status int
	header request.Header
	body   string
}

// ask is a request as the gate would have let it through, and its answer as it
// would have gone out.
func (n *node) ask(who caller, method, path, body string, fields ...string) answer {
	n.t.Helper()
	v := &request.View{ID: "r1", Method: method, Host: "sms.example.com", Scheme: "https"}
	if who.ip != "" {
		v.Client = netip.MustParseAddr(who.ip)
	}
	if who.origin != "" {
		v.Header = append(v.Header, request.Field{Name: "Origin", Value: who.origin})
	}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Header = append(v.Header, request.Field{Name: fields[i], Value: fields[i+1]})
	}
	owner := Owner(n.c)
	target := request.ParseTarget(path, request.PathRules{}, nil)
	v.Path = target.Path
	var reply request.Reply
	var err error = fault.New(fault.NotFound, "bad_path", "")
	if _, refused := target.Refused(request.PathRules{}); !refused {
		reply, err = n.u.run(context.Background(), &gateway.Call{View: v, Body: []byte(body), Now: n.clock.now(), Site: &gateway.Site{Name: "sms.example.com"}})
	}
	if err != nil {
		reply = owner.Shape(fault.From(err), "r1", "d1")
	}
	return answer{reply.Status, append(reply.Header, owner.Headers(v)...), string(reply.Body)}
}

// text asks for a text to a number.
func (n *node) text(who caller, campaign, to string) answer {
	n.t.Helper()
	return n.ask(who, "POST", "/"+campaign, `{"to":"`+to+`"}`)
}

const sentBody = `{"sent":true}`

// is fails the test unless that came back: a word of an error, or sentBody.
func (a answer) is(t testing.TB, status int, word string) answer {
	t.Helper()
	want := word
	if word != sentBody {
		want = `{"error":"` + word + `"}`
	}
	if a.status != status || strings.TrimSpace(a.body) != want {
		t.Fatalf("got %d %s, want %d %s", a.status, a.body, status, want)
	}
	return a
}

func (a answer) sent(t testing.TB) { t.Helper(); a.is(t, 201, sentBody) }

// texts fails the test unless Twilio took so many.
func (r *room) texts(t testing.TB, want int) []standin.SMS {
	t.Helper()
	got := r.twilio.Texts()
	if len(got) != want {
		t.Fatalf("Twilio took %d texts, want %d: %v", len(got), want, got)
	}
	return got
}
