package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portreeve/portreeve/internal/castle"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/fault"
)

const ann = `{"username":"ann@example.com","password":"correct-horse"}`

func TestATestersLoginIsLogged(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	k.queue = []canned{{status: 200, body: tokens("refresh-2", map[string]any{"sub": "1"})}}
	k.send("POST /oauth/token", `{"username":"qa@example.com","password":"correct-horse"}`)
	if log := k.log.String(); !strings.Contains(log, "skips risk and lock-out") || strings.Contains(log, "qa@example.com") || !strings.Contains(log, "q…@example.com") {
		t.Error(log)
	}
	prod := newListed(&QAConfig{Emails: []string{"qa@example.com"}}, "prod")
	if prod.lists("qa@example.com") {
		t.Error("in prod somebody is listed")
	}
}

func TestGuessesAtASecondFactorAreCounted(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	k.answers = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
	}
	for i := range guessesOfToken + 2 {
		got := k.send("POST /mfa/verify", fmt.Sprintf(`{"mfa_token":"mfa-token-1","otp":"%06d"}`, i), device)
		if want := map[bool]int{true: 403, false: 429}[i < guessesOfToken]; got.status != want {
			t.Errorf("guess %d: %d, want %d", i, got.status, want)
		}
		if got.status == 429 && (got.header.Get("Retry-After") != "90" || !strings.Contains(got.body, "too_many_attempts")) {
			t.Error(got)
		}
	}
	for range 20 { // a button that nobody has pressed yet
		if got := k.send("POST /mfa/verify", `{"mfa_token":"mfa-token-1","oob_code":"oob-1"}`, device); got.status != 403 {
			t.Fatal(got)
		}
	}
}

