package login

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/metric"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/userservice"
)

// secrets are what must stand in no log and no error: what clients show, what the
// provider hands out, and our own. Tests use no others.
var secrets = []string{"correct-horse", "refresh-1", "refresh-2", "mfa-token-1", "oob-1", "112233", "RECOVERY-1", "access-1", "app-secret", "mfa-secret", "mgmt-secret", "ann@example.com", "device-1", "+15550001234"}

// kit is a surface with a provider, and fakes around it that write down what they are
// asked, in the order in which it happens.
type kit struct {
	t        testing.TB
	now      atomic.Int64
	provider *httptest.Server
	answers  func(w http.ResponseWriter, r *http.Request, body []byte) // nil: the queue
	mu       sync.Mutex
	queue    []canned
	steps    []string
	info     string // userinfo's answer, where it is not the usual one
	log      bytes.Buffer
	risk     fakeRisk
	users    fakeUsers
	lock     fakeLocks
	u        *Surface
	gate     *gateway.Gate
	snap     *gateway.Snapshot
}

// canned is an answer of the provider's.
type canned struct {
	status int
	header [][2]string
	body   string
}

func (k *kit) step(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.steps = append(k.steps, fmt.Sprintf(format, args...))
}

func (k *kit) took() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.steps
	k.steps = nil
	return out
}

// Write is the log's.
func (k *kit) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.log.Write(p)
}

// setting is what a test changes of the usual configuration.
type setting struct {
	backoffice, noRisk, noUsers bool
	env                         string
	db                          *store.DB
	hooks                       Hooks
	factors                     Factors
	change                      func(c *Config)
}

