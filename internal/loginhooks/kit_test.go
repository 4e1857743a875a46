package loginhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/lockout"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// hidden must stand in no log and no error.
var hidden = []string{"correct-horse", "refresh-1", "refresh-new", "access-new", "app-secret", "ann@example.com"}

// kit is a login edge in front of a provider that speaks the password grant.
type kit struct {
	t      testing.TB
	now    atomic.Int64
	db     *store.DB
	users  *tenant.Service
	mfa    *mfa.Service
	hooks  *Hooks
	u      *login.Surface
	gate   *gateway.Gate
	snap   *gateway.Snapshot
	issuer *httptest.Server

	mu      sync.Mutex
	log     bytes.Buffer
	revoked []string
	events  []map[string]any
	id      map[string]any // over the usual ID token
	plain   bool           // no ID token
}

// setting is what a test changes of the usual.
type setting struct {
	post, pre []actions.Script
	run       func(t actions.Trigger, event map[string]any) (*actions.Outcome, error) // in place of the engine
	change    func(*Settings)
	login     func(*login.Config)
	real      bool // the engine, with its children
}

func newKit(t testing.TB, db *store.DB, s setting) *kit {
	t.Helper()
	k := &kit{t: t, db: db, id: map[string]any{}}
	k.now.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixMilli())
	k.issuer = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(k.issuer.Close)
	log := slog.New(slog.NewJSONHandler(k, &slog.HandlerOptions{Level: slog.LevelDebug}))
	trail := audittest.New(t, db)
	k.users = tenant.New(tenant.Deps{DB: db, Audit: trail, Now: k.clock, Log: log})
	if err := k.users.Ensure(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	k.mfa = mfa.New(mfa.Deps{DB: db, Audit: trail, Keys: audittest.Keys(t), Feed: change.NewFeed(db, change.Options{}), Now: k.clock, Log: log})
	c := Settings{Site: "edge", Tenant: "acme", Provider: "keycloak", Shared: true, Issuer: k.issuer.URL + "/", Label: "acme", MayHold: true,
		Scripts: actions.Set{PostLogin: s.post, PreUserRegistration: s.pre}}
	if s.change != nil {
		s.change(&c)
	}
	d := Deps{DB: db, Users: k.users, MFA: k.mfa, Audit: trail, Now: k.clock, Log: log}
	if s.real {
		e := actions.New(actions.Options{Children: 2, Idle: -1, Timeout: 15 * time.Second, Log: log})
		t.Cleanup(e.Close)
		d.Run = e.Run
	} else {
		d.Run = func(_ context.Context, t actions.Trigger, _ []actions.Script, event any) (*actions.Outcome, error) {
			return s.run(t, k.saw(event))
		}
	}
	k.hooks = New(d, c)
	cfg := &login.Config{ProviderConfig: login.ProviderConfig{Provider: "oidc", BaseURL: config.URL(k.issuer.URL), ClientID: "app", ClientSecret: secret.New("app-secret"), Audience: "https://api.example",
		Lockout: &lockout.Config{PerAccount: &lockout.RuleConfig{Max: 100, WindowMs: 900_000}, PerIP: &lockout.RuleConfig{Max: 100, WindowMs: 900_000}}}}
	if s.login != nil {
		s.login(cfg)
	}
	svc := login.New(login.Deps{DB: db, Keys: audittest.Keys(t), Env: "test", Now: k.clock, Log: log})
	var err error
	if k.u, err = svc.Login(login.Site{Name: "edge", Hooks: k.hooks, Factors: k.hooks}, cfg); err != nil {
		t.Fatal(err)
	}
	k.build()
	t.Cleanup(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, s := range hidden {
			if strings.Contains(k.log.String(), s) {
				t.Errorf("%q stands in the log: %s", s, k.log.String())
			}
		}
	})
	return k
}

// Write is the log's.
func (k *kit) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.log.Write(p)
}

func (k *kit) clock() time.Time { return time.UnixMilli(k.now.Load()).UTC() }

func (k *kit) later(d time.Duration) { k.now.Add(d.Milliseconds()) }