func TestAVerificationMailIsAskedForBehindTheAnswer(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	done := make(chan string, 8)
	k.answers = func(w http.ResponseWriter, r *http.Request, body []byte) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/oauth/token":
			_, _ = w.Write([]byte(`{"access_token":"access-1","expires_in":600}`))
		case "/api/v2/users-by-email":
			_, _ = w.Write([]byte(`[{"user_id":"google|1","email_verified":false,"identities":[{"connection":"google-oauth2"}]},{"user_id":"auth0|2","email_verified":true,"identities":[{"connection":"Users"}]},
				{"user_id":"auth0|1","email_verified":false,"identities":[{"connection":"Users"}]}]`))
		case "/api/v2/jobs/verification-email":
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"status":"pending"}`))
			done <- r.Header.Get("Authorization") + string(body)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { k.u.mails.run(ctx); close(over) }()
	defer func() { cancel(); <-over }()
	for range 5 { // beyond three an hour the answer is the same
		if got := k.send("POST /email/verify", `{"email":"Ann@Example.com"}`); got.status != 202 || got.body != `{"status":"accepted"}` {
			t.Fatal(got)
		}
	}
	for range 3 {
		select {
		case got := <-done:
			if got != `Bearer access-1{"client_id":"app","user_id":"auth0|1"}` {
				t.Error(got)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no mail was asked for")
		}
	}
	if n := strings.Count(strings.Join(k.took(), "\n"), "verification-email"); n != 3 || len(k.u.mails.queue) != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestAFullQueueOfMailsKeepsTheAnswer(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	for i := range mailsWaiting + 3 {
		k.lock.n = nil
		if got := k.send("POST /email/verify", fmt.Sprintf(`{"email":"p%d@example.com"}`, i)); got.status != 202 {
			t.Fatal(got)
		}
	}
	if len(k.u.mails.queue) != mailsWaiting {
		t.Error(len(k.u.mails.queue))
	}
}

// Known or unknown: the answer comes at the same step of the clock.
func TestHowLongAMailTookIsRounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := &Surface{pace: answerPace}
		for took, want := range map[time.Duration]time.Duration{0: time.Second, 40 * time.Millisecond: time.Second, 900 * time.Millisecond: time.Second, 1200 * time.Millisecond: 2 * time.Second} {
			began := time.Now()
			time.Sleep(took)
			if err := u.wait(t.Context(), took); err != nil || time.Since(began) != want {
				t.Errorf("%s became %s, %v", took, time.Since(began), err)
			}
		}
	})
}

func TestALateProviderIs504(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{change: func(c *Config) { c.Timeout = config.Duration(50 * time.Millisecond) }})
	release := make(chan struct{})
	k.answers = func(http.ResponseWriter, *http.Request, []byte) { <-release }
	t.Cleanup(func() { close(release) })
	if got := k.send("POST /oauth/token", ann, device); got.status != 504 || !strings.Contains(got.body, "temporarily_unavailable") {
		t.Error(got)
	}
}

func TestAnOIDCProviderIsFoundByItsDocument(t *testing.T) {
	t.Parallel()
	methods, named := []string{"client_secret_basic"}, ""
	k := newKit(t, setting{change: func(c *Config) {
		c.Provider, c.Connection, c.MFA, c.Management, c.Social = "oidc", "", nil, nil, nil
		c.BaseURL += "/realms/x"
	}})
	k.answers = func(w http.ResponseWriter, r *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/realms/x/.well-known/openid-configuration" {
			base := k.provider.URL + "/realms/x"
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": base + named, "token_endpoint": base + "/t", "revocation_endpoint": base + "/r", "token_endpoint_auth_methods_supported": methods})
			return
		}
		_, _ = w.Write([]byte(tokens("refresh-2", map[string]any{"sub": "1"})))
	}
	named = "/other"
	if got := k.send("POST /oauth/token", ann, device); got.status != 502 {
		t.Errorf("another issuer's document: %v", got)
	}
	named = ""
	k.now.Add(discoverRetry.Milliseconds())
	k.took()
	if got := k.send("POST /oauth/token", ann, device); got.status != 200 {
		t.Fatal(got)
	}
	if s := strings.Join(k.took(), "\n"); !strings.Contains(s, "/realms/x/t\n") || !strings.Contains(s, "Authorization: Basic YXBwOmFwcC1zZWNyZXQ=") || strings.Contains(s, "client_secret") {
		t.Error(s)
	}
}

// scripts are hooks that do as they are told.
type scripts struct {
	err  error
	hold bool
	saw  []any
}

func (s *scripts) SignedIn(_ context.Context, in *SignedIn) error {
	s.saw = append(s.saw, in.Flow, in.Subject, in.Email, in.Challenge != nil && *in.Challenge)
	in.Hold = s.hold
	return s.err
}

func (s *scripts) Released(context.Context, Holder, json.RawMessage) error { return s.err }

func (s *scripts) Registering(_ context.Context, in *Registering) error {
	s.saw = append(s.saw, in.Email)
	in.Profile["nickname"] = "annie"
	return s.err
}

func TestScriptsStandBehindTheProvider(t *testing.T) {
	t.Parallel()
	good := canned{status: 200, body: tokens("refresh-2", map[string]any{"sub": "auth0|1", "email": "ann@example.com"})}
	t.Run("a refusal ends the tokens", func(t *testing.T) {
		t.Parallel()
		h := &scripts{err: fault.New(fault.Forbidden, "script", "")}
		k := newKit(t, setting{hooks: h})
		k.queue = []canned{good, {status: 200}}
		got := k.send("POST /oauth/token", ann, device)
		if steps := strings.Join(k.took(), "\n"); got.status != 403 || !strings.Contains(steps, "/oauth/revoke") || strings.Contains(steps, "$succeeded") {
			t.Error(got, steps)
		}
	})
	t.Run("a factor that nobody can be asked for refuses", func(t *testing.T) {
		t.Parallel()
		h := &scripts{hold: true}
		k := newKit(t, setting{hooks: h})
		k.risk.action = castle.Challenge
		k.queue = []canned{good, {status: 200}}
		got := k.send("POST /oauth/token", ann, device)
		if steps := strings.Join(k.took(), "\n"); got.status != 503 || !strings.Contains(steps, "/oauth/revoke") || strings.Contains(steps, "$succeeded") {
			t.Error(got, steps)
		}
		if fmt.Sprint(h.saw) != "[login auth0|1 ann@example.com true]" {
			t.Error(h.saw)
		}
	})
	t.Run("before an account is made", func(t *testing.T) {
		t.Parallel()
		h := &scripts{}
		k := newKit(t, setting{hooks: h})
		k.queue = []canned{{status: 200, body: `{"_id":"1"}`}, good}
		got := k.send("POST /signup", `{"email":"ann@example.com","password":"correct-horse"}`, device)
		if steps := strings.Join(k.took(), "\n"); got.status != 200 || !strings.Contains(steps, `"nickname": "annie"`) {
			t.Error(got, steps)
		}
		h.err = errors.New("no")
		k.took()
		if got := k.send("POST /signup", `{"email":"ann@example.com","password":"correct-horse"}`, device); got.status != 500 || strings.Contains(strings.Join(k.took(), "\n"), "provider") {
			t.Error(got)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	const usual = "baseURL: https://t.auth0.com, clientId: a, clientSecret: '{{env.S}}', audience: x, connection: u"
	for _, c := range []struct{ env, text, want string }{
		{"prod", "{" + usual + "}", ""},
		{"test", "{" + usual + ", qa: {emails: [a@b.example], domains: [b.example]}}", ""},
		{"prod", "{" + usual + ", qa: {emails: [a@b.example]}}", "skips risk and lock-out"},
		{"test", "{" + usual + ", qa: {emails: [a@@b.example]}}", "is not an e-mail address"},
		{"test", "{" + usual + ", qa: {domains: ['@b.example']}}", "is not a domain"},
		{"prod", "{baseURL: http://t.auth0.com, clientId: a, clientSecret: '{{env.S}}', audience: x, connection: u}", "must be https"},
		{"prod", "{baseURL: https://u:p@t.auth0.com, clientId: a, clientSecret: '{{env.S}}', audience: x, connection: u}", "user name"},
		{"prod", "{baseURL: https://t.auth0.com, clientId: a}", "is required with provider: auth0"},
		{"prod", "{baseURL: https://kc.example/realms/x, clientId: a, provider: oidc}", ""},
		{"prod", "{baseURL: https://kc.example/realms/x, clientId: a, provider: oidc, mfa: {}}", "which provider: oidc has not"},
		{"prod", "{baseURL: https://kc.example, clientId: a, provider: oidc, connection: u}", "has none"},
		{"prod", "{" + usual + ", endpoints: {token: https://x.example/t}}", "is for provider: oidc"},
		{"prod", "{" + usual + ", timeout: 1m}", "from 100ms to 20s"},
		{"prod", "{" + usual + ", scope: \"a\\nb\"}", "words separated by spaces"},
		{"prod", "{" + usual + ", mfa: {clientId: x}}", "go together"},
		{"prod", "{" + usual + ", session: {lifetime: 1s}}", "from 1m to 24h"},
		{"prod", "{" + usual + ", social: {connections: [google-oauth2], returnURLs: ['https://a.example/x', 'app.x://', 'http://localhost/x']}}", ""},
		{"prod", "{" + usual + ", social: {connections: ['a/b'], returnURLs: ['app.x://']}}", "name of a connection"},
		{"prod", "{" + usual + ", social: {connections: [callback], returnURLs: ['app.x://']}}", "name of a connection"},
		{"prod", "{" + usual + ", social: {connections: [a], returnURLs: ['https://']}}", "belongs to one application"},
		{"prod", "{" + usual + ", social: {connections: [a], returnURLs: ['javascript:alert(1)']}}", "must be"},
		{"prod", "{" + usual + ", social: {connections: [a], returnURLs: ['http://a.example/']}}", "must be https"},
		{"prod", "{" + usual + ", social: {connections: [a], returnURLs: ['https://u@a.example/']}}", "without user name"},
		{"prod", "{" + usual + ", risk: {castle: {apiSecret: '{{env.S}}', blocking: true}}}", "onError"},
		{"prod", "{" + usual + ", clientSecrets: x}", "clientSecrets"},
	} {
		var file Config
		doc := config.Decode([]byte(c.text), &file, config.Options{Name: "p.yaml", Env: func(string) (string, bool) { return "app-secret", true }})
		if !doc.Failed() {
			file.Validate(doc.Report(""), c.env)
		}
		got := fmt.Sprint(doc.Problems())
		if c.want == "" && doc.Failed() || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.text, got)
		}
		if strings.Contains(got, "app-secret") {
			t.Errorf("a secret is told: %s", got)
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, s := range []string{ann, `{}`, `{"username":"a","username":"b"}`, "username=a&password=b", "username=%zz", "a=1&a=2", `{"authenticator_types":["oob"],"user_metadata":{"a":[1]}}`, "\xff", `{"password":7}`} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, asForm bool) {
		read := jsonOf
		if asForm {
			read = formOf
		}
		b, err := read(raw)
		if err != nil {
			if fault.From(err).Kind != fault.BadRequest {
				t.Error(err)
			}
			return
		}
		account, password := b.account(), b.must("password", maxPassword)
		_, _, _ = b.list("authenticator_types"), b.object("user_metadata", maxMetadata), b.text("mfa_token", maxToken)
		if err := b.wrong.Err(); err == nil && (account == "" || password == "" || len(account) > maxLogin || len(password) > maxPassword) {
			t.Errorf("%q %q", account, password)
		}
	})
}