func newKit(t testing.TB, s setting) *kit {
	t.Helper()
	k := &kit{t: t}
	k.now.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixMilli())
	k.provider = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(k.provider.Close)
	k.risk, k.users, k.lock = fakeRisk{k: k, action: castle.Allow, blocking: true, wait: true}, fakeUsers{k: k, onError: "deny"}, fakeLocks{k: k}
	if s.env == "" {
		s.env = "test"
	}
	c := usual(k.provider.URL)
	if s.change != nil {
		s.change(c)
	}
	d := Deps{DB: s.db, Keys: audittest.Keys(t), Env: s.env, Now: k.clock, Log: slog.New(slog.NewJSONHandler(k, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	svc := New(d)
	var err error
	if s.backoffice {
		k.u, err = svc.Backoffice(Site{Name: "edge", Hooks: s.hooks}, &BackofficeConfig{ProviderConfig: c.ProviderConfig})
	} else {
		k.u, err = svc.Login(Site{Name: "edge", Hooks: s.hooks, Factors: s.factors}, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	k.u.pace = 0
	k.u.lock = &k.lock
	if !s.backoffice && !s.noRisk {
		k.u.risk, k.u.onError = &k.risk, "deny"
	}
	if !s.backoffice && !s.noUsers {
		k.u.users = &k.users
	}
	k.build()
	t.Cleanup(k.leaks)
	return k
}

func usual(base string) *Config {
	return &Config{
		ProviderConfig: ProviderConfig{BaseURL: config.URL(base), ClientID: "app", ClientSecret: secret.New("app-secret"), Audience: "https://api.example", Connection: "Users"},
		Metrics:        &metric.Config{URL: config.URL(base + "/metrics")},
		MFA:            &MFAConfig{Audience: "https://tenant/mfa/", ClientID: "mfa-app", ClientSecret: secret.New("mfa-secret")},
		Management:     &ManagementConfig{ClientID: "manager", ClientSecret: secret.New("mgmt-secret"), Audience: "https://tenant/api/v2/"},
		Social:         &SocialConfig{Connections: []string{"google-oauth2"}, ReturnURLs: []string{"https://app.example/done", "com.example.app://"}},
		QA:             &QAConfig{Emails: []string{"qa@example.com"}, Domains: []string{"testers.example"}},
	}
}

func (k *kit) clock() time.Time { return time.UnixMilli(k.now.Load()).UTC() }

// build makes the site that the surface owns.
func (k *kit) build() {
	t := k.t
	t.Helper()
	id, problems := identity.NewSite(nil, identity.SiteOptions{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var file struct{}
	doc := config.Decode([]byte(`{}`), &file, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	built := gateway.BuildSite(gateway.SiteInput{
		Name: "edge", Default: true, Identity: id, Book: policy.NewBook(nil, root), Surfaces: k.u.Routes(), At: root,
		Owner:     &gateway.Owner{Surface: "login", Shape: k.u.Shape(), ExactMethods: true},
		Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	})
	if doc.Failed() {
		t.Fatal(doc.Problems())
	}
	k.snap = gateway.NewSnapshot(built, nil)
	k.snap.Tenants, k.snap.Trusted = policy.NewTenants(nil, nil, root), client.Compile(nil, root)
	k.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: k.clock}
}

// serve is the provider: it writes down what it is sent and answers what is queued.
func (k *kit) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path != "/.well-known/openid-configuration" {
		k.step("%s", sent(r, body))
	}
	if k.answers != nil {
		k.answers(w, r, body)
		return
	}
	k.mu.Lock()
	if len(k.queue) == 0 {
		k.mu.Unlock()
		http.Error(w, "nothing is queued", http.StatusTeapot)
		return
	}
	c := k.queue[0]
	k.queue = k.queue[1:]
	k.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Set-Cookie", "did=1")
	w.Header().Set("X-Internal", "1")
	for _, h := range c.header {
		w.Header().Set(h[0], h[1])
	}
	w.WriteHeader(c.status)
	_, _ = io.WriteString(w, c.body)
}

// sent is a request as a golden file holds it: JSON in the order of its names.
func sent(r *http.Request, body []byte) string {
	out := "provider " + r.Method + " " + r.URL.RequestURI()
	for _, name := range []string{"auth0-forwarded-for", "Authorization", "Content-Type"} {
		if v := r.Header.Get(name); v != "" {
			out += "\n  " + name + ": " + v
		}
	}
	var v any
	if json.Unmarshal(body, &v) == nil {
		body, _ = json.MarshalIndent(v, "  ", "  ")
	}
	if len(body) > 0 {
		out += "\n  " + string(body)
	}
	return out
}

type got struct {
	status int
	header request.Header
	body   string
	fault  *fault.Error
}

var asked atomic.Int64

// send sends a request, "POST /path?query", with more fields.
func (k *kit) send(line, body string, fields ...string) got {
	a := gatewaytest.Arrival("", line, body, fields...)
	a.ID, a.Host, a.Header[0].Value, a.Received, a.TLS = fmt.Sprint("req-", asked.Add(1)), "login.example", "login.example", k.clock(), true
	reply, x, f := gatewaytest.Answer(context.Background(), k.gate, k.snap, a, body)
	if f != nil {
		reply = x.Fault(f, "r", "d")
		for _, s := range secrets {
			if strings.Contains(f.Error(), s) {
				k.t.Errorf("an error holds %q: %v", s, f)
			}
		}
	}
	return got{reply.Status, reply.Header, string(reply.Body), f}
}

// leaks looks for secrets in what was logged, whatever the test was about.
func (k *kit) leaks() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range secrets {
		if strings.Contains(k.log.String(), s) {
			k.t.Errorf("%q stands in the log: %s", s, k.log.String())
		}
	}
}

// tokens is a set of tokens as a provider grants it.
func tokens(refresh string, claims map[string]any) string {
	raw, _ := json.Marshal(claims)
	out, _ := json.Marshal(map[string]any{"access_token": "access-1", "refresh_token": refresh, "token_type": "Bearer", "expires_in": 86400,
		"id_token": "e30." + strings.TrimRight(encode(raw), "=") + ".c2ln"})
	return string(out)
}

type fakeRisk struct {
	k              *kit
	action, after  string
	err            error
	blocking, wait bool
	// waits is how long Filter waits for the store, and takes for Castle.
	waits, takes time.Duration
}

func (f *fakeRisk) say(what string, e castle.Event) {
	f.k.step("risk %s %s %s name=%q token=%q email=%q user=%q ip=%s", what, e.Type, e.Status, e.Name, e.Token, e.Email, e.UserID, e.IP)
}

func (f *fakeRisk) Filter(_ context.Context, e castle.Event) (castle.Verdict, error) {
	f.say("filter", e)
	f.k.now.Add((f.waits + f.takes).Milliseconds())
	if e.Took != nil {
		*e.Took += f.takes
	}
	return castle.Verdict{Action: f.action, Reason: castle.ByCastle}, f.err
}

func (f *fakeRisk) Risk(_ context.Context, e castle.Event) (castle.Verdict, error) {
	f.say("risk", e)
	if f.after == "" {
		return castle.Verdict{Action: castle.Allow}, nil
	}
	return castle.Verdict{Action: f.after, Reason: castle.ByCastle}, nil
}

func (f *fakeRisk) Queue(e castle.Event)   { f.say("queue", e) }
func (f *fakeRisk) Blocking() bool         { return f.blocking }
func (f *fakeRisk) Wait() bool             { return f.wait }
func (f *fakeRisk) Timeout() time.Duration { return 800 * time.Millisecond }

type fakeUsers struct {
	k       *kit
	status  string
	id      string // of the record, where it is not the usual one
	err     error
	onError string
}

func (f *fakeUsers) ByEmail(_ context.Context, email string) (*userservice.User, error) {
	f.k.step("users by-email %s", email)
	if f.err != nil || f.status == "unknown" {
		return nil, f.err
	}
	return &userservice.User{ID: cmp.Or(f.id, "u1"), Status: f.status, Raw: json.RawMessage(`{"id":"u1","plan":"gold"}`)}, nil
}

func (f *fakeUsers) Unblock(_ context.Context, u *userservice.User) error {
	f.k.step("users unblock %s", u.ID)
	return nil
}

func (f *fakeUsers) Create(_ context.Context, u userservice.NewUser) error {
	f.k.step("users create %s %s %s", u.ID, u.Email, u.GivenName)
	return f.err
}

func (f *fakeUsers) Blocked(u *userservice.User) bool { return u.Status == "blocked" }
func (f *fakeUsers) Paused(u *userservice.User) bool  { return u.Status == "paused" }
func (f *fakeUsers) OnError() string                  { return f.onError }

type fakeLocks struct {
	k      *kit
	locked bool
	most   int // attempts of a kind that are let through; 0: any number
	n      map[string]int
	err    error // of Failed and its like
}

func tooMany() *fault.Error {
	f := fault.New(fault.TooManyRequests, "too_many_attempts", "")
	f.RetryAfter = 90 * time.Second
	return f
}

func (f *fakeLocks) Check(_ context.Context, key lockout.Key) *fault.Error {
	f.k.step("lock-out check account=%q ip=%s", key.Account, key.IP)
	if f.locked {
		return tooMany()
	}
	return nil
}

func (f *fakeLocks) ended(how string, key lockout.Key) error {
	f.k.step("lock-out %s account=%q", how, key.Account)
	return f.err
}

func (f *fakeLocks) Failed(_ context.Context, key lockout.Key) error { return f.ended("failed", key) }
func (f *fakeLocks) Succeeded(_ context.Context, key lockout.Key) error {
	return f.ended("succeeded", key)
}
func (f *fakeLocks) Dropped(_ context.Context, key lockout.Key) error { return f.ended("dropped", key) }

func (f *fakeLocks) Attempts(_ context.Context, kind, key string, ip netip.Addr, most int, window time.Duration) *fault.Error {
	name, from := kind+" "+key, ""
	switch {
	case key == "":
		name += ip.String()
	case ip.IsValid(): // who brings the key up; it is counted from wherever it comes
		from = " from " + ip.String()
	}
	f.k.step("lock-out attempt %s%s, %d in %s", name, from, most, window)
	f.k.mu.Lock()
	defer f.k.mu.Unlock()
	if f.n == nil {
		f.n = map[string]int{}
	}
	f.n[name]++
	if f.n[name] > most || f.most > 0 && f.n[name] > f.most {
		return tooMany()
	}
	return nil
}

// noFactors are those of nobody.
type noFactors struct{}

func (noFactors) Have(context.Context, Holder) (Having, error)               { return Having{}, nil }
func (noFactors) Enrol(context.Context, Holder) (string, string, error)      { return "", "", nil }
func (noFactors) Challenge(context.Context, Holder) (json.RawMessage, error) { return nil, nil }
func (noFactors) Prove(context.Context, Holder, Proof) (p Proven, err error) { return p, nil }