// saw keeps an event as a script would read it.
func (k *kit) saw(event any) map[string]any {
	raw, err := json.Marshal(event)
	out := map[string]any{}
	if err != nil || json.Unmarshal(raw, &out) != nil {
		k.t.Error(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, out)
	return out
}

func (k *kit) build() {
	id, _ := identity.NewSite(nil, identity.SiteOptions{})
	var file struct{}
	doc := config.Decode([]byte(`{}`), &file, config.Options{Name: "p.yaml"})
	root := doc.Report("")
	site := gateway.BuildSite(gateway.SiteInput{
		Name: "edge", Default: true, Identity: id, Book: policy.NewBook(nil, root), Surfaces: k.u.Routes(), At: root,
		Owner:     &gateway.Owner{Surface: "login", Shape: k.u.Shape(), ExactMethods: true},
		Inherited: func(string) *config.Reporter { return root }, Upstreams: map[string]gateway.UpstreamSettings{},
	})
	if doc.Failed() {
		k.t.Fatal(doc.Problems())
	}
	k.snap = gateway.NewSnapshot(site, nil)
	k.snap.Tenants, k.snap.Trusted = policy.NewTenants(nil, nil, root), client.Compile(nil, root)
	k.gate = &gateway.Gate{Limits: limit.NewTable(1024), Lot: park.NewLot(park.Options{}), Now: k.clock}
}

// serve is the provider: discovery, the password and refresh grants, revocation.
func (k *kit) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	reply := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	_ = r.ParseForm()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		reply(200, map[string]any{"issuer": k.issuer.URL, "token_endpoint": k.issuer.URL + "/t", "revocation_endpoint": k.issuer.URL + "/r", "token_endpoint_auth_methods_supported": []string{"client_secret_post"}})
	case "/r":
		k.revoked = append(k.revoked, r.Form.Get("token"))
		w.WriteHeader(200)
	case "/t":
		name := r.Form.Get("username")
		switch r.Form.Get("grant_type") {
		case "password":
			if r.Form.Get("password") != "correct-horse" {
				reply(401, map[string]any{"error": "invalid_grant"})
				return
			}
		case "refresh_token":
			name = strings.TrimPrefix(r.Form.Get("refresh_token"), "refresh-1 ")
		}
		claims := map[string]any{"iss": k.issuer.URL, "aud": "app", "sub": "kc|" + name, "email": name, "email_verified": true, "name": "Ann", "at_hash": "x",
			"iat": k.clock().Unix(), "exp": k.clock().Add(5 * time.Minute).Unix()}
		for n, v := range k.id {
			claims[n] = v
		}
		raw, _ := json.Marshal(claims)
		out := map[string]any{"access_token": "access-new", "refresh_token": "refresh-new", "token_type": "Bearer", "expires_in": 300, "scope": "openid email"}
		if !k.plain {
			out["id_token"] = "e30." + base64.RawURLEncoding.EncodeToString(raw) + ".c2ln"
		}
		reply(200, out)
	default:
		w.WriteHeader(404)
	}
}

func (k *kit) ended() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.revoked
	k.revoked = nil
	return out
}

type got struct {
	status int
	body   string
	fault  *fault.Error
}

func (g got) text(name string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(g.body), &m)
	s, _ := m[name].(string)
	return s
}

var asked atomic.Int64

// send sends a request, "POST /path", with more fields.
func (k *kit) send(line, body string, fields ...string) got {
	method, target, _ := strings.Cut(line, " ")
	a := gateway.Arrival{ID: fmt.Sprint("req-", asked.Add(1)), Method: method, Target: target, Host: "login.example", Received: k.clock(), HasBody: body != "",
		Peer: netip.MustParseAddrPort("203.0.113.9:4711"), TLS: true,
		Header: request.Header{{Name: "Host", Value: "login.example"}, {Name: "User-Agent", Value: "app/1"}, {Name: "Accept-Language", Value: "de-CH,de;q=0.9"}}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		a.Header = append(a.Header, request.Field{Name: name, Value: value})
	}
	x := &gateway.Exchange{}
	v := k.gate.Ask(context.Background(), k.snap, x, a)
	reply, f := request.Reply{}, v.Fault
	if v.Kind == gateway.Allow {
		var c *gateway.Call
		if c, f = x.Call([]byte(body), k.clock(), "decision-1"); f == nil {
			var err error
			if reply, err = x.Operation().Run(context.Background(), c); err != nil {
				f = gateway.OperationFault(err)
			}
		}
	}
	if f != nil {
		reply = x.Fault(f, "r", "d")
		for _, s := range hidden {
			if strings.Contains(f.Error(), s) {
				k.t.Errorf("an error holds %q: %v", s, f)
			}
		}
	}
	return got{reply.Status, string(reply.Body), f}
}

func (k *kit) login(who string) got {
	return k.send("POST /oauth/token", `{"username":"`+who+`","password":"correct-horse"}`)
}

// user is a person's row with what scripts know.
func (k *kit) profile(who string) (u tenant.User, p tenant.Profile) {
	k.t.Helper()
	err := k.db.Read(context.Background(), func(tx *store.Tx) (err error) {
		if u, err = tenant.UserByBinding(tx, "acme", tenant.Binding{Provider: "keycloak", Issuer: k.issuer.URL, Subject: "kc|" + who}); err == nil {
			p, err = tenant.ProfileOf(tx, "acme", u.ID)
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return u, p
}

// script reads one of those that ship.
func script(t testing.TB, name string, settings map[string]string) actions.Script {
	t.Helper()
	raw, err := os.ReadFile("../../actions/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return actions.Script{Name: name, Source: string(raw), Configuration: settings}
}

// totp is the code of a secret at a time (RFC 6238).
func totp(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	var c [8]byte
	binary.BigEndian.PutUint64(c[:], uint64(at.Unix()/30))
	mac := hmac.New(sha1.New, key)
	mac.Write(c[:])
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

func jsonOf(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}
