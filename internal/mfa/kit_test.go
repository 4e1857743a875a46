package mfa

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/pages"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
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

// room is two nodes on a store, with tenants a and b.
type room struct {
	*Service // of the first node
	second   *Service
	db       *store.DB
	clock    *clock
	log      *bytes.Buffer
	audit    *audit.Log
	people   *tenant.Service
}

func open(t *testing.T, db *store.DB) *room {
	t.Helper()
	r := &room{db: db, clock: &clock{at: time.Date(2026, 11, 21, 12, 0, 5, 0, time.UTC)}, log: &bytes.Buffer{}, audit: audittest.New(t, db)}
	r.people = tenant.New(tenant.Deps{DB: db, Audit: r.audit})
	if err := r.people.Ensure(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	p, err := pages.New()
	if err != nil {
		t.Fatal(err)
	}
	node := func() *Service {
		return New(Deps{DB: db, Audit: r.audit, Feed: change.NewFeed(db, change.Options{Now: r.clock.now, MaxStale: 1000 * time.Hour}), Keys: audittest.Keys(t), Pages: p, Now: r.clock.now,
			Log: slog.New(slog.NewTextHandler(&lockedWriter{w: r.log}, nil))})
	}
	r.Service, r.second = node(), node()
	r.poll(t)
	return r
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func each(t *testing.T, fn func(t *testing.T, r *room)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, open(t, db)) })
}

func (r *room) poll(t testing.TB) {
	t.Helper()
	for _, s := range []*Service{r.Service, r.second} {
		if err := s.d.Feed.Poll(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// caller is somebody who asks.
type caller struct {
	who    *principal.Principal
	tenant string
	user   string
	host   string
	acting string // X-Tenant-ID of a holder of platform:*
}

// anna has signed in just now with a token.
func (r *room) anna() caller { return r.person("anna") }

func (r *room) person(subject string) caller {
	now := r.clock.now()
	return caller{tenant: "a", host: "app.example.com", who: &principal.Principal{Kind: principal.User, Provider: "entra", ProviderKind: "oidc", Issuer: "https://issuer.example",
		Subject: subject, Email: subject + "@example.com", EmailVerified: true, EmailFolded: subject + "@example.com", IssuedAt: now, Expires: now.Add(1000 * time.Hour), Raw: json.RawMessage(`{"sub":"` + subject + `"}`)}}
}

// with is the caller with a changed principal.
func (c caller) with(f func(p *principal.Principal)) caller {
	p := *c.who
	f(&p)
	c.who = &p
	return c
}

// session is the same by a session, whose sign-in asked for a new one.
func (c caller) session(id string) caller {
	return c.with(func(p *principal.Principal) { p.ProviderKind, p.Via, p.SessionID, p.Anew = "session", "oidc", id, true })
}

// answer is what came back.
type answer struct {
	status int
	header request.Header
	body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return m
}

func (a answer) text(t *testing.T, member string) string {
	t.Helper()
	s, _ := a.json(t)[member].(string)
	if s == "" {
		t.Fatalf("%d %s has no %s", a.status, a.body, member)
	}
	return s
}

// is fails the test unless the answer is that.
func (a answer) is(t *testing.T, status int, body string) answer {
	t.Helper()
	if a.status != status || body != "" && strings.TrimSpace(a.body) != body {
		t.Fatalf("%d %s\nwant %d %s", a.status, a.body, status, body)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the answer may be kept: %v", a.header)
	}
	return a
}

// call runs an operation as the gate would have let it through.
func call(t *testing.T, s *Service, c caller, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := tryCall(t.Context(), s, c, method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tryCall(ctx context.Context, s *Service, c caller, method, path, body string, headers ...string) (answer, error) {
	pathOnly, query, _ := strings.Cut(path, "?")
	params := gateway.ParamsOf()
	pattern := pathOnly
	if rest, ok := strings.CutPrefix(pathOnly, "/mfa/passkeys/"); ok && !strings.Contains(rest, "/") {
		params, pattern = gateway.ParamsOf("id", rest), "/mfa/passkeys/:id"
	}
	for _, route := range s.Routes(&Config{Issuer: "Example"}) {
		if route.Method != method || route.Path != pattern {
			continue
		}
		view := &request.View{ID: "r1", Method: method, Host: c.host, Scheme: "https", Query: query, Header: request.Header{{Name: "Host", Value: c.host}}, Client: netip.MustParseAddr("192.0.2.1")}
		for i := 0; i+1 < len(headers); i += 2 {
			view.Header = append(view.Header, request.Field{Name: headers[i], Value: headers[i+1]})
		}
		acting := c.tenant
		if c.acting != "" {
			acting = c.acting
		}
		reply, err := route.Op.Run(ctx, &gateway.Call{View: view, Params: params, Who: c.who, Standing: &policy.Standing{Who: c.who, Tenant: c.tenant, UserID: c.user},
			Tenant: acting, Body: []byte(body), Now: s.now(), Site: &gateway.Site{Name: c.host},
			Actor: func() audit.Actor { return audit.Actor{Kind: "user", ID: c.who.Subject} }})
		if err != nil {
			reply = gateway.Flat(fault.From(err), "r1", "")
		}
		return answer{reply.Status, reply.Header, string(reply.Body)}, nil
	}
	return answer{}, fault.New(fault.NotFound, "no_route", method+" "+path)
}

// stepUp asks what a token proves, as the gate does.
func stepUp(s *Service, c caller, token string) (*policy.StepUp, int, *fault.Error) {
	ask := policy.DirectoryAsk{Who: c.who, Claim: c.tenant, Now: s.now()}
	for jobs := 0; ; jobs++ {
		up, job, f := s.Find(ask, token, c.host)
		if job == nil || jobs > 3 {
			return up, jobs, f
		}
		v, err := job.Run(context.Background())
		ask.Settled = append(ask.Settled, park.Settled{Key: job.Key, Value: v, Err: err})
	}
}

// counts reports whether a token proves a factor now.
func (r *room) counts(t *testing.T, c caller, token string) bool {
	t.Helper()
	r.poll(t)
	var got [2]bool
	for i, s := range []*Service{r.Service, r.second} {
		up, _, f := stepUp(s, c, token)
		if f != nil {
			t.Fatal(f)
		}
		got[i] = up != nil
	}
	if got[0] != got[1] {
		t.Fatalf("the nodes do not agree: %v", got)
	}
	return got[0]
}

// code is what the app shows. With oathtool there is another reader of the RFC.
func (r *room) code(t *testing.T, secret string) string { return r.codeAt(t, secret, r.clock.now()) }

func (r *room) codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	raw, err := b32(secret)
	if err != nil {
		t.Fatal(err)
	}
	return hotp(raw, uint64(stepOf(at)))
}

func oathtool(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath("oathtool")
	if err != nil {
		return "", false
	}
	out, err := exec.CommandContext(t.Context(), path, args...).Output()
	if err != nil {
		t.Fatalf("oathtool %v: %v", args, err)
	}
	return strings.TrimSpace(string(out)), true
}

// enrolled turns an app on and returns its secret and the backup codes. The next
// code is one that was not used.
func (r *room) enrolled(t *testing.T, c caller) (secret string, codes []string) {
	t.Helper()
	secret = call(t, r.Service, c, "POST", "/mfa/setup", "").is(t, 200, "").text(t, "secret")
	a := call(t, r.Service, c, "POST", "/mfa/enable", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "")
	for _, code := range a.json(t)["backupCodes"].([]any) {
		codes = append(codes, code.(string))
	}
	r.clock.add(period)
	return secret, codes
}

// token shows the app's code and returns the step-up.
func (r *room) token(t *testing.T, c caller, secret string) string {
	t.Helper()
	out := call(t, r.Service, c, "POST", "/mfa/verify", `{"code":"`+r.code(t, secret)+`"}`).is(t, 200, "").text(t, "stepUpToken")
	r.clock.add(period)
	return out
}

// events lists the actions of a tenant's trail.
func (r *room) events(t *testing.T, of string) []string {
	t.Helper()
	var out []string
	if err := r.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		out, err = store.List(tx, func(row store.Row) (s string, err error) { return s, row.Scan(&s) }, `SELECT action FROM audit_events WHERE tenant_id = $1 ORDER BY n`, of)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
